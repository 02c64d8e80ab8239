"""Spots and lines told apart, on skin that is drawn."""

import cv2
import numpy as np
import pytest

from amgan.data.grafts.spots import lines_in, spots_in

SIZE = 1024


@pytest.fixture(scope="module")
def relief() -> np.ndarray:
    """(300, 300, 3): a spot of 12 px, a line of 4 px, a fold of 40 px, a pore, and fine noise."""
    light = np.random.default_rng(0).normal(0, 0.004, (300, 300)).astype(np.float32)
    cv2.circle(light, (60, 60), 6, -0.25, -1)
    cv2.line(light, (120, 30), (180, 110), -0.2, 4)
    light[200:240] = -0.2
    light[150, 60] = -0.1
    return np.dstack([cv2.GaussianBlur(light, (0, 0), 0.8)] * 3)


def test_a_spot_is_one_and_nothing_else_is(relief: np.ndarray) -> None:
    found = spots_in(relief, SIZE)
    assert found[58:63, 58:63].min() > 0.9
    elsewhere = found.copy()
    elsewhere[48:73, 48:73] = 0
    # But for the very ends of a line.
    assert elsewhere.max() < 0.7 and (elsewhere > 0.05).mean() < 0.002


def test_a_line_is_as_dark_as_it_is_and_spots_folds_and_pores_are_none(relief: np.ndarray) -> None:
    found = lines_in(relief, SIZE)
    assert found[70, 150] == pytest.approx(0.2, abs=0.05) and found.min() >= 0
    assert found[56:65, 56:65].max() < 0.03 and found[205:235].max() < 0.03 and found[148:153, 58:63].max() < 0.03


def test_both_go_with_the_size_of_the_face(relief: np.ndarray) -> None:
    half = cv2.resize(relief, (150, 150), interpolation=cv2.INTER_AREA)
    assert spots_in(half, SIZE // 2)[29:32, 29:32].min() > 0.8
    assert lines_in(half, SIZE // 2)[35, 75] > 0.1
