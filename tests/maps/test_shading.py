import numpy as np
import pytest

from amgan.maps.mesh import face_places, mean_face
from amgan.maps.shading import lit, shading
from amgan.maps.trends import Trends

SIDE = 256
# How far down the fold beside the nose is halfway to the mouth; landmarks of the tip of the nose and of the lower lip.
FOLD, TIP, LIP = 0.335, 1, 17


@pytest.fixture(scope="module")
def places() -> np.ndarray:
    """Location maps of the mean face itself."""
    landmarks = np.concatenate([(mean_face() + 1) * (SIDE / 2) - 0.5, np.zeros((10, 2))]).astype(np.float32)
    return face_places(landmarks, SIDE)


def at(maps: np.ndarray, x: float, y: float) -> np.ndarray:
    """(3,), what maps (3, R, R) say at a place."""
    return maps[:, int((y + 1) / 2 * maps.shape[-1]), int((x + 1) / 2 * maps.shape[-1])]


def test_what_was_measured_is_alike_on_both_sides_and_nothing_beside_the_face(trends: Trends) -> None:
    known = trends.lights
    assert known.shape[0] == known.shape[1] and known.shape[2] == 3
    assert np.abs(known - known[:, ::-1]).max() < 0.03
    assert not known[0].any() and not known[-1].any() and not known[:, 0].any()
    assert 0.2 < np.abs(known).max() < 0.6


def test_folds_get_darker_and_lips_paler_with_age(trends: Trends, places: np.ndarray) -> None:
    older = shading(trends.lights, places, np.ones(places.shape[1:], np.float32))
    fold = older[:, int((FOLD + 1) / 2 * older.shape[1])]
    assert fold.mean(axis=0).min() < -0.2 < at(older, *mean_face()[TIP]).mean()
    red, green, _ = at(older, *mean_face()[LIP])
    assert red - green < -0.02


def test_as_much_is_made_as_is_asked_for_and_only_there(trends: Trends, places: np.ndarray) -> None:
    rise = np.zeros(places.shape[1:], np.float32)
    assert not shading(trends.lights, places, rise).any()
    rise[:, : SIDE // 2] = 1
    half = shading(trends.lights, places, rise)
    assert half[..., : SIDE // 2].any() and not half[..., SIDE // 2 :].any()
    assert shading(trends.lights, places, -0.5 * rise) == pytest.approx(-0.5 * half)


def test_light_is_a_factor_and_where_none_changes_a_picture_stays_bit_for_bit() -> None:
    picture = np.random.default_rng(0).uniform(-1, 1, (32, 32, 3)).astype(np.float32)
    logs = np.zeros_like(picture)
    logs[8:16] = -0.3
    found = lit(picture, logs)
    assert np.array_equal(found[:8], picture[:8]) and np.array_equal(found[16:], picture[16:])
    dark = (found[8:16] + 1.12) / (picture[8:16] + 1.12)
    assert dark == pytest.approx(np.exp(-0.3), abs=1e-4)
