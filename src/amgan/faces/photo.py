"""Reading a user's photo without losing what it has beside its pixels; `amgan.faces.output` writes results back.

A `Photo` shows the rest of the package one thing, upright 8-bit sRGB pixels, and keeps aside the pixels as the file
had them, alpha, ICC profile, EXIF and DPI. `Photo.replace` puts changed pixels back: every pixel that was not changed
stays bit-exact. Not kept: frames after the first, XMP, the EXIF thumbnail (it would still show the old face), and,
because Pillow decodes them to 8 bits, the low bytes of 16-bit *colour* files.
"""

import contextlib
import importlib
import io
import re
import struct
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms, UnidentifiedImageError

from amgan.errors import PhotoError
from amgan.faces.paths import is_folder

MIN_SIDE = 64
"""Pixels a photo must have on its shorter side: below this no face in it can be analysed."""

MAX_SIDE = 32_766
"""Pixels that a side of a photo may have at most: OpenCV cannot turn larger pictures."""

DAMAGED: tuple[type[Exception], ...] = (OSError, EOFError, LookupError, OverflowError, RuntimeError, SyntaxError)
DAMAGED += (TypeError, ValueError, struct.error, zlib.error)
"""What Pillow's decoders and its EXIF parser raise on damaged bytes; they have no common base."""

# Pillow's names of how a file has 16 bits a colour; `BGR;16` are 16 bits a pixel.
_DEEP = re.compile(";16[BLN]")
DEEP_GREY = ("I;16", "I;16B", "I;16L", "I;16N", "I", "F")
_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
# TIFF tags that say how the source file stored its pixels (its EXIF block lists them too); wrong in any other file.
_STORAGE_TAGS = {*range(254, 260), 262, 266, 273, *range(277, 282), 284, 292, 293, 317, 320, *range(322, 331)} | {
    *range(338, 348),
    *range(512, 533),
    34675,
}
# In the block of EXIF of this number: width and height of the picture as the camera laid it down.
_DETAILS, _STORED_SIZE = 0x8769, (0xA002, 0xA003)
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_CMS_ERRORS = (ImageCms.PyCMSError, OSError, ValueError)


@dataclass(frozen=True, eq=False)
class Photo:
    """One photo, upright, with everything needed to write a changed version of it. Its arrays are read-only.

    Attributes:
        rgb: (H, W, 3) uint8 sRGB. Where there is alpha, the colour channels as stored, not blended.
        native: The pixels that `replace` starts from: (H, W, 3) uint8 in the space of `icc_profile`, or grey (H, W)
            uint8, uint16, int32 or float32.
        white: The value of white in `native`: 255, 65535 or, for float grey, possibly 1.
        alpha: (H, W) uint8 opacity, or None.
        icc_profile: The profile of `native`; None means sRGB.
        exif: The EXIF block with orientation 1 and without thumbnail, or None.
        dpi: Horizontal and vertical resolution of the upright photo, or None.
        format: Pillow's name of the source format, such as "JPEG"; None for an image that was made in memory.
        name: What messages call the photo.
        path: The file, or None.
    """

    rgb: NDArray[np.uint8] = field(repr=False)
    native: NDArray[Any] = field(repr=False)
    white: float
    alpha: NDArray[np.uint8] | None = field(repr=False)
    icc_profile: bytes | None = field(repr=False)
    exif: bytes | None = field(repr=False)
    dpi: tuple[float, float] | None
    format: str | None
    name: str
    path: Path | None

    def replace(self, rgb: NDArray[np.uint8]) -> Image.Image:
        """Returns the photo with other pixels, in its own mode where that can hold them.

        Grey photos stay grey, at their depth (changed pixels become Rec. 601 luminance); RGB photos keep their ICC
        profile, which the image carries in `info`; alpha stays. Modes 1, P, CMYK, YCbCr, LAB and colour profiles
        without a way back give RGB (or RGBA) in sRGB.

        Args:
            rgb: (H, W, 3) uint8 sRGB. Pixels equal to `self.rgb` come out bit-exact as in `self.native`.

        Raises:
            ValueError: The array's shape or type is not that of `self.rgb`.
        """
        if rgb.shape != self.rgb.shape or rgb.dtype != np.uint8:
            raise ValueError(f"expected uint8 pixels of shape {self.rgb.shape}, got {rgb.dtype} of shape {rgb.shape}")
        if self.native is self.rgb:  # RGB without a profile
            pixels = rgb
        else:
            pixels, changed = self.native.copy(), (rgb != self.rgb).any(axis=-1)
            if changed.any():
                mode = "L" if pixels.ndim == 2 else "RGB"
                strip = Image.fromarray(rgb[changed][None])
                if self.icc_profile is not None:
                    strip = _transform(self.icc_profile, mode, back=True).apply(strip)
                # Integers by 1 or 257: exact.
                pixels[changed] = np.asarray(strip.convert(mode))[0] * (self.white / 255)
        image = Image.fromarray(pixels if self.alpha is None else np.dstack((pixels, self.alpha)))
        if self.icc_profile is not None:
            image.info["icc_profile"] = self.icc_profile
        return image


