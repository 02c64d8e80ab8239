"""NumPy gives the answers of PyTorch: formulas are written once, and hold for both."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from amgan.maps.arrays import grown, pooled, smoothed
from amgan.maps.change import hue_kept, where_changed
from amgan.maps.kinds import MapKind, draw_map
from amgan.maps.location import location_maps

random = np.random.default_rng(0)


def given(*shape: int) -> tuple[np.ndarray, torch.Tensor]:
    array = random.random(shape, np.float32)
    return array, torch.from_numpy(array.copy())


@pytest.mark.parametrize(("shape", "size"), [((2, 3, 32, 32), (80, 112)), ((1, 17, 20, 12), (33, 12))])
def test_maps_of_another_size(shape: tuple[int, ...], size: tuple[int, int]) -> None:
    array, tensor = given(*shape)
    found = grown(array, size)
    assert found.shape == (*shape[:2], *size) and found.dtype == np.float32
    np.testing.assert_allclose(found, grown(tensor, size), atol=1e-5)


@pytest.mark.parametrize("cells", [1, 7, 32])
def test_means(cells: int) -> None:
    array, tensor = given(2, 3, 80, 112)  # 32 parts of 80 pixels share some
    np.testing.assert_allclose(pooled(array, cells), pooled(tensor, cells), atol=1e-5)
    np.testing.assert_allclose(smoothed(array), smoothed(tensor), atol=1e-5)


@pytest.mark.parametrize("kind", ["zones", "scores", "age"])
def test_aging_maps(kind: MapKind) -> None:
    parts = [given(1, 3, 16, 16), given(1, 16, 16), given(1, 3), given(1)]
    arrays, tensors = zip(*parts, strict=True)
    found = draw_map(kind, *arrays, (0, 1, 0))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, draw_map(kind, *tensors, (0, 1, 0)), atol=1e-6)


def test_location_maps() -> None:
    tops, lefts = np.array([16, 3], np.float32), np.array([40, 5], np.float32)
    found = location_maps(tops, lefts, (32, 24), (64, 96))
    known = location_maps(torch.tensor([16, 3]), torch.tensor([40, 5]), (32, 24), (64, 96))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, known, atol=1e-6)


@pytest.mark.parametrize("side", [128, 208])
def test_the_change_that_is_made(side: int) -> None:
    masks, masks_t = zip(*(given(1, 1, side, side) for _ in range(3)), strict=True)
    change, change_t = given(1, 3, side, side)
    where, where_t = where_changed(*masks), where_changed(*masks_t)
    found = hue_kept((change - 0.5) * where, where)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, hue_kept((change_t - 0.5) * where_t, where_t), atol=1e-5)
