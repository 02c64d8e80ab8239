"""Painted maps as they come from a file, a recipe or the page's brush."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import ExifTags, Image, ImageOps

from amgan.errors import PhotoError, RequestError
from amgan.faces.photo import DAMAGED, Photo, photo_from_image

# What messages call a painted map.
PAINTED = "the painted map"


def read_painted(source: Path | bytes, name: str, largest: int | None = None) -> Image.Image:
    """Reads a painted map, upright; that it is as large as the photo is checked by `Ager.age`.

    Args:
        source: A file of any format that Pillow reads, or the bytes of a PNG.
        name: What messages call it.
        largest: Side in pixels that it may have at most, found out before it is decoded; None is what Pillow allows.

    Raises:
        RequestError: It cannot be read, or is too large.
    """
    try:
        if isinstance(source, Path):
            image = Image.open(source)
        else:
            image = Image.open(io.BytesIO(source), formats=["PNG"])
        with image:
            if largest is not None and max(image.size) > largest:
                raise RequestError(f"{name}: larger than {largest} pixels a side; make it smaller")
            image.load()
            return upright(image)
    except FileNotFoundError as error:
        raise RequestError(f"{name}: no such file; check the path") from error
    except Image.DecompressionBombError as error:
        raise RequestError(f"{name}: has too many pixels to be read safely; make it smaller first") from error
    except DAMAGED as error:
        kind = "a PNG" if isinstance(source, bytes) else "a picture that can be read; give a PNG as large as the photo"
        raise RequestError(f"{name}: not {kind}") from error


def upright(painted: Image.Image) -> Image.Image:
    """A painted map turned as its EXIF says, like the photo it lies on; as it is where that is damaged."""
    try:
        # Asked for at every edit: what is upright is not copied.
        return painted if painted.getexif().get(ExifTags.Base.Orientation, 1) == 1 else ImageOps.exif_transpose(painted)
    except DAMAGED:  # pixels that are damaged are told when they are used
        return painted


def fitting(painted: Image.Image | Photo | None, photo: Photo) -> Photo | None:
    """A painted map taken apart, upright as the photo is that it is laid on; one that is already stays what it is.

    Raises:
        PhotoError: It is not as large as the photo.
    """
    if painted is None:
        return None
    height, width = photo.rgb.shape[:2]
    if isinstance(painted, Photo):
        tall, wide = painted.rgb.shape[:2]
    else:
        painted = upright(painted)
        wide, tall = painted.size
    if (tall, wide) != (height, width):
        wrong = f"the painted map is {wide}x{tall} and {photo.name} is {width}x{height}"
        raise PhotoError(f"{wrong}; paint it at that size")
    return painted if isinstance(painted, Photo) else photo_from_image(painted, PAINTED)