def read_photo(path: str | Path) -> Photo:
    """Reads a photo file; of a file with several frames, the first.

    Raises:
        PhotoError: There is no such file, it cannot be read or decoded, or it is too small or too large.
    """
    path = Path(path)
    if is_folder(path):
        raise PhotoError(f"{path}: is a folder; name one photo file in it")
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except FileNotFoundError as error:
        raise PhotoError(f"{path}: no such file; check the path") from error
    except OSError as error:
        raise PhotoError(f"{path}: cannot be opened ({error.strerror}); check its permissions") from error
    if not head:
        raise PhotoError(f"{path}: the file is empty; copy or download the photo again")
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        _enable_heif(path)
    with _decoding(str(path)):
        image = Image.open(path)
    with image:
        return _photo(image, str(path), path)


def photo_from_image(image: Image.Image, name: str = "image") -> Photo:
    """Makes a `Photo` of a Pillow image, at its present frame; the image's pixels and metadata are left as they are.

    Raises:
        PhotoError: The image cannot be decoded, is too small or too large, or its float values follow no known range.
    """
    return _photo(image, name, None)


@contextlib.contextmanager
def _decoding(name: str) -> Iterator[None]:
    """Turns what Pillow raises on a bad file into a `PhotoError`."""
    try:
        yield
    except UnidentifiedImageError as error:
        raise PhotoError(f"{name}: not an image that can be read, or damaged; use a JPEG or PNG file") from error
    except Image.DecompressionBombError as error:
        raise PhotoError(f"{name}: has too many pixels to be read safely; make it smaller first") from error
    except DAMAGED as error:
        raise PhotoError(f"{name}: the image data is cut off or damaged; copy or download the photo again") from error


def _photo(image: Image.Image, name: str, path: Path | None) -> Photo:
    """Loads an image, turns it upright and takes it apart."""
    if min(image.size) < MIN_SIDE:
        width, height = image.size
        raise PhotoError(f"{name}: is {width} x {height} pixels; use a photo of at least {MIN_SIDE} on each side")
    if max(image.size) > MAX_SIDE:
        raise PhotoError(f"{name}: has a side of more than {MAX_SIDE} pixels; make it smaller first")
    # Loading turns a TIFF and removes its orientation, without which the DPI could not be turned with it.
    stored_orientation = _read_exif(image, name)[0] if image.format == "TIFF" else 1
    if image.mode not in DEEP_GREY and any(_DEEP.search(str(tile[3])) for tile in getattr(image, "tile", ())):
        warnings.warn(f"{name}: its 16-bit colours are read, and written, with 8 bits", stacklevel=2)
    with _decoding(name):
        image.load()
    kind, info = image.format, image.info
    orientation, exif = _read_exif(image, name, stored_orientation)
    if orientation in _TURNS:
        image = image.transpose(_TURNS[orientation])
    rgb, native, white, alpha, profile = take_apart(image, info.get("icc_profile"), name)
    dpi = _valid_dpi(info.get("dpi"))
    if dpi is not None and max(stored_orientation, orientation) >= 5:
        dpi = dpi[1], dpi[0]
    for array in (rgb, native, alpha):
        if array is not None:
            array.setflags(write=False)  # a caller editing `rgb` in place would hide its edits from `replace`
    return Photo(rgb, native, white, alpha, profile, exif, dpi, kind, name, path)


def take_apart(
    image: Image.Image, profile: bytes | None, name: str
) -> tuple[NDArray[np.uint8], NDArray[Any], float, NDArray[np.uint8] | None, bytes | None]:
    """Splits an image of any mode into `rgb`, `native`, `white`, `alpha` and `icc_profile` as `Photo` has them."""
    alpha = None
    white = 255.0
    if image.mode in ("1", "LAB"):
        profile = None  # black and white are the same in every profile; Lab needs none
    if image.mode in DEEP_GREY:
        if "transparency" in image.info:
            warnings.warn(f"{name}: the transparent colour of a 16-bit grey image is ignored", stacklevel=2)
        native = np.array(image)
        native = native.astype(native.dtype.newbyteorder("="), copy=False)
        white = white_level(native, name)
        image = Image.fromarray(scaled_grey(native, white, 255).astype(np.uint8))
    else:
        if image.has_transparency_data:
            pixels = np.array(image.convert("LA" if image.mode in ("L", "LA", "La") else "RGBA"))
            alpha = pixels[..., -1].copy()
            image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 2 else pixels[..., :3])
        elif image.mode not in ("L", "RGB", "CMYK"):
            image = image.convert("RGB")
        native = np.array(image)
    keeps_native = image.mode != "CMYK"
    rgb = None
    if profile is not None:
        try:
            rgb = np.array(_transform(profile, image.mode).apply(image))
        except _CMS_ERRORS as error:
            warnings.warn(f"{name}: its colour profile is damaged or of another kind, ignored ({error})", stacklevel=2)
        else:
            keeps_native = keeps_native and _has_way_back(profile, image.mode)
    if rgb is None:
        rgb, profile = native if image.mode == "RGB" else np.array(image.convert("RGB")), None
    if not keeps_native:
        return rgb, rgb, 255.0, alpha, None
    return rgb, native, white, alpha, profile


