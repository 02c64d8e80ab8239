"""Tests of the ICC profiles of photos: applied when read, kept when written."""

import io
import struct
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageCms

from amgan.faces.output import write_image
from amgan.faces.photo import photo_from_image, read_photo

from .pictures import CHANGED, HEIGHT, WIDTH, edited, image_of, noise, smooth, unchanged


def s15f16(*values: float) -> bytes:
    return b"".join(struct.pack(">i", round(value * 65536)) for value in values)


def icc(space: bytes, connection: bytes, tags: dict[bytes, bytes], kind: bytes = b"mntr") -> bytes:
    """A version 2 ICC profile of given tags."""
    tags = {
        b"desc": b"desc" + bytes(4) + struct.pack(">I", 5) + b"test\0" + bytes(78),
        b"cprt": b"text" + bytes(4) + b"none\0",
        b"wtpt": b"XYZ " + bytes(4) + s15f16(0.9642, 1.0, 0.8249),
        **tags,
    }
    offset = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += name + struct.pack(">II", offset + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    head = struct.pack(">I4sI4s4s4s", offset + len(body), b"lcms", 0x02400000, kind, space, connection)
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28) + s15f16(0.9642, 1.0, 0.8249)
    return head.ljust(128, b"\0") + table + body


def gamma(value: float) -> bytes:
    return b"curv" + bytes(4) + struct.pack(">IH", 1, round(value * 256))


def wide_rgb_profile() -> bytes:
    """The primaries of Adobe RGB, which are wider than those of sRGB."""
    primaries = {
        b"rXYZ": (0.6097, 0.3111, 0.0195),
        b"gXYZ": (0.2053, 0.6257, 0.0609),
        b"bXYZ": (0.1492, 0.0632, 0.7446),
    }
    tags = {name: b"XYZ " + bytes(4) + s15f16(*xyz) for name, xyz in primaries.items()}
    return icc(b"RGB ", b"XYZ ", tags | {name: gamma(2.2) for name in (b"rTRC", b"gTRC", b"bTRC")})


def grey_profile() -> bytes:
    return icc(b"GRAY", b"XYZ ", {b"kTRC": gamma(1.4)})


def lut_profile(space: bytes, corners: Callable[..., tuple[float, float, float]], inks: int) -> bytes:
    """A profile with a table from its space to Lab and none back, as scanners have."""
    lut = b"mft1" + bytes(4) + bytes([inks, 3, 2, 0]) + s15f16(1, 0, 0, 0, 1, 0, 0, 0, 1)
    ramp = bytes(range(256))
    lut += ramp * inks
    for corner in np.ndindex(*(2,) * inks):
        lightness, a, b = corners(*corner)
        lut += bytes([round(lightness * 2.55), round(a + 128), round(b + 128)])
    return icc(space, b"Lab ", {b"A2B0": lut + ramp * 3}, kind=b"scnr" if inks == 3 else b"prtr")


def cmyk_profile() -> bytes:
    """Not much like ink: cyan only turns the colour green, so that its use is easy to tell from no profile."""
    return lut_profile(b"CMYK", lambda c, m, y, k: (100 * (1 - k) * (1 - 0.3 * c), -60 * c, 30 * c), 4)


def scanner_profile() -> bytes:
    return lut_profile(b"RGB ", lambda r, g, b: (100 * (r + g + b) / 3, 20 * (r - g), 20 * (g - b)), 3)


def srgb_through(profile: bytes, image: Image.Image) -> NDArray[np.int_]:
    """An independent conversion of an image to sRGB."""
    own = ImageCms.ImageCmsProfile(io.BytesIO(profile))
    converted = ImageCms.profileToProfile(image, own, ImageCms.createProfile("sRGB"), outputMode="RGB")
    assert converted is not None
    return np.asarray(converted).astype(int)


@pytest.mark.parametrize("suffix", ["png", "jpg", "tiff", "webp"])
def test_rgb_profile_is_applied_and_kept(tmp_path: Path, suffix: str) -> None:
    profile = wide_rgb_profile()
    source = tmp_path / f"a.{suffix}"
    Image.fromarray(smooth()).save(source, icc_profile=profile)
    native = np.asarray(Image.open(source))
    photo = read_photo(source)
    assert np.abs(photo.rgb - srgb_through(profile, Image.fromarray(native))).max() <= 2
    assert np.abs(photo.rgb.astype(int) - native).max() > 15  # the profile does matter

    rgb = edited(photo, (150, 110, 100))
    same, result = unchanged(photo, rgb), photo.replace(rgb)
    assert np.array_equal(np.asarray(result)[same], native[same])
    assert not np.array_equal(np.asarray(result)[CHANGED], rgb[CHANGED])
    write_image(result, tmp_path / "out.png", photo=photo)
    again = read_photo(tmp_path / "out.png")
    assert again.icc_profile == profile
    assert np.array_equal(again.rgb[same], photo.rgb[same])
    assert np.abs(again.rgb[CHANGED].astype(int) - (150, 110, 100)).max() <= 2


