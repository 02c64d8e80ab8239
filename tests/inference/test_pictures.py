from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from amgan.errors import PhotoError
from amgan.inference.pictures import take, take_one


def brighter(picture: object, by: int = 10) -> object:
    """The picture with its left half lighter by some levels."""
    taken = take(picture)  # type: ignore[arg-type]
    images = []
    for photo in taken.photos:
        rgb = photo.rgb.copy()
        rgb[:, :40] = np.minimum(rgb[:, :40].astype(int) + by, 255)
        images.append(photo.replace(rgb))
    return taken.give_back(images)


@pytest.fixture
def rgb() -> np.ndarray:
    return np.random.default_rng(0).integers(0, 200, (64, 80, 3)).astype(np.uint8)


@pytest.mark.parametrize("shape", [(64, 80), (64, 80, 3), (64, 80, 4), (2, 64, 80, 3), (2, 64, 80, 4)])
@pytest.mark.parametrize("dtype", [np.uint8, np.float16, np.float32, np.float64])
def test_arrays_come_back_as_they_were(shape: tuple[int, ...], dtype: type) -> None:
    random = np.random.default_rng(0)
    white = 1 if dtype != np.uint8 else 255
    array = (random.random(shape) * 0.8 * white).astype(dtype)
    kept = array.copy()
    found = brighter(array)
    assert isinstance(found, np.ndarray) and found.dtype == dtype and found.shape == shape
    assert np.array_equal(array, kept)
    axis = 1 if len(shape) < 4 else 2
    left, right = (np.moveaxis(a, axis, 0) for a in (found, array))
    assert np.array_equal(left[40:], right[40:])  # to the last bit
    colours = slice(None) if shape[-1] != 4 else slice(0, 3)
    difference = left[:40].astype(float)[..., colours] - right[:40][..., colours]
    assert difference.min() == pytest.approx(10 * white / 255, abs=0.6 * white / 255)
    if shape[-1] == 4:
        assert np.array_equal(found[..., 3], array[..., 3])


@pytest.mark.parametrize("dtype", [torch.uint8, torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_tensors_come_back_as_they_were(rgb: np.ndarray, dtype: torch.dtype) -> None:
    levels = torch.from_numpy(rgb).permute(2, 0, 1)
    tensor = levels if dtype == torch.uint8 else (levels.double() / 255 + 1e-4).to(dtype)
    found = brighter(tensor)
    assert isinstance(found, torch.Tensor) and found.dtype == dtype and found.shape == (3, 64, 80)
    assert torch.equal(found[..., 40:], tensor[..., 40:])
    step = (found[..., :40].double() - tensor[..., :40].double()) * (1 if dtype == torch.uint8 else 255)
    assert (step - 10).abs().max() < 1.1
    batch = torch.stack([tensor, tensor.flip(2)])
    both = brighter(batch)
    assert isinstance(both, torch.Tensor) and both.shape == batch.shape and torch.equal(both[0], found)
    assert torch.equal(both[1, ..., 40:], batch[1, ..., 40:]) and not torch.equal(both[1], batch[1])


def test_a_tensor_with_gradients_comes_back_without() -> None:
    tensor = torch.full((3, 64, 80), 0.5, requires_grad=True)
    found = brighter(tensor)
    assert isinstance(found, torch.Tensor) and not found.requires_grad


class NoDoubles(torch.Tensor):
    """A tensor of a device without double precision, as Apple's is."""

    def double(self, *_: object, **__: object) -> torch.Tensor:
        raise TypeError("Cannot convert a MPS Tensor to float64 dtype as the MPS framework doesn't support float64")

    def cpu(self, *_: object, **__: object) -> torch.Tensor:
        return self.as_subclass(torch.Tensor)


def test_a_device_needs_no_double_precision(rgb: np.ndarray) -> None:
    tensor = torch.from_numpy(rgb).permute(2, 0, 1) / 255
    assert torch.equal(brighter(tensor.as_subclass(NoDoubles)), brighter(tensor))  # type: ignore[arg-type]


def test_an_empty_batch_comes_back() -> None:
    for batch in (np.zeros((0, 64, 80, 3), np.float32), torch.zeros(0, 3, 64, 80)):
        taken = take(batch)
        assert not taken.photos and taken.give_back([]).shape == batch.shape


def test_images_and_files(rgb: np.ndarray, tmp_path: Path) -> None:
    image = Image.fromarray(rgb)
    image.save(tmp_path / "a.png")
    for picture in (image, tmp_path / "a.png", str(tmp_path / "a.png"), take_one(image)):
        found = brighter(picture)
        assert isinstance(found, Image.Image) and np.array_equal(np.asarray(found)[:, 40:], rgb[:, 40:])


@pytest.mark.parametrize(
    ("picture", "named"),
    [
        (np.zeros((3, 64, 80), np.uint8), r"shape \(3, 64, 80\)"),
        (np.zeros((64, 80, 2), np.uint8), r"shape \(64, 80, 2\)"),
        (np.zeros(80, np.uint8), "shape"),
        (np.zeros((64, 80), np.uint16), "uint16"),
        (np.zeros((64, 80, 3), np.int64), "int64"),
        (np.zeros((64, 80, 3), bool), "bool"),
        (np.zeros((64, 80, 3), complex), "complex128"),
        (np.full((64, 80, 3), 100.0), "0 to 1"),
        (np.full((64, 80, 3), -0.1, np.float32), "0 to 1"),
        (np.full((64, 80, 3), np.nan, np.float32), "nan"),
        (np.zeros((20, 80, 3), np.uint8), "at least 64"),
        (torch.zeros(64, 80, 3), r"\(3, H, W\)"),
        (torch.zeros(1, 64, 80), r"\(3, H, W\)"),
        (torch.zeros(3, 64, 80, dtype=torch.int32), "int32"),
        (torch.full((3, 64, 80), 255.0), "255.*0 to 1"),
        (torch.full((2, 3, 64, 80), torch.nan), "nan"),
        (None, "NoneType"),
        ([[0, 1], [1, 0]], "list"),
        (b"bytes", "bytes"),
    ],
)
def test_what_has_no_one_meaning_is_refused(picture: object, named: str) -> None:
    with pytest.raises(PhotoError, match=named):
        take(picture)  # type: ignore[arg-type]


def test_one_picture_is_no_batch() -> None:
    with pytest.raises(PhotoError, match="batch of 2"):
        take_one(np.zeros((2, 64, 80, 3), np.uint8))
    assert take_one(np.zeros((1, 64, 80, 3), np.uint8)).rgb.shape == (64, 80, 3)
