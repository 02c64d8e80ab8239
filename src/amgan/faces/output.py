"""Results in files that are written whole or not at all, and never over what the user had.

An image takes along what its photo had beside the pixels: ICC profile, EXIF, DPI.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import struct
import warnings
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from amgan.errors import OutputError
from amgan.faces.paths import is_folder
from amgan.faces.photo import DEEP_GREY, Photo, scaled_grey, take_apart, white_level

_FORMATS = {".png": "PNG", ".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP", ".tif": "TIFF", ".tiff": "TIFF"}
SUFFIXES = tuple(_FORMATS)
"""What the name of a result may end in."""
_SAVE_OPTIONS: dict[str, dict[str, Any]] = {
    "PNG": {},
    "JPEG": {"quality": 95, "subsampling": 0},
    "WEBP": {"quality": 95, "exact": True},  # exact: keep the colours under transparent pixels
    "TIFF": {"compression": "raw"},  # libtiff, which compression needs, fails on EXIF and GPS blocks
}
_WRITABLE = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I;16B"),
    "JPEG": ("L", "LA", "RGB", "RGBA"),
    "WEBP": ("RGB", "RGBA"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16", "I;16B", "I", "F", "CMYK", "LAB"),
}
_MAX_JPEG_EXIF = 65533


def check_output(path: str | Path, overwrite: bool = False, suffixes: Collection[str] = SUFFIXES) -> Path:
    """Checks, before any long work, that a result may be written to a path; returns it as a `Path`.

    Args:
        path: Of the result.
        overwrite: Whether an existing file may be replaced.
        suffixes: What it may end in; else what `write_image` can write.

    Raises:
        OutputError: The suffix is not supported, the path exists and `overwrite` is off, or its folder cannot be used.
    """
    path = Path(path)
    if path.suffix.lower() not in suffixes:
        raise OutputError(f"{path}: cannot write {path.suffix or 'no suffix'}; use one of {', '.join(suffixes)}")
    if is_folder(path):
        raise OutputError(f"{path}: is a folder; choose another name")
    if os.path.lexists(path) and not overwrite:
        raise OutputError(f"{path}: already exists; choose another name, or allow it to be replaced (--overwrite)")
    # What is there and no folder stands in the way; `lexists` does not raise where it may not look.
    folder = next(parent for parent in path.absolute().parents if os.path.lexists(parent))
    if not is_folder(folder):
        raise OutputError(f"{path}: {folder} is not a folder; choose another place")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OutputError(f"{path}: no permission to write in {folder}; choose another place")
    return path


@contextlib.contextmanager
def written_aside(path: Path, overwrite: bool, suffixes: Collection[str]) -> Iterator[Path]:
    """Gives a name beside `path` to write to, and renames that file to `path` when the block ends well.

    Args:
        path: Of the result; its folder is made if missing.
        overwrite: Whether an existing file may be replaced.
        suffixes: What it may end in.

    Raises:
        OutputError: As `check_output`, or the file cannot be written; an existing file is then left as it was.
    """
    check_output(path, overwrite, suffixes)
    # Not `tempfile`: its files are private to the user, whereas a result should get the usual permissions.
    aside = path.with_name(f".amgan-{secrets.token_hex(8)}{path.suffix.lower()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield aside
        check_output(path, overwrite, suffixes)  # someone may have made the file in the meantime
        aside.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error}); try another place") from error
    finally:
        with contextlib.suppress(OSError):  # where nothing could be written, nothing can be deleted either
            aside.unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Writes a text file, also over one of before, so that a kill leaves the old one or the new one.

    Args:
        path: Of the file; its folder is made if missing.
        text: What is to be in it.

    Raises:
        OutputError: As `written_aside`.
    """
    with written_aside(path, True, (path.suffix.lower(),)) as aside:
        aside.write_text(text, encoding="utf-8")


def write_image(image: Image.Image, path: str | Path, *, photo: Photo | None = None, overwrite: bool = False) -> None:
    """Writes an image atomically, in the format its suffix names; missing folders are made.

    The ICC profile embedded is the image's own (`Photo.replace` puts it into `info`), so that pixels are never
    labelled with a profile they are not in. What the format cannot hold is converted: JPEG blends alpha with white and
    is 8-bit, WebP has sRGB colour only, and PNG takes 32-bit and float grey as 16-bit. TIFF is not compressed.

    Args:
        image: The result.
        path: Ends in .png, .jpg, .jpeg, .webp, .tif or .tiff.
        photo: The photo the result was made from; its EXIF and DPI are kept.
        overwrite: Whether an existing file, such as the photo itself, may be replaced.

    Raises:
        OutputError: As `check_output`, or the file cannot be written; an existing file is then left as it was.
    """
    path = check_output(path, overwrite)
    kind = _FORMATS[path.suffix.lower()]
    image = _fitted(image, kind, photo)
    options = dict(_SAVE_OPTIONS[kind])
    if image.info.get("icc_profile"):
        options["icc_profile"] = image.info["icc_profile"]
    if photo is not None and photo.dpi is not None:
        options["dpi"] = photo.dpi
    if photo is not None and photo.exif is not None:
        if kind == "JPEG" and len(photo.exif) > _MAX_JPEG_EXIF:
            warnings.warn(f"{path}: EXIF is left out, it is too long for JPEG; write a PNG to keep it", stacklevel=2)
        else:
            options["exif"] = photo.exif
    with written_aside(path, overwrite, SUFFIXES) as aside:
        try:
            image.save(aside, format=kind, **options)
        except (ValueError, RuntimeError, OverflowError, struct.error) as error:  # of Pillow's encoders
            raise OutputError(f"{path}: cannot be written ({error}); try another format") from error


def _fitted(image: Image.Image, kind: str, photo: Photo | None) -> Image.Image:
    """Converts an image to a mode that a format can hold; its ICC profile, if still right, is in `info`."""
    profile = image.info.get("icc_profile")
    name = "result" if photo is None else photo.name
    if image.mode in DEEP_GREY and image.mode not in _WRITABLE[kind]:
        grey = np.array(image)
        same = photo is not None and photo.native.dtype == grey.dtype
        white = photo.white if same and photo is not None else white_level(grey, name)
        deep = kind in ("PNG", "TIFF")
        values = scaled_grey(grey, white, 65535 if deep else 255)
        image = Image.fromarray(values.astype(np.uint16 if deep else np.uint8))
    if image.mode not in _WRITABLE[kind]:
        rgb, _, _, alpha, _ = take_apart(image, profile, name)
        image = Image.fromarray(rgb if alpha is None else np.dstack((rgb, alpha)))
        profile = None
    if kind == "JPEG" and image.mode in ("LA", "RGBA"):
        colour = image.convert(image.mode[:-1])
        image = Image.composite(colour, Image.new(colour.mode, colour.size, "white"), image.getchannel("A"))
    if image.info.get("icc_profile") != profile:
        image = image.copy()
        image.info["icc_profile"] = profile
    return image
