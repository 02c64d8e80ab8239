"""Beards and brows, on a face that has brows alone until a beard is drawn on it."""

import numpy as np
import pytest

from amgan.faces.outlines import BROWS, LIPS, SIDE, hull, to_masks
from amgan.faces.whiskers import whiskers

from .aligned import aligned_face


@pytest.fixture(scope="module")
def face(astronaut: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return aligned_face(astronaut, SIDE)


def bearded(rgb: np.ndarray, landmarks: np.ndarray, sides: slice = slice(None)) -> np.ndarray:
    """The face with dark bristles from the upper lip to the chin."""
    jaw = hull(landmarks, (2, 361, 288, 397, 365, 152, 136, 172, 58, 132), 0) > 0
    bristles = np.random.default_rng(0).uniform(0.05, 0.45, (*rgb.shape[:2], 1))
    drawn = rgb.copy()
    drawn[:, sides] = np.where(jaw[:, sides, None], rgb[:, sides] * bristles[:, sides], rgb[:, sides])
    return drawn.astype(np.uint8)


def test_brows_are_found_and_no_beard_on_a_shaved_face(face: tuple[np.ndarray, np.ndarray]) -> None:
    found = whiskers(*face)
    brows = sum(hull(to_masks(face[1], SIDE), brow, 8) for brow in BROWS) > 0
    assert found.shape == (SIDE, SIDE) and found[brows].max() > 0.15 and found[~brows].max() < 0.01


def test_a_beard_is_found_and_lips_are_none(face: tuple[np.ndarray, np.ndarray]) -> None:
    rgb, landmarks = face
    found = whiskers(bearded(rgb, landmarks), landmarks)
    x, y = landmarks[152].astype(int)
    assert found[y - 15 : y - 5, x - 10 : x + 10].mean() > 0.8
    assert found[hull(landmarks, LIPS, 0) > 0].mean() < 0.05


def test_shade_is_no_beard(face: tuple[np.ndarray, np.ndarray]) -> None:
    rgb, landmarks = face
    lower = np.where(np.arange(SIDE)[:, None, None] > landmarks[2, 1], rgb * 0.4, rgb).astype(np.uint8)
    half = bearded(rgb, landmarks, slice(0, int(landmarks[2, 0])))
    chin = slice(int(landmarks[2, 1]), None)
    assert whiskers(lower, landmarks)[chin].mean() < 0.02 and whiskers(half, landmarks)[chin].mean() < 0.02


def test_any_size_finds_the_same(face: tuple[np.ndarray, np.ndarray]) -> None:
    rgb, landmarks = face
    twice = bearded(rgb, landmarks).repeat(2, axis=0).repeat(2, axis=1)
    assert np.allclose(whiskers(twice, 2 * landmarks + 0.5), whiskers(bearded(rgb, landmarks), landmarks), atol=0.02)
