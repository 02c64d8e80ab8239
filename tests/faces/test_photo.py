"""Tests of reading photos and of putting changed pixels back."""

import struct
import warnings
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps, features

from amgan.errors import PhotoError
from amgan.faces.output import write_image
from amgan.faces.photo import MIN_SIDE, photo_from_image, read_photo

from .pictures import (
    CHANGED,
    EXIF_IFD,
    GPS_IFD,
    HEIGHT,
    MAKE,
    MODES,
    ORIENTATION,
    WIDTH,
    assert_one_line_naming,
    edited,
    exif_block,
    image_of,
    noise,
    saved_bytes,
    smooth,
    unchanged,
)

RESULT_MODES = {"L": "L", "LA": "LA", "I;16": "I;16", "I;16B": "I;16", "I": "I", "F": "F"}
RESULT_MODES |= {mode: "RGBA" for mode in ("RGBA", "P;transparent", "PA", "RGBa")}


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


@pytest.mark.parametrize("name", ["a.png", "a.tiff"])
@pytest.mark.parametrize("channels", [3, 4])
def test_16_bit_colours_that_become_8_bit_are_warned_of(tmp_path: Path, name: str, channels: int) -> None:
    path = tmp_path / name
    cv2.imwrite(str(path), noise(0, channels).astype(np.uint16) * 257)
    with pytest.warns(UserWarning, match=rf"{name}: its 16-bit colours"):
        assert read_photo(path).native.dtype == np.uint8


@pytest.mark.filterwarnings("error")
def test_colours_of_16_bits_together_are_not_warned_of(tmp_path: Path) -> None:
    side, masks = 64, (0xF800, 0x07E0, 0x001F)
    head = struct.pack("<IiiHHIIiiII3I", 40, side, side, 1, 16, 3, 2 * side * side, 0, 0, 0, 0, *masks)
    start = struct.pack("<2sIHHI", b"BM", 14 + len(head) + 2 * side * side, 0, 0, 14 + len(head))
    (tmp_path / "a.bmp").write_bytes(start + head + struct.pack("<H", masks[0]) * side * side)
    assert (read_photo(tmp_path / "a.bmp").rgb == (255, 0, 0)).all()


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
        # And no size of the picture as it lay, if it lay otherwise.
        size = {} if orientation > 4 else {0xA002: WIDTH, 0xA003: HEIGHT}
        assert exif.get_ifd(EXIF_IFD) == {0x9003: "2020:01:02 03:04:05", **size}
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


@pytest.mark.parametrize("dpi", [(0, 0), (float("nan"), 72), (1e9, 72), (72, 1e9), 72, "high", (72,)])
def test_senseless_dpi_is_dropped(tmp_path: Path, dpi: Any) -> None:
    source = Image.fromarray(smooth())
    source.info["dpi"] = dpi
    photo = photo_from_image(source)
    assert photo.dpi is None
    write_image(source, tmp_path / "a.jpg", photo=photo)


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


def test_the_smallest_photo() -> None:
    assert photo_from_image(Image.new("RGB", (MIN_SIDE, MIN_SIDE))).rgb.shape == (MIN_SIDE, MIN_SIDE, 3)


@pytest.mark.parametrize(
    "wrong",
    [np.zeros((HEIGHT, WIDTH), np.uint8), np.zeros((HEIGHT, WIDTH, 3), np.float32), np.zeros((9, 9, 3), np.uint8)],
)
def test_replace_refuses_other_shapes_and_types(wrong: Any) -> None:
    with pytest.raises(ValueError, match="expected uint8 pixels"):
        photo_from_image(image_of("RGB")).replace(wrong)
