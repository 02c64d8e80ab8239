import io
import pickle
from pathlib import Path

import numpy as np
import pytest

from amgan.errors import WeightsError
from amgan.maps.trends import Trends, unpacked


def test_trends_come_back_to_a_level_of_light() -> None:
    rng = np.random.default_rng(0)
    trends = Trends(
        rng.uniform(-0.4, 0.4, (16, 16, 3)).astype(np.float32), rng.normal(0, 9, (468, 2)).astype(np.float32)
    )
    found = unpacked(trends.packed(), Path("trends.npy"))
    assert np.abs(found.light - trends.light).max() <= 0.5 / 256 + 1e-6 and np.array_equal(found.moves, trends.moves)
    # Where nothing was measured nothing is made.
    nothing = Trends(np.zeros((16, 16, 3), np.float32), np.zeros((468, 2), np.float32))
    nothing = unpacked(nothing.packed(), Path("trends.npy"))
    assert not nothing.lights.any() and np.abs(nothing.field).max() < 1e-6


def saved(*arrays: np.ndarray) -> bytes:
    file = io.BytesIO()
    for array in arrays:
        np.save(file, array)
    return file.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no array",
        saved(np.zeros((4, 4, 3), np.uint8)),
        saved(np.zeros((4, 5, 3), np.uint8), np.zeros((468, 2), np.float32)),
        saved(np.zeros((4, 4, 3), np.uint8), np.zeros((478, 2), np.float32)),
        pickle.dumps([1, 2]),
    ],
)
def test_what_is_damaged_is_named(content: bytes) -> None:
    with pytest.raises(WeightsError, match=r"mine: damaged model"):
        unpacked(content, Path("mine"))
