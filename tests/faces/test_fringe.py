"""Strands on a forehead, on one that is drawn."""

import numpy as np
import pytest

from amgan.faces.fringe import fringe, hanging
from amgan.faces.outlines import BROWS

SIZE = 512


@pytest.fixture
def landmarks() -> np.ndarray:
    """(478, 2), of which brows, root and base of the nose lie where they do on a face."""
    points = np.full((478, 2), 256.0, np.float32)
    for brow, (left, right) in zip(BROWS, ((150, 230), (282, 362)), strict=True):
        points[list(brow), 0] = np.linspace(left, right, len(brow))
        points[list(brow), 1] = 260
    points[9, 1], points[2, 1] = 250, 350
    return points


@pytest.fixture
def rgb() -> np.ndarray:
    """(512, 512, 3) uint8, hair down to row 160, one strand that hangs from it, one that does not, and one below."""
    picture = np.full((SIZE, SIZE, 3), (210, 165, 145), np.uint8)
    picture[:160] = 40
    picture[160:230, 250:253] = 50
    picture[180:230, 300:303] = 50
    picture[270:330, 200:203] = 50
    return picture


@pytest.fixture
def hair() -> np.ndarray:
    """(256, 256) in 0..1, hair as the parser sees it."""
    return np.repeat((np.arange(256) < 80).astype(np.float32)[:, None], 256, axis=1)


def test_a_strand_that_hangs_from_hair_is_found(rgb: np.ndarray, landmarks: np.ndarray, hair: np.ndarray) -> None:
    found = fringe(rgb, landmarks, np.zeros((SIZE, SIZE), np.float32), hair, 1 - hair)
    assert found[170:225, 251].min() > 0.8 and found[170:225, 240].max() == 0
    assert found[180:230, 290:320].max() == 0 and found[260:].max() == 0


def test_skin_between_strands_is_taken_out_of_a_mask(rgb: np.ndarray, landmarks: np.ndarray, hair: np.ndarray) -> None:
    mask = np.ones((SIZE, SIZE), np.float32)
    found = fringe(rgb, landmarks, mask, hair, 1 - hair)
    assert found[200:225, 251].min() > 0.8 and found[215:225, 230:245].max() < 0.3
    # Where hair grows, and beside the brows, a mask stays what it was.
    assert found[:160].min() == 1 and found[200:225, :150].min() == 1


def test_a_strand_that_goes_on_over_the_brows_is_not_cut(rgb: np.ndarray, landmarks: np.ndarray) -> None:
    rgb[:200], rgb[200:300, 250:253] = 40, 50
    hair = np.repeat((np.arange(256) < 100).astype(np.float32)[:, None], 256, axis=1)
    found = fringe(rgb, landmarks, np.zeros((SIZE, SIZE), np.float32), hair, 1 - hair)[:, 251]
    assert found[220] > 0.8 and found[253:].max() == 0 and np.abs(np.diff(found[220:260])).max() < 0.1


def test_nothing_is_told_of_fair_hair(rgb: np.ndarray, landmarks: np.ndarray, hair: np.ndarray) -> None:
    rgb[(rgb < 60).all(axis=2)] = (215, 178, 145)
    mask = np.random.default_rng(0).uniform(0, 1, (SIZE, SIZE)).astype(np.float32)
    assert np.array_equal(fringe(rgb, landmarks, mask, hair, 1 - hair), mask)


def test_a_face_whose_brows_are_cut_off_has_no_fringe(rgb: np.ndarray, landmarks: np.ndarray, hair: np.ndarray) -> None:
    landmarks[:, 1] -= 260
    mask = np.ones((SIZE, SIZE), np.float32)
    assert np.array_equal(fringe(rgb, landmarks, mask, hair, 1 - hair), mask)


def test_hair_hangs_over_the_forehead_and_grows_above_and_beside(landmarks: np.ndarray) -> None:
    found = hanging(landmarks, SIZE, 256)
    assert found.shape == (256, 256)
    assert found[110, 128] == 1 and found[80, 128] == 0 and found[110, 70] == 0
    assert (np.diff(found[:120, 128]) >= 0).all()
