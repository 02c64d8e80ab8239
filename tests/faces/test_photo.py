"""Tests of reading photos and writing results back."""

import io
import os
import struct
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageCms, ImageOps, features

from amgan.errors import OutputError, PhotoError
from amgan.faces.output import check_output, write_image
from amgan.faces.photo import MIN_SIDE, Photo, photo_from_image, read_photo

WIDTH, HEIGHT = 96, 72
ORIENTATION, MAKE, EXIF_IFD, GPS_IFD = 0x0112, 0x010F, 0x8769, 0x8825
CHANGED = (slice(10, 30), slice(20, 50))

# --- generated pictures and ICC profiles ------------------------------------------------------------------------------


def noise(seed: int = 0, channels: int = 3) -> NDArray[np.uint8]:
    """(72, 96, channels) random uint8; noise, so that no transposition or mix-up of channels goes unnoticed."""
    return np.random.default_rng(seed).integers(0, 256, (HEIGHT, WIDTH, channels), dtype=np.uint8)


def smooth() -> NDArray[np.uint8]:
    """(72, 96, 3) uint8 of slow gradients without the extremes, for lossy formats and gamuts."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    return np.stack([60 + x, 60 + y, 120 + (x - y) // 2], axis=-1).astype(np.uint8)


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


def exif_block(orientation: int | None = None) -> bytes:
    exif = Image.Exif()
    exif[MAKE] = "Camera"
    if orientation is not None:
        exif[ORIENTATION] = orientation
    exif.get_ifd(EXIF_IFD)[0x9003] = "2020:01:02 03:04:05"
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


MODES = "1 L LA P P;transparent PA RGB RGBA RGBa RGBX CMYK YCbCr LAB HSV I;16 I;16B I F".split()
RESULT_MODES = {"L": "L", "LA": "LA", "I;16": "I;16", "I;16B": "I;16", "I": "I", "F": "F"}
RESULT_MODES |= {mode: "RGBA" for mode in ("RGBA", "P;transparent", "PA", "RGBa")}


def edited(photo: Photo, value: Any = (200, 120, 40)) -> NDArray[np.uint8]:
    """The photo's pixels with one rectangle set to a colour."""
    rgb = photo.rgb.copy()
    rgb[CHANGED] = value
    return rgb


def unchanged(photo: Photo, rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
    return np.asarray((rgb == photo.rgb).all(axis=-1))


# --- reading ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", MODES)
def test_every_mode_keeps_unchanged_pixels_exact(mode: str) -> None:
    source = image_of(mode)
    photo = photo_from_image(source, "mine")
    assert photo.rgb.shape == (HEIGHT, WIDTH, 3) and photo.rgb.dtype == np.uint8
    assert (photo.name, photo.path, photo.format) == ("mine", None, None)

    rgb = edited(photo)
    same, result = unchanged(photo, rgb), photo.replace(rgb)
    assert 0 < (~same).sum() <= 20 * 30
    assert result.mode == RESULT_MODES.get(mode, "RGB")
    own_mode = mode in ("L", "LA", "RGB", "RGBA", "I;16", "I;16B", "I", "F")
    expected = np.asarray(source) if own_mode else photo.native
    pixels = np.asarray(result)
    if not own_mode and photo.alpha is not None:
        assert np.array_equal(pixels[..., 3], photo.alpha)
        pixels = pixels[..., :3]
    assert np.array_equal(pixels[same], expected[same])
    assert not np.array_equal(pixels[~same], expected[~same])
    if not own_mode:
        assert np.array_equal(pixels, rgb)
    # Reading the result again shows the pixels that were asked for: as they are, or as their luminance.
    again = photo_from_image(result).rgb
    grey = result.mode not in ("RGB", "RGBA")
    assert np.array_equal(again[same], photo.rgb[same])
    luminance = np.asarray(Image.new("RGB", (1, 1), (200, 120, 40)).convert("L")).item()
    assert (again[CHANGED] == ([luminance] * 3 if grey else [200, 120, 40])).all()


@pytest.mark.parametrize("mode", MODES)
def test_no_change_gives_the_same_result(mode: str) -> None:
    photo = photo_from_image(image_of(mode))
    again = photo_from_image(photo.replace(photo.rgb.copy()))
    assert np.array_equal(again.rgb, photo.rgb)
    assert np.array_equal(again.native, photo.native)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "RGBX", "CMYK", "YCbCr", "LAB", "HSV"])
