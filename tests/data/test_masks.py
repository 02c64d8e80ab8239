import numpy as np
import pytest

from amgan.data.masks import Masks, pack_masks

SIDE = 64


@pytest.fixture(scope="module")
def masks() -> np.ndarray:
    """One empty, one full, one of a point, one in a corner."""
    found = np.zeros((4, SIDE, SIDE), np.uint8)
    found[1] = 255
    found[2, 20, 31] = 128
    found[3, 40:, 50:] = np.random.default_rng(0).integers(0, 256, (24, 14))
    return found


@pytest.mark.parametrize("compressed", [True, False])
def test_what_is_packed_is_given_back(masks: np.ndarray, compressed: bool) -> None:
    known = Masks(pack_masks(masks, compressed), 4, SIDE)
    assert all(np.array_equal(known.mask(number), mask) for number, mask in enumerate(masks))


@pytest.mark.parametrize(("top", "left", "side"), [(0, 0, SIDE), (16, 24, 16), (20, 31, 1), (48, 48, 16), (0, 0, 8)])
def test_a_part_is_what_a_square_shows(masks: np.ndarray, top: int, left: int, side: int) -> None:
    part = Masks(pack_masks(masks), 4, SIDE).part(top, left, side)
    assert part.dtype == np.float32
    wanted = masks[:, top : top + side, left : left + side].astype(np.float32) / np.float32(255)
    assert np.array_equal(part, wanted)


def test_empty_corners_take_no_room() -> None:
    spot = np.zeros((20, 256, 256), np.uint8)
    spot[:, 100:130, 100:130] = np.random.default_rng(0).integers(0, 256, (20, 30, 30))
    assert pack_masks(spot).nbytes < 20 * 30 * 30 + 1000
