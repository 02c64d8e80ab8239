"""Generated pictures that the tests of reading and of writing photos share."""

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from amgan.faces.photo import Photo

WIDTH, HEIGHT = 96, 72
ORIENTATION, MAKE, EXIF_IFD, GPS_IFD = 0x0112, 0x010F, 0x8769, 0x8825
CHANGED = (slice(10, 30), slice(20, 50))
# All modes of `image_of`.
MODES = "1 L LA P P;transparent PA RGB RGBA RGBa RGBX CMYK YCbCr LAB HSV I;16 I;16B I F".split()


def noise(seed: int = 0, channels: int = 3) -> NDArray[np.uint8]:
    """(72, 96, channels) random uint8; noise, so that no transposition or mix-up of channels goes unnoticed."""
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, channels), dtype=np.uint8)


def smooth() -> NDArray[np.uint8]:
    """(72, 96, 3) uint8 of slow gradients without the extremes, for lossy formats and gamuts."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([60 + x, 60 + y, 120 + (x - y) // 2], axis=-1).astype(np.uint8)


def exif_block(orientation: int | None = None) -> bytes:
    exif = Image.Exif()
    exif[MAKE] = "Camera"
    if orientation is not None:
        exif[ORIENTATION] = orientation
    exif.get_ifd(EXIF_IFD).update({0x9003: "2020:01:02 03:04:05", 0xA002: WIDTH, 0xA003: HEIGHT})
    exif.get_ifd(GPS_IFD)[1] = "N"
    return exif.tobytes()


def image_of(mode: str) -> Image.Image:
    """An image of any mode that Pillow can make."""
    rgb = Image.fromarray(smooth())
    if mode == "LA":
        return Image.fromarray(noise(1, 2))
    if mode == "RGBA":
        return Image.fromarray(noise(1, 4))
    if mode in ("I;16", "I;16B"):
        deep = np.random.default_rng(2).integers(0, 65536, (HEIGHT, WIDTH)).astype(np.uint16)
        return Image.frombytes(mode, (WIDTH, HEIGHT), deep.astype("<u2" if mode == "I;16" else ">u2").tobytes())
    if mode == "I":
        return Image.fromarray(np.random.default_rng(2).integers(0, 65536, (HEIGHT, WIDTH)).astype(np.int32))
    if mode == "F":
        return Image.fromarray(np.random.default_rng(2).random((HEIGHT, WIDTH), dtype=np.float32))
    if mode == "P;transparent":
        palette = rgb.quantize(64)
        palette.info["transparency"] = bytes(range(64))
        return palette
    if mode == "LAB":
        space = ImageCms.buildTransform(ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), "RGB", "LAB")
        return space.apply(rgb)
    if mode == "P":
        return rgb.quantize(64)
    if mode == "PA":
        palette = rgb.quantize(64).convert("PA")
        palette.putalpha(Image.fromarray(noise(1, 2)[..., 1]))
        return palette
    if mode == "RGBa":
        return image_of("RGBA").convert(mode)
    return rgb.convert(mode)


def edited(photo: Photo, value: Any = (200, 120, 40)) -> NDArray[np.uint8]:
    """The photo's pixels with one rectangle set to a colour."""
    rgb = photo.rgb.copy()
    rgb[CHANGED] = value
    return rgb


def unchanged(photo: Photo, rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.asarray((rgb == photo.rgb).all(axis=-1))


def saved_bytes(suffix: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(noise()).save(stream, format=suffix)
    return stream.getvalue()


def assert_one_line_naming(error: pytest.ExceptionInfo[Exception], path: Path) -> None:
    message = str(error.value)
    # pytest explains no assertion of a module that holds no tests.
    assert message.startswith(f"{path}: ") and "\n" not in message and ";" in message, message