def white_level(grey: NDArray[Any], name: str) -> float:
    """Finds which value is white in deep grey pixels, since nothing in a file says so.

    16-bit: 65535. 32-bit integer: the smaller of 255 and 65535 that holds the highest value; float: of 1, 255 and
    65535. Up to a tenth beyond the range, at both ends, is taken as overshoot from resampling and clipped.
    """
    if grey.dtype == np.uint16:
        return 65535.0
    low, high = float(grey.min()), float(grey.max())
    levels = (1.0, 255.0, 65535.0) if grey.dtype == np.float32 else (255.0, 65535.0)
    white = next((level for level in levels if high <= 1.1 * level), None)
    if white is not None and low >= -0.1 * white:  # neither is true of NaN
        return white
    raise PhotoError(f"{name}: grey values from {low:g} to {high:g} follow no known range; rescale them to 0..65535")


def scaled_grey(grey: NDArray[Any], white: float, new_white: int) -> NDArray[np.float64]:
    """Brings grey pixels to 0..new_white, rounded and clipped."""
    return np.rint(np.clip(grey.astype(np.float64) / white, 0, 1) * new_white)


def _read_exif(image: Image.Image, name: str, stored: int = 1) -> tuple[int, bytes | None]:
    """Returns the orientation, 1 if unknown, and the EXIF block to write with the upright pixels.

    Args:
        image: The picture.
        name: What messages call it.
        stored: How it lay before it was loaded, where that turned it.
    """
    orientation = 1
    try:
        source = image.getexif()
        told = source.get(_ORIENTATION)
        orientation = told if told in _TURNS else 1
        kept = Image.Exif()
        kept.load(source.tobytes())  # a copy, so that the caller's image is not changed
        for tag in _STORAGE_TAGS.intersection(kept):
            del kept[tag]
        if _ORIENTATION in kept:
            kept[_ORIENTATION] = 1
        if max(stored, orientation) >= 5 and _DETAILS in kept:
            for tag in _STORED_SIZE:
                kept.get_ifd(_DETAILS).pop(tag, None)
        return orientation, kept.tobytes() if len(kept) else None
    except DAMAGED as error:
        warnings.warn(f"{name}: its EXIF data is damaged and is left out ({error})", stacklevel=2)
        return orientation, None


def _valid_dpi(dpi: Any) -> tuple[float, float] | None:
    """Returns a resolution that every format can store, or None."""
    try:
        x, y = (float(value) for value in dpi)
    except (TypeError, ValueError, ZeroDivisionError):
        return None
    return (x, y) if 1 <= x <= 65535 and 1 <= y <= 65535 else None


def _transform(profile: bytes, mode: str, *, back: bool = False) -> ImageCms.ImageCmsTransform:
    """Builds the transform from a profile (of pixels in `mode`) to sRGB, or `back`."""
    own, srgb = ImageCms.ImageCmsProfile(io.BytesIO(profile)), ImageCms.createProfile("sRGB")
    how = (ImageCms.Intent.RELATIVE_COLORIMETRIC, ImageCms.Flags.BLACKPOINTCOMPENSATION)
    if back:
        return ImageCms.buildTransform(srgb, own, "RGB", mode, *how)
    return ImageCms.buildTransform(own, srgb, mode, "RGB", *how)


def _has_way_back(profile: bytes, mode: str) -> bool:
    """Tells whether sRGB can be converted to a profile; scanner profiles, for one, only go the other way."""
    try:
        _transform(profile, mode, back=True)
    except _CMS_ERRORS:
        return False
    return True


def _enable_heif(path: Path) -> None:
    """Teaches Pillow to read HEIC, with the package that can."""
    try:
        importlib.import_module("pillow_heif").register_heif_opener()
    except ImportError as error:
        raise PhotoError(f"{path}: is a HEIC image; install pillow-heif, or convert it to JPEG or PNG") from error
