import numpy as np
import pytest

from amgan.maps.mesh import face_places, mean_face
from amgan.maps.sagging import moved, sagging
from amgan.maps.trends import Trends
from amgan.signs.atlas import unit_atlas
from amgan.signs.zones import zone_masks

SIDE = 256
JAW, CHEEK = 172, 205


@pytest.fixture(scope="module")
def places() -> np.ndarray:
    """Location maps of the mean face itself."""
    landmarks = np.concatenate([(mean_face() + 1) * (SIDE / 2) - 0.5, np.zeros((10, 2))]).astype(np.float32)
    return face_places(landmarks, SIDE)


def at(maps: np.ndarray, landmark: int) -> np.ndarray:
    """(2,), what maps (2, R, R) say where a landmark of the mean face lies."""
    x, y = ((mean_face()[landmark] + 1) / 2 * maps.shape[-1]).astype(int)
    return maps[:, y, x]


def test_the_moves_are_alike_on_both_sides_and_small(trends: Trends) -> None:
    moves = trends.moves
    assert moves.shape == (468, 2) and 1 < np.abs(moves).max() < 40
    left, right = moves[JAW], moves[397]
    assert left * [-1, 1] == pytest.approx(right, abs=0.5)


def test_a_face_that_grows_older_moves_as_landmarks_do(trends: Trends, places: np.ndarray) -> None:
    moves = sagging(trends.field, places, np.ones(places.shape[1:], np.float32))
    for landmark in (JAW, CHEEK, 105, 152):
        found, wanted = at(moves, landmark), trends.moves[landmark] / 512
        assert 0.5 < found @ wanted / (wanted @ wanted) < 1 and abs(found @ (wanted[::-1] * [1, -1])) < 1e-4
    younger = sagging(trends.field, places, -np.ones(places.shape[1:], np.float32))
    assert np.allclose(younger, -moves)


def test_where_no_more_is_asked_for_nothing_moves(trends: Trends, places: np.ndarray) -> None:
    rise = np.zeros(places.shape[1:], np.float32)
    assert not sagging(trends.field, places, rise).any()
    rise[:, :20] = 1
    assert np.abs(sagging(trends.field, places, rise)[:, :, 60:]).max() < 1e-5


def test_a_picture_moves_by_so_many_pixels() -> None:
    ramp = np.linspace(0, 1, 64, dtype=np.float32)
    picture = np.repeat(np.tile(ramp, (64, 1))[..., None], 3, axis=2)
    moves = np.zeros((2, 64, 64), np.float32)
    moves[0, :, :] = 3
    found = moved(picture, moves)
    assert found[:, 8:-8] == pytest.approx(picture[:, 5:-11], abs=1e-3)


def test_what_does_not_move_stays_bit_for_bit() -> None:
    picture = np.random.default_rng(0).random((64, 64, 3), np.float32)
    moves = np.zeros((2, 64, 64), np.float32)
    moves[:, 20:30, 20:30] = 1.5
    found = moved(picture, moves)
    still = (moves == 0).all(axis=0)
    assert np.array_equal(found[still], picture[still]) and np.abs(found - picture)[~still].max() > 0.1


@pytest.mark.parametrize("rise", [1.0, 3.5, -3.5])
def test_a_picture_never_folds_however_far_a_zone_is_to_go(trends: Trends, places: np.ndarray, rise: float) -> None:
    # A strip along the jaw, as its zone is.
    landmarks = np.concatenate([(mean_face() + 1) * (SIDE / 2) - 0.5, np.zeros((10, 2))]).astype(np.float32)
    side = places.shape[-1]
    jaw = zone_masks(unit_atlas(), landmarks, SIDE, side).zones[unit_atlas().zones.index("lower_face_ptosis")]
    moves = sagging(trends.field, places, rise * jaw) * np.float32(side / 2)
    ys, xs = np.mgrid[:side, :side].astype(np.float32)
    found = moved(np.stack([xs, ys, 0 * xs], axis=2), moves)
    (dx_y, dx_x), (dy_y, dy_x) = np.gradient(found[..., 0]), np.gradient(found[..., 1])
    assert (dx_x * dy_y - dx_y * dy_x)[4:-4, 4:-4].min() > 0.1
    assert np.abs(moves).max() > 0.3


def test_what_is_beyond_the_scale_counts_less_and_less(trends: Trends, places: np.ndarray) -> None:
    once, twice, more = (
        np.abs(sagging(trends.field, places, np.full(places.shape[1:], rise, np.float32))).max() for rise in (1, 2, 4)
    )
    assert 1.3 * once < twice < 2 * once and twice < more < 2 * once
