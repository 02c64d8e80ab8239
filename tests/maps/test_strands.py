"""Where hair is in a picture, to its edges, and what has no colour of hair."""

import numpy as np
import pytest

from amgan.maps.strands import hair_strands, strands_of

SIDE = 256


def test_a_mask_follows_the_edge_in_the_photo() -> None:
    rgb = np.full((SIDE, SIDE, 3), 200, np.uint8)
    rgb[:, :129] = 30
    coarse = np.zeros((64, 64), np.float32)
    coarse[:, :32] = 1  # a pixel short of the edge
    found = hair_strands(rgb, coarse, SIDE)
    assert found[:, 128].min() > 2 * found[:, 129].max() and found[:, 134].max() < 0.2 and found[:, 200:].max() == 0


@pytest.mark.parametrize("colour", [(180, 30, 50), (200, 30, 30), (230, 40, 20), (40, 60, 160), (60, 150, 50)])
def test_a_cap_that_is_no_hairs_colour_is_none(colour: tuple[int, int, int]) -> None:
    rgb = np.full((SIDE, SIDE, 3), colour, np.uint8)
    assert hair_strands(rgb, np.ones((64, 64), np.float32), SIDE).max() == 0


@pytest.mark.parametrize(
    "colour", [(20, 20, 24), (60, 40, 30), (120, 42, 32), (150, 80, 45), (220, 190, 140), (190, 190, 195)]
)
def test_hair_is_of_any_natural_colour(colour: tuple[int, int, int]) -> None:
    rgb = np.full((SIDE, SIDE, 3), colour, np.uint8)
    assert hair_strands(rgb, np.ones((64, 64), np.float32), SIDE).min() > 0.99


@pytest.mark.parametrize(("level", "drowned"), [(0.02, True), (0.3, False)])
def test_strands_that_are_lost_in_the_noise_of_the_dark_are_known_to_be(level: float, drowned: bool) -> None:
    # As a JPEG leaves it: blocks of eight pixels, two levels more or less.
    blocks = np.random.default_rng(0).integers(-2, 3, (SIDE // 8, SIDE // 8)).repeat(8, axis=0).repeat(8, axis=1) / 255
    light = np.log(level + blocks.clip(-level) + 0.03)
    picture = np.repeat((2 * (level + blocks.clip(-level)) - 1)[..., None], 3, axis=2).astype(np.float32)
    found = strands_of(picture, np.ones((SIDE, SIDE), np.float32), (0, 0), SIDE)
    assert (found.lost.mean() > 0.6) == drowned and (found.lost.max() == 0) == (not drowned)
    assert (found.light.std() < 0.7 * light.std()) == drowned


def test_strands_that_are_seen_in_the_dark_stay() -> None:
    across = np.random.default_rng(0).uniform(0.01, 0.09, (1, SIDE, 1)).astype(np.float32)
    picture = np.broadcast_to(2 * across - 1, (SIDE, SIDE, 3)).copy()
    found = strands_of(picture, np.ones((SIDE, SIDE), np.float32), (0, 0), SIDE)
    assert found.lost.max() < 0.3 and found.light.std() > 0.85 * np.log(across + 0.03).std()