@pytest.mark.parametrize("deep", [False, True])
def test_grey_profile_is_applied_and_kept(tmp_path: Path, deep: bool) -> None:
    profile = grey_profile()
    source = image_of("I;16") if deep else image_of("L")
    source.save(tmp_path / "a.png", icc_profile=profile)
    photo = read_photo(tmp_path / "a.png")
    plain = photo_from_image(source)
    assert np.abs(photo.rgb - srgb_through(profile, Image.fromarray(plain.rgb[..., 0]))).max() <= 2
    assert photo.rgb.mean() > plain.rgb.mean() + 10
    rgb = edited(photo, 90)
    same, result = unchanged(photo, rgb), photo.replace(rgb)
    assert result.mode == source.mode
    assert np.array_equal(np.asarray(result)[same], np.asarray(source)[same])
    for name in ("b.png", "b.tif", "b.jpg", "b.webp"):
        write_image(result, tmp_path / name, photo=photo)
        again = read_photo(tmp_path / name)
        # WebP has no grey and JPEG no 16 bits, but each shows the same tones.
        assert np.abs(again.rgb[CHANGED].astype(int) - 90).mean() <= 3, name
        assert (again.icc_profile is None) == (name == "b.webp")


def test_cmyk_profile_is_applied_and_the_result_is_srgb(tmp_path: Path) -> None:
    inks = noise(4, 4)
    inks[..., 3] //= 2
    source = Image.merge("CMYK", [Image.fromarray(inks[..., i]) for i in range(4)])
    source.save(tmp_path / "a.tif", icc_profile=cmyk_profile())
    photo = read_photo(tmp_path / "a.tif")
    assert np.abs(photo.rgb - srgb_through(cmyk_profile(), source)).mean() < 10  # black points may differ
    assert np.abs(photo.rgb.astype(int) - np.asarray(source.convert("RGB"))).mean() > 20
    result = photo.replace(edited(photo))
    assert result.mode == "RGB" and "icc_profile" not in result.info
    assert np.array_equal(np.asarray(result), edited(photo))


def test_adobe_cmyk_jpeg_is_not_inverted(tmp_path: Path) -> None:
    Image.new("CMYK", (WIDTH, HEIGHT), (0, 200, 200, 10)).save(tmp_path / "a.jpg")  # Pillow writes them as Adobe does
    assert b"Adobe" in (tmp_path / "a.jpg").read_bytes()
    red, green, blue = read_photo(tmp_path / "a.jpg").rgb.reshape(-1, 3).mean(axis=0)
    assert red > 230 and green < 80 and blue < 80


def test_a_profile_without_a_way_back_gives_srgb(tmp_path: Path) -> None:
    Image.fromarray(smooth()).save(tmp_path / "a.png", icc_profile=scanner_profile())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        photo = read_photo(tmp_path / "a.png")
    assert not np.array_equal(photo.rgb, smooth())
    assert photo.icc_profile is None
    assert np.array_equal(np.asarray(photo.replace(edited(photo))), edited(photo))


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "CMYK"])
@pytest.mark.parametrize("profile", [b"junk", wide_rgb_profile()[:200], b"\0" * 500, None])
def test_damaged_or_wrong_profile_is_ignored_with_a_warning(tmp_path: Path, mode: str, profile: bytes | None) -> None:
    if profile is None:  # intact, but of another kind of pixels
        profile = wide_rgb_profile() if mode in ("L", "CMYK") else grey_profile()
    image_of(mode).save(tmp_path / "a.tif", icc_profile=profile)
    with pytest.warns(UserWarning, match=r"a\.tif: its colour profile"):
        photo = read_photo(tmp_path / "a.tif")
    assert photo.icc_profile is None
    assert np.array_equal(photo.rgb, photo_from_image(image_of(mode)).rgb)


@pytest.mark.parametrize("mode", ["1", "LAB", "P", "YCbCr"])
def test_profiles_of_other_modes(mode: str) -> None:
    source = image_of(mode)
    source.info["icc_profile"] = wide_rgb_profile()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        photo = photo_from_image(source)
    plain = np.asarray(source.convert("RGB"))
    expected = plain if mode in ("1", "LAB") else srgb_through(wide_rgb_profile(), Image.fromarray(plain))
    assert np.abs(photo.rgb - expected.astype(int)).max() <= 2
