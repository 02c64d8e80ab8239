import cv2
import numpy as np
import pytest

from amgan.data.grafts.relief import laid_on, reach, relief_of, weighted
from amgan.faces.light import DARK

SIZE = 1024
BARE = np.ones((300, 300), np.float32)


def lined(depth: float, light: float = 0.5) -> np.ndarray:
    """(300, 300, 3) uint8: evenly lit skin with one dark line across."""
    grey = np.full((300, 300), light, np.float32)
    grey[148:152] *= 1 - depth
    return np.dstack([np.round(cv2.GaussianBlur(grey, (0, 0), 1) * 255).astype(np.uint8)] * 3)


def test_even_skin_has_none_and_a_line_is_darker_than_around() -> None:
    assert np.abs(relief_of(lined(0), BARE, SIZE)).max() < 0.01
    relief = relief_of(lined(0.3), BARE, SIZE)
    assert relief.shape == (300, 300, 3) and relief.dtype == np.float32
    assert relief[150, 150].max() < -0.1
    assert np.abs(relief[40:90]).max() < 0.01


def test_it_holds_no_light_and_no_colour_of_the_whole() -> None:
    one = relief_of(lined(0.3, 0.8), BARE, SIZE)
    tinted = (lined(0.3, 0.8) * np.array([1.0, 0.8, 0.7])).astype(np.uint8)
    shaded = (tinted * np.linspace(0.7, 1, 300)[None, :, None]).astype(np.uint8)
    inner = slice(reach(SIZE), -reach(SIZE))
    assert relief_of(shaded, BARE, SIZE)[150, inner].mean() == pytest.approx(one[150, inner].mean(), abs=0.03)


def test_it_is_nothing_where_skin_is_not_bare() -> None:
    bare = BARE.copy()
    bare[:, 150:] = 0
    relief = relief_of(lined(0.3), bare, SIZE)
    assert not relief[:, 150:].any() and relief[150, 75].max() < -0.1


def test_no_pixel_within_reach_changes_what_lies_beyond_it() -> None:
    one = lined(0.3)
    other = one.copy()
    other[:, :20] = 0
    beyond = slice(20 + reach(SIZE), None)
    difference = relief_of(one, BARE, SIZE) - relief_of(other, BARE, SIZE)
    assert np.abs(difference[:, beyond]).max() < 0.01


def test_light_keeps_to_what_a_byte_can_hold() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (64, 48, 3)).astype(np.uint8)
    relief = np.random.default_rng(1).normal(0, 0.7, rgb.shape).astype(np.float32)
    weight = np.random.default_rng(2).random(rgb.shape[:2]).astype(np.float32)
    ground = 255 * DARK
    wanted = ((rgb + ground) * np.exp(relief * weight[..., None]) - ground).clip(0, 255)
    assert np.abs(laid_on(rgb, weighted(relief, weight)) - wanted).max() < 0.51
    assert wanted.min() == 0 and wanted.max() == 255


def test_laid_on_even_skin_it_gives_the_line_back() -> None:
    wrinkled = laid_on(lined(0), relief_of(lined(0.3), BARE, SIZE))
    assert np.abs(wrinkled[150].astype(int) - lined(0.3)[150]).max() <= 12
    assert (laid_on(lined(0), np.zeros((300, 300, 3), np.float32)) == lined(0)).all()