def test_rgb_is_what_pillow_converts_to(mode: str) -> None:
    source = image_of(mode)
    assert np.array_equal(photo_from_image(source).rgb, np.asarray(source.convert("RGB")))


def test_lab_and_ycbcr_show_the_colours_they_encode() -> None:
    for mode in ("LAB", "YCbCr"):
        assert np.abs(photo_from_image(image_of(mode)).rgb.astype(int) - smooth()).max() <= 6


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_alpha_is_kept_aside_and_not_blended(mode: str) -> None:
    source = np.asarray(image_of(mode))
    photo = photo_from_image(image_of(mode))
    assert photo.alpha is not None and np.array_equal(photo.alpha, source[..., -1])
    colours = source[..., :3] if mode == "RGBA" else source[..., :1].repeat(3, axis=-1)
    assert np.array_equal(photo.rgb, colours)
    assert np.array_equal(np.asarray(photo.replace(edited(photo)))[..., -1], source[..., -1])


@pytest.mark.parametrize(("mode", "key"), [("1", 255), ("L", 100), ("RGB", (100, 100, 100)), ("P", 3)])
def test_a_transparent_colour_becomes_alpha(tmp_path: Path, mode: str, key: Any) -> None:
    flat = smooth()
    flat[:36] = 100
    source = Image.fromarray(flat).quantize(8) if mode == "P" else Image.fromarray(flat).convert(mode)
    source.save(tmp_path / "a.png", transparency=key)
    photo = read_photo(tmp_path / "a.png")
    marked = np.asarray(source) == (key if mode != "1" else True)
    marked = marked.all(axis=-1) if mode == "RGB" else marked
    assert 0 < marked.sum() < marked.size
    assert photo.alpha is not None and np.array_equal(photo.alpha == 0, marked)
    assert photo.replace(photo.rgb).mode == ("LA" if mode == "L" else "RGBA")


def test_a_transparent_colour_of_16_bit_grey_is_warned_of(tmp_path: Path) -> None:
    image_of("I;16").save(tmp_path / "a.png", transparency=300)
    with pytest.warns(UserWarning, match=r"a\.png: the transparent colour"):
        assert read_photo(tmp_path / "a.png").alpha is None


def test_16_bit_grey_is_scaled_by_the_full_range() -> None:
    values = np.array([0, 128, 129, 257, 32768, 65406, 65407, 65535], np.uint16)
    photo = photo_from_image(Image.fromarray(np.tile(values, (64, 10))))
    assert photo.rgb[0, :8, 0].tolist() == [0, 0, 1, 1, 128, 254, 255, 255]
    assert np.asarray(photo.replace(np.full_like(photo.rgb, 128)))[0, 0] == 128 * 257


@pytest.mark.parametrize(
    ("dtype", "top", "white"),
    [
        (np.float32, 1, 1),
        (np.float32, 0.4, 1),
        (np.float32, 1.05, 1),
        (np.float32, 255, 255),
        (np.float32, 65535, 65535),
        (np.int32, 255, 255),
        (np.int32, 1000, 65535),
        (np.int32, 65535, 65535),
    ],
)
def test_the_white_of_32_bit_grey_follows_the_documented_rule(dtype: Any, top: float, white: float) -> None:
    ramp = np.linspace(0, top, 80).astype(dtype)
    photo = photo_from_image(Image.fromarray(np.tile(ramp, (64, 1))))
    assert photo.white == white
    assert np.abs(photo.rgb[0, :, 1] - np.clip(ramp * (255 / white), 0, 255)).max() <= 0.51
    result = np.asarray(photo.replace(np.full_like(photo.rgb, 51)))
    changed = ~unchanged(photo, np.full_like(photo.rgb, 51))
    assert result.dtype == dtype and np.allclose(result[changed], 0.2 * white)
    assert np.array_equal(result[~changed], np.tile(ramp, (64, 1))[~changed])


