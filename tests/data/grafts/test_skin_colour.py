"""What has the colour of a face's skin."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from amgan.data.grafts.skin_colour import near_in_colour, of_skin_colour, surely_skin, without_specks
from amgan.faces.outlines import SIDE

SKIN, JACKET = (205, 160, 135), (200, 90, 40)


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    """(478, 2) in pixels of a mask, spread over its middle; a face of them is not needed."""
    return np.random.default_rng(0).uniform(SIDE * 0.3, SIDE * 0.7, (478, 2)).astype(np.float32)


def painted(*colours: tuple[int, int, int]) -> np.ndarray:
    """(512, 512, 3) uint8, rows of bands of some colours, with grain."""
    bands = np.repeat(np.array(colours, np.float32), SIDE // len(colours), axis=0)
    picture = np.broadcast_to(bands[:, None], (SIDE, SIDE, 3))
    grain = np.random.default_rng(0).normal(0, 3, picture.shape)
    return np.asarray((picture + grain).clip(0, 255), np.uint8)


def test_all_of_one_colour_is_skin_and_what_is_of_another_is_none(points: np.ndarray) -> None:
    assert (of_skin_colour(painted(SKIN), points) == 255).mean() > 0.99
    picture = painted(SKIN)
    picture[:40] = JACKET
    found = of_skin_colour(picture, points)
    assert not found[:35].any() and (found[45:] == 255).mean() > 0.99


def test_spots_that_are_surely_skin_lie_around_their_landmarks(points: np.ndarray) -> None:
    found = surely_skin(points)
    x, y = points[4].astype(int)
    assert found[y, x] and 0 < found.mean() < 0.1


def test_pores_are_skin_and_single_hairs_worth_of_it_is_none() -> None:
    mask = np.zeros((SIDE, SIDE), np.bool_)
    mask[100:300, 100:300] = True
    cv2.circle(holed := mask.astype(np.uint8), (200, 200), 2, 0, -1)
    holed[400, 100:300] = 1
    found = without_specks(holed > 0)
    assert found[200, 200] == 255 and not found[390:410].any()


def test_an_odd_one_among_the_known_colours_counts_for_nothing() -> None:
    rng = np.random.default_rng(0)
    known = rng.normal((100.0, 20.0), 1, (100, 2)).astype(np.float32)
    known[:15] = (0, 0)
    colours = np.array([[[100, 20], [0, 0], [50, 10]]], np.float32)
    assert near_in_colour(colours, known, 0.8, (4.0, 4.0)).tolist() == [[True, False, False]]
