"""White hairs in a beard that is drawn: dark hairs on skin."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from amgan.faces.light import LUMA
from amgan.maps.salting import salted

SIDE, SKIN = 256, (200.0, 150.0, 120.0)


@pytest.fixture(scope="module")
def bearded() -> np.ndarray:
    """(256, 256, 3) in -1..1, dark hairs that run down, on skin, in the lower half."""
    picture = np.full((SIDE, SIDE, 3), SKIN, np.float32)
    rng = np.random.default_rng(0)
    for _ in range(900):
        x, y = (int(v) for v in rng.uniform((0, SIDE / 2), (SIDE, SIDE)))
        cv2.line(picture, (x, y), (x, y + 9), (40.0, 28.0, 20.0), 1, cv2.LINE_AA)
    return np.asarray(picture / np.float32(127.5) - 1, np.float32)


def mask() -> np.ndarray:
    found = np.zeros((SIDE, SIDE), np.float32)
    found[SIDE // 2 :] = 1
    return found


def light(picture: np.ndarray) -> np.ndarray:
    return np.asarray((picture + 1) / 2 @ LUMA)


def aged(picture: np.ndarray, share: float) -> np.ndarray:
    return salted(picture, mask(), np.full((SIDE, SIDE), share, np.float32), (0, 0), SIDE, SKIN)


def test_hairs_turn_white_and_skin_stays(bearded: np.ndarray) -> None:
    found, below = aged(bearded, 0.9), slice(SIDE // 2 + 16, SIDE - 16)
    assert np.array_equal(found[: SIDE // 2], bearded[: SIDE // 2])
    before, after = light(bearded)[below], light(found)[below]
    hairs, skin = before < 0.25, before > 0.99 * before.max()
    assert after[hairs].mean() > before[hairs].mean() + 0.1
    assert np.abs(after - before)[skin].mean() < 0.05


def test_dark_hairs_are_left_between_white_ones(bearded: np.ndarray) -> None:
    below = slice(SIDE // 2 + 16, SIDE - 16)
    hairs = light(bearded)[below] < 0.25
    rise = (light(aged(bearded, 0.6)) - light(bearded))[below][hairs]
    few, many = np.quantile(rise, (0.1, 0.9))
    assert many > 2.5 * few and few < 0.12


def test_more_is_greyer_and_none_is_nothing(bearded: np.ndarray) -> None:
    lights = [float(light(aged(bearded, share)).mean()) for share in (0.3, 0.6, 0.9)]
    assert lights == sorted(lights) and lights[0] > float(light(bearded).mean())
    assert np.array_equal(aged(bearded, 0), bearded)


def test_smooth_shade_is_no_beard() -> None:
    shaded = np.full((SIDE, SIDE, 3), -0.6, np.float32)
    shaded[..., 2] -= 0.1
    assert np.abs(aged(shaded, 0.9) - shaded).max() < 0.02
