"""Pictures as programs hold them, arrays and tensors, made into photos to be aged and back (docs/python.md).

What is taken, and nothing else: Pillow images, paths and `Photo`; arrays (H, W), (H, W, 3) or (H, W, 4) with alpha, and
tensors (3, H, W), both of uint8 or floating point in 0..1, and also as batches, (B, H, W, C) and (B, 3, H, W). Numbers
of other types, and floating point beyond 0..1, have no one meaning and are refused rather than guessed at.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from amgan.errors import PhotoError
from amgan.faces.photo import Photo, photo_from_image, read_photo

if TYPE_CHECKING:
    from torch import Tensor

ImageLike = Photo | Image.Image | str | Path
if TYPE_CHECKING:
    Picture = ImageLike | npt.NDArray[Any] | Tensor


@dataclass(frozen=True)
class Taken:
    """Photos made of what was given.

    Attributes:
        photos: One, or those of a batch.
        give_back: Makes of their changed versions what was given: the same kind, shape and type.
    """

    photos: Sequence[Photo]
    give_back: Callable[[Sequence[Image.Image]], Any]


def take(picture: Picture, name: str = "picture") -> Taken:
    """Makes photos of a picture or a batch in one array or tensor.

    Args:
        picture: See the module.
        name: What messages call it; a file goes by its path.

    Raises:
        PhotoError: It cannot be read, is of no kind that is taken, or has values that follow no known range.

    Example:
        >>> grey = np.zeros((64, 80), np.float32)
        >>> taken = take(grey)
        >>> [photo.rgb.shape for photo in taken.photos]
        [(64, 80, 3)]
        >>> lighter = taken.photos[0].replace(np.full((64, 80, 3), 51, np.uint8))
        >>> taken.give_back([lighter])[0, :2]
        array([0.2, 0.2], dtype=float32)
    """
    if isinstance(picture, Photo):
        return Taken([picture], _first)
    if isinstance(picture, Image.Image):
        return Taken([photo_from_image(picture, name)], _first)
    if isinstance(picture, (str, Path)):
        return Taken([read_photo(picture)], _first)
    if isinstance(picture, np.ndarray):
        return _take_array(picture, name)
    # Whoever has a tensor has loaded PyTorch; nobody else need.
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(picture, torch.Tensor):
        return _take_tensor(picture, name)
    kind = type(picture).__name__
    raise PhotoError(
        f"{name}: {kind} is no picture; give a path, a Pillow image, an array or a tensor, or a list of them"
    )


def take_one(picture: Picture, name: str = "picture") -> Photo:
    """Makes a photo of one picture.

    Raises:
        PhotoError: As `take`, or it is a batch.
    """
    photos = take(picture, name).photos
    if len(photos) != 1:
        raise PhotoError(f"{name}: is a batch of {len(photos)}; give one picture of it")
    return photos[0]


def _first(images: Sequence[Image.Image]) -> Image.Image:
    return images[0]


def _take_array(array: npt.NDArray[Any], name: str) -> Taken:
    if not (array.ndim == 2 or (array.ndim in (3, 4) and array.shape[-1] in (3, 4))):
        shape = f"has shape {array.shape}"
        raise PhotoError(f"{name}: {shape}; an array is (H, W), (H, W, 3) or (H, W, 4), or a batch (B, H, W, 3 or 4)")
    floating = bool(np.issubdtype(array.dtype, np.floating))
    _check_type(name, array.dtype, array.dtype == np.uint8 or floating)
    if floating and array.size:
        _check_range(name, float(array.min()), float(array.max()))
    # In double precision: half precision does not have all the steps between.
    before = np.rint(array.astype(np.float64) * 255).astype(np.uint8) if floating else array

    def give_back(images: Sequence[Image.Image]) -> npt.NDArray[Any]:
        after = _pixels(images, before)
        return np.where(after != before, after / 255, array).astype(array.dtype) if floating else after

    return Taken(_photos(before, array.ndim == 4, name), give_back)


def _take_tensor(tensor: Tensor, name: str) -> Taken:
    import torch

    device, tensor = tensor.device, tensor.detach().cpu()  # double precision is not on every device
    if tensor.ndim not in (3, 4) or tensor.shape[-3] != 3:
        raise PhotoError(f"{name}: has shape {tuple(tensor.shape)}; a tensor is (3, H, W), or a batch (B, 3, H, W)")
    floating = tensor.is_floating_point()
    _check_type(name, tensor.dtype, tensor.dtype == torch.uint8 or floating)
    if floating and tensor.numel():
        _check_range(name, float(tensor.min()), float(tensor.max()))
    before = (tensor.double() * 255).round().to(torch.uint8) if floating else tensor
    levels = before.movedim(-3, -1).contiguous().numpy()

    def give_back(images: Sequence[Image.Image]) -> Tensor:
        after = torch.from_numpy(_pixels(images, levels)).movedim(-1, -3).contiguous()
        if floating:
            after = torch.where(after != before, (after / 255).to(tensor.dtype), tensor)
        return after.to(device)

    return Taken(_photos(levels, tensor.ndim == 4, name), give_back)


def _pixels(images: Sequence[Image.Image], before: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The pixels of one image or of a batch, in the shape of those they were made of."""
    return np.stack([np.asarray(image) for image in images]).reshape(before.shape) if images else before.copy()


def _photos(levels: npt.NDArray[np.uint8], batched: bool, name: str) -> list[Photo]:
    """Photos of (H, W[, C]), or of each of (B, H, W, C)."""
    if not batched:
        return [photo_from_image(Image.fromarray(levels), name)]
    return [photo_from_image(Image.fromarray(one), f"{name} {index}") for index, one in enumerate(levels)]


def _check_type(name: str, values: object, known: bool) -> None:
    if not known:
        raise PhotoError(f"{name}: has values of {values}; give uint8, or floating point in 0..1")


def _check_range(name: str, low: float, high: float) -> None:
    if not (low >= 0 and high <= 1):  # neither is true of NaN
        raise PhotoError(
            f"{name}: has values from {low:g} to {high:g}; floating point goes from 0 to 1: scale or clip it"
        )