@pytest.mark.parametrize("values", [(0, 1e6), (-5, 0.5), (0, np.nan), (0, np.inf)])
def test_grey_of_no_known_range_is_refused(values: tuple[float, float]) -> None:
    pixels = np.full((64, 64), values[0], np.float32)
    pixels[5, 5] = values[1]
    with pytest.raises(PhotoError, match="mine: grey values"):
        photo_from_image(Image.fromarray(pixels), "mine")


@pytest.mark.parametrize("suffix", ["png", "tiff", "jpg", "webp"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_turned_upright(tmp_path: Path, orientation: int, suffix: str) -> None:
    lossy = suffix in ("jpg", "webp")
    source = Image.fromarray(smooth() if lossy else noise())
    path = tmp_path / f"a.{suffix}"
    # `quality` and `subsampling` mean nothing to PNG and TIFF.
    source.save(path, exif=exif_block(orientation), dpi=(300, 150), quality=95)
    turned = source.copy()
    turned.info["exif"] = exif_block(orientation)
    expected = np.asarray(ImageOps.exif_transpose(turned))
    photo = read_photo(path)
    assert photo.rgb.shape == expected.shape
    assert np.abs(photo.rgb.astype(int) - expected).max() <= (12 if lossy else 0)
    if suffix != "webp":  # which has no place for it
        assert photo.dpi == pytest.approx((150, 300) if orientation > 4 else (300, 150), abs=0.1)

    write_image(photo.replace(photo.rgb), tmp_path / "out.png", photo=photo)
    with Image.open(tmp_path / "out.png") as result:
        exif = result.getexif()
        assert exif.get(ORIENTATION, 1) == 1
        assert exif[MAKE] == "Camera"
        assert exif.get_ifd(EXIF_IFD)[0x9003] == "2020:01:02 03:04:05"
        assert exif.get_ifd(GPS_IFD)[1] == "N"
        assert np.array_equal(np.asarray(result), photo.rgb)


@pytest.mark.parametrize(
    "mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr", "LAB", "I;16", "I;16B", "I", "F"]
)
def test_every_mode_can_be_turned(mode: str) -> None:
    flat, source = photo_from_image(image_of(mode)), image_of(mode)
    source.info["exif"] = exif_block(6)
    turned = photo_from_image(source)
    assert np.array_equal(turned.rgb, np.rot90(flat.rgb, -1))
    result = np.asarray(turned.replace(turned.rgb))
    assert np.array_equal(result, np.rot90(np.asarray(flat.replace(flat.rgb)), -1))


@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif", "bmp", "gif", "mpo", "avif"])
def test_file_formats(tmp_path: Path, suffix: str) -> None:
    if suffix == "avif" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    path = tmp_path / f"photo.{suffix}"
    first, second = Image.fromarray(smooth()), Image.new("RGB", (WIDTH, HEIGHT), "white")
    more: dict[str, Any] = (
        {"save_all": True, "append_images": [second]} if suffix in ("gif", "mpo", "webp", "tif") else {}
    )
    first.save(path, **more)
    photo = read_photo(str(path))
    assert photo.path == path and photo.name == str(path)
    assert photo.format == {"jpg": "JPEG", "tif": "TIFF"}.get(suffix, suffix.upper())
    assert np.abs(photo.rgb.astype(int) - smooth()).mean() < 6
    if suffix in ("png", "tif", "bmp"):
        assert np.array_equal(photo.rgb, smooth())


def test_arrays_are_read_only_and_the_source_image_is_untouched() -> None:
    source = image_of("RGB")
    source.info["exif"] = exif_block(6)
    before = source.tobytes(), dict(source.info), dict(source.getexif())
    photo = photo_from_image(source)
    assert (source.tobytes(), dict(source.info), dict(source.getexif())) == before
    for array in (photo.rgb, photo.native):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 0


# --- colour profiles --------------------------------------------------------------------------------------------------


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


# --- photos that cannot be read ---------------------------------------------------------------------------------------


def assert_one_line_naming(error: pytest.ExceptionInfo[Exception], path: Path) -> None:
    message = str(error.value)
    assert message.startswith(f"{path}: ") and "\n" not in message and ";" in message


def saved_bytes(suffix: str) -> bytes:
    stream = io.BytesIO()
    Image.fromarray(noise()).save(stream, format=suffix)
    return stream.getvalue()


BAD_FILES = {
    "empty.jpg": (b"", "empty"),
    "text.jpg": (b"this is not an image at all", "not an image"),
    "header.jpg": (saved_bytes("JPEG")[:15], "damaged"),
    "cut.jpg": (saved_bytes("JPEG")[:3000], "cut off or damaged"),
    "cut.png": (saved_bytes("PNG")[:3000], "cut off or damaged"),
    "cut.tif": (saved_bytes("TIFF")[:-3000], "cut off or damaged"),
    "cut.bmp": (saved_bytes("BMP")[:3000], "cut off or damaged"),
    "photo.heic": (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), "pillow-heif|not an image"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_bad_files(tmp_path: Path, name: str) -> None:
    content, message = BAD_FILES[name]
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(PhotoError, match=message) as error:
        read_photo(path)
    assert_one_line_naming(error, path)


@pytest.mark.parametrize("suffix", ["JPEG", "PNG", "TIFF", "WEBP", "GIF", "BMP", "AVIF"])
def test_random_damage_is_an_error_or_an_image(tmp_path: Path, suffix: str) -> None:
    if suffix == "AVIF" and not features.check("avif"):
        pytest.skip("this Pillow has no AVIF")
    whole, random = saved_bytes(suffix), np.random.default_rng(5)
    path = tmp_path / "damaged"
    for _ in range(40):
        damaged = bytearray(whole)
        for place in random.integers(0, random.choice([60, 400, len(whole)]), 6):
            damaged[place] = random.integers(256)
        path.write_bytes(damaged)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                assert read_photo(path).rgb.ndim == 3
            except PhotoError as error:
                assert "damage" in str(error) or "pixels" in str(error)


@pytest.mark.parametrize(
    "damage", [b"Exif\0\0junk", b"Exif\0\0II*\0\x08\0\0\0\xff\xff", b"Exif\0\0MM\0*\xff\xff\xff\xff"]
)
def test_damaged_exif_does_not_stop_a_photo(tmp_path: Path, damage: bytes) -> None:
    Image.fromarray(smooth()).save(tmp_path / "a.png", exif=damage)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        photo = read_photo(tmp_path / "a.png")
    assert np.array_equal(photo.rgb, smooth())
    write_image(photo.replace(photo.rgb), tmp_path / "b.jpg", photo=photo)


def test_damaged_exif_is_warned_of(tmp_path: Path) -> None:
    Image.fromarray(smooth()).save(tmp_path / "a.png", exif=b"Exif\0\0junk")
    with pytest.warns(UserWarning, match=r"a\.png: its EXIF data"):
        assert read_photo(tmp_path / "a.png").exif is None


def test_missing_file_and_folder(tmp_path: Path) -> None:
    with pytest.raises(PhotoError, match="no such file") as error:
        read_photo(tmp_path / "none.jpg")
    assert_one_line_naming(error, tmp_path / "none.jpg")
    with pytest.raises(PhotoError, match="is a folder") as error:
        read_photo(tmp_path)
    assert_one_line_naming(error, tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(PhotoError, match="cannot be opened"):
        read_photo(tmp_path / "file" / "a.jpg")


def test_decompression_bomb(tmp_path: Path) -> None:
    # A real file: one line says that there are 65500 x 65500 pixels.
    head = struct.pack("<2sIHHIIiiHHIIiiII", b"BM", 999, 0, 0, 54, 40, 65500, 65500, 1, 24, 0, 0, 2835, 2835, 0, 0)
    (tmp_path / "bomb.bmp").write_bytes(head + bytes(945))
    with pytest.raises(PhotoError, match="too many pixels") as error:
        read_photo(tmp_path / "bomb.bmp")
    assert_one_line_naming(error, tmp_path / "bomb.bmp")


@pytest.mark.parametrize("size", [(MIN_SIDE - 1, 500), (500, MIN_SIDE - 1)])
def test_small_photos_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(PhotoError, match=f"tiny: is {size[0]} x {size[1]} pixels"):
        photo_from_image(Image.new("RGB", size), "tiny")


def test_photos_that_cannot_be_turned_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("amgan.faces.photo.MAX_SIDE", 500)
    photo_from_image(Image.new("RGB", (500, 100)), "panorama")
    with pytest.raises(PhotoError, match="panorama: has a side of more than 500 pixels"):
        photo_from_image(Image.new("RGB", (501, 100)), "panorama")


def test_a_name_that_the_system_refuses_is_told_in_one_line(tmp_path: Path) -> None:
    # As with a folder that may not be entered, even the question whether it is there is an error.
    path = tmp_path / f"{'x' * 300}.png"
    with pytest.raises(PhotoError, match="cannot be opened") as error:
        read_photo(path)
    assert_one_line_naming(error, path)
    with pytest.raises(OutputError):
        write_image(Image.new("RGB", (64, 64)), path)


def test_the_smallest_photo() -> None:
    assert photo_from_image(Image.new("RGB", (MIN_SIDE, MIN_SIDE))).rgb.shape == (MIN_SIDE, MIN_SIDE, 3)


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((HEIGHT, WIDTH), np.uint8), np.zeros((HEIGHT, WIDTH, 3), np.float32), np.zeros((9, 9, 3), np.uint8)],
)
def test_replace_refuses_other_shapes_and_types(wrong: Any) -> None:
    with pytest.raises(ValueError, match="expected uint8 pixels"):
        photo_from_image(image_of("RGB")).replace(wrong)


# --- writing ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", ["png", "jpg", "jpeg", "webp", "tif", "tiff", "PNG"])
@pytest.mark.parametrize("mode", MODES)
def test_every_mode_and_format_shows_the_result(tmp_path: Path, mode: str, suffix: str) -> None:
    source = image_of(mode)
    source.info |= {"exif": exif_block(1), "dpi": (300, 150)}
    photo = photo_from_image(source)
    result = photo.replace(edited(photo))
    path = tmp_path / "new" / "folder" / f"out.{suffix}"
    write_image(result, path, photo=photo)
    assert [p.name for p in path.parent.iterdir()] == [path.name]
    again = read_photo(path)
    with Image.open(path) as file:
        assert file.getexif()[MAKE] == "Camera"
        assert file.getexif().get_ifd(GPS_IFD)[1] == "N"
        if suffix != "webp":
            assert again.dpi == pytest.approx((300, 150), abs=0.1)
    exact = suffix in ("png", "tif", "tiff", "PNG")
    expected = photo_from_image(result).rgb
    if exact:
        assert np.array_equal(again.rgb, expected)
        if mode not in ("I", "F"):  # PNG makes them 16-bit
            assert np.array_equal(again.native, photo_from_image(result).native)
    elif photo.alpha is None and mode in ("L", "P", "RGB", "CMYK"):  # the others are noise
        assert np.abs(again.rgb.astype(int) - expected).mean() < 3
    if photo.alpha is None or suffix in ("jpg", "jpeg"):
        assert again.alpha is None
    else:
        assert again.alpha is not None and np.array_equal(again.alpha, photo.alpha)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("suffix", ["png", "jpg", "webp", "tif"])
def test_images_of_any_mode_can_be_written_without_a_photo(tmp_path: Path, mode: str, suffix: str) -> None:
    image = image_of(mode)
    before = image.tobytes()
    write_image(image, tmp_path / f"a.{suffix}")
    assert image.tobytes() == before
    if suffix in ("png", "tif"):
        assert np.array_equal(read_photo(tmp_path / f"a.{suffix}").rgb, photo_from_image(image).rgb)


def test_jpeg_is_444_and_good(tmp_path: Path) -> None:
    source = Image.fromarray(smooth())
    write_image(source, tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as file:
        layers: Any = file
        assert [layer[1:3] for layer in layers.layer] == [(1, 1)] * 3
        assert layers.quantization[0][0] == 2  # 16 at quality 50
    assert np.abs(read_photo(tmp_path / "a.jpg").rgb.astype(int) - smooth()).max() <= 6


@pytest.mark.parametrize("mode", ["LA", "RGBA"])
def test_jpeg_blends_alpha_with_white(tmp_path: Path, mode: str) -> None:
    pixels = np.full((64, 64, len(mode)), 100, np.uint8)
    for column, alpha in ((0, 0), (16, 51), (32, 255)):
        pixels[:, column:, -1] = alpha
    write_image(Image.fromarray(pixels), tmp_path / "a.jpg")
    result = read_photo(tmp_path / "a.jpg")
    assert np.abs(result.rgb[0, [4, 24, 60], 0].astype(int) - (255, 224, 100)).max() <= 3
    assert result.native.ndim == (2 if mode == "LA" else 3)


def test_webp_keeps_colours_under_transparent_pixels(tmp_path: Path) -> None:
    write_image(Image.fromarray(np.dstack((smooth(), np.zeros_like(smooth()[..., 0])))), tmp_path / "a.webp")
    assert np.abs(read_photo(tmp_path / "a.webp").rgb.astype(int) - smooth()).mean() < 3


def test_writing_uses_the_white_of_the_photo(tmp_path: Path) -> None:
    pixels = np.full((64, 64), 200, np.int32)
    pixels[5, 5] = 65535  # the only value that tells 16-bit from 8-bit grey, and the one that is changed
    photo = photo_from_image(Image.fromarray(pixels))
    write_image(photo.replace(np.ones_like(photo.rgb)), tmp_path / "a.png", photo=photo)
    result = np.array(Image.open(tmp_path / "a.png"))
    assert result[5, 5] == 257 and result[0, 0] == 200


def test_deep_grey_stays_deep_where_it_can(tmp_path: Path) -> None:
    for mode, suffix, expected in [
        ("I;16", "png", "I;16"),
        ("I;16", "tif", "I;16"),
        ("I;16", "jpg", "L"),
        ("I;16", "webp", "RGB"),
        ("I", "png", "I;16"),
        ("I", "tif", "I"),
        ("F", "png", "I;16"),
        ("F", "tif", "F"),
        ("F", "jpg", "L"),
    ]:
        photo = photo_from_image(image_of(mode))
        write_image(photo.replace(photo.rgb), tmp_path / f"{mode}.{suffix}", photo=photo)
        with Image.open(tmp_path / f"{mode}.{suffix}") as file:
            assert file.mode == expected
            if expected == mode or (mode, suffix) == ("I", "png"):
                assert np.array_equal(np.asarray(file), np.asarray(image_of(mode)))


def test_tiff_source_does_not_spoil_other_files(tmp_path: Path) -> None:
    # A TIFF's EXIF block holds the layout of its pixels, which in another file would be wrong.
    Image.fromarray(noise()).save(tmp_path / "a.tif", exif=exif_block(), compression="raw")
    photo = read_photo(tmp_path / "a.tif")
    grey = Image.fromarray(noise()[:70, :65, 0])
    for name in ("b.tif", "b.jpg", "b.png"):
        write_image(grey, tmp_path / name, photo=photo)
        again = read_photo(tmp_path / name)
        assert again.rgb.shape == (70, 65, 3) and again.native.ndim == 2
    with Image.open(tmp_path / "b.jpg") as file:
        assert not {256, 257, 258, 259, 262, 273, 277, 278, 279} & set(file.getexif())
        assert file.getexif()[MAKE] == "Camera"


def test_the_exif_thumbnail_is_dropped(tmp_path: Path) -> None:
    thumbnail = saved_bytes("JPEG")
    # A first directory at byte 8 with one tag, a second at 26 with two, and the thumbnail at 56.
    block = b"Exif\0\0MM\0*\0\0\0\x08" + struct.pack(">HHHIHHI", 1, ORIENTATION, 3, 1, 1, 0, 26)
    block += struct.pack(">HHHIIHHIII", 2, 0x0201, 4, 1, 56, 0x0202, 4, 1, len(thumbnail), 0) + thumbnail
    Image.fromarray(smooth()).save(tmp_path / "a.jpg", exif=block)
    with Image.open(tmp_path / "a.jpg") as file:
        assert 0x0201 in file.getexif().get_ifd(ExifTags.IFD.IFD1)  # the test's own file is sound
    photo = read_photo(tmp_path / "a.jpg")
    assert photo.exif is not None and thumbnail[:100] not in photo.exif and len(photo.exif) < 200


def test_exif_too_long_for_jpeg(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[MAKE] = "x" * 70000
    source = Image.fromarray(smooth())
    source.info["exif"] = exif.tobytes()
    photo = photo_from_image(source)
    with pytest.warns(UserWarning, match=r"b\.jpg: EXIF is left out"):
        write_image(source, tmp_path / "b.jpg", photo=photo)
    assert read_photo(tmp_path / "b.jpg").exif is None
    write_image(source, tmp_path / "b.png", photo=photo)
    assert read_photo(tmp_path / "b.png").exif == photo.exif


@pytest.mark.parametrize("dpi", [(0, 0), (float("nan"), 72), (1e9, 72), (72, 1e9), 72, "high", (72,)])
def test_senseless_dpi_is_dropped(tmp_path: Path, dpi: Any) -> None:
    source = Image.fromarray(smooth())
    source.info["dpi"] = dpi
    photo = photo_from_image(source)
    assert photo.dpi is None
    write_image(source, tmp_path / "a.jpg", photo=photo)


def test_check_output(tmp_path: Path) -> None:
    (tmp_path / "there.png").write_bytes(b"old")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "link.png").symlink_to(tmp_path / "nowhere.png")
    bad = {
        "a.gif": r"\.png, \.jpg, \.jpeg, \.webp, \.tif, \.tiff",
        "none": "no suffix",
        "there.png": "already exists",
        "link.png": "already exists",
        "folder.png": "is a folder",
        "there.png/sub/a.png": "is not a folder",
    }
    for name, message in bad.items():
        for call in (lambda path: check_output(path, False), lambda path: write_image(image_of("RGB"), path)):
            with pytest.raises(OutputError, match=message) as error:
                call(tmp_path / name)
            assert_one_line_naming(error, tmp_path / name)
    with pytest.raises(OutputError, match="is a folder"):
        check_output(tmp_path / "folder.png", True)
    assert (tmp_path / "there.png").read_bytes() == b"old"
    assert check_output(str(tmp_path / "there.png"), True) == tmp_path / "there.png"
    assert check_output(tmp_path / "new" / "deep" / "a.JPG", False) == tmp_path / "new" / "deep" / "a.JPG"
    assert not (tmp_path / "new").exists()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_folder_without_permission(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError, match="no permission"):
        check_output(tmp_path / "a.png", False)


def test_overwriting_only_if_allowed(tmp_path: Path) -> None:
    Image.fromarray(noise()).save(tmp_path / "a.png")
    before = (tmp_path / "a.png").read_bytes()
    photo = read_photo(tmp_path / "a.png")
    result = photo.replace(edited(photo))
    with pytest.raises(OutputError, match="already exists"):
        write_image(result, tmp_path / "a.png", photo=photo)
    assert (tmp_path / "a.png").read_bytes() == before
    write_image(result, tmp_path / "a.png", photo=photo, overwrite=True)
    assert np.array_equal(read_photo(tmp_path / "a.png").rgb, edited(photo))
    assert [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_a_file_made_during_writing_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.png"

    class Overtaken(Image.Image):
        def save(self, fp: Any, format: str | None = None, **params: Any) -> None:
            super().save(fp, format, **params)
            path.write_bytes(b"other")

    image = image_of("RGB")
    image.__class__ = Overtaken
    with pytest.raises(OutputError, match="already exists"):
        write_image(image, path)
    assert path.read_bytes() == b"other" and [p.name for p in tmp_path.iterdir()] == ["a.png"]


def test_failed_writing_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "a.webp"
    path.write_bytes(b"old")
    with pytest.raises(OutputError, match="cannot be written") as error:
        write_image(Image.new("RGB", (20000, 64)), path, overwrite=True)  # WebP ends at 16383
    assert_one_line_naming(error, path)
    assert path.read_bytes() == b"old" and [p.name for p in tmp_path.iterdir()] == ["a.webp"]


def test_results_get_the_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "usual").touch()
    write_image(image_of("RGB"), tmp_path / "a.png")
    assert (tmp_path / "a.png").stat().st_mode == (tmp_path / "usual").stat().st_mode
