"""Tests of writing results."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from amgan.errors import OutputError
from amgan.faces.output import check_output, write_image, write_whole
from amgan.faces.photo import photo_from_image, read_photo

from .pictures import GPS_IFD, MAKE, MODES, assert_one_line_naming, edited, exif_block, image_of, noise, smooth


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


def test_a_name_that_the_system_refuses_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        write_image(image_of("RGB"), tmp_path / f"{'x' * 300}.png")


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


def test_a_text_is_written_over_the_one_before_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "new" / "a.json"
    for text in ("1\n", "\N{GREEK SMALL LETTER ALPHA}\n"):
        write_whole(path, text)
        assert path.read_bytes() == text.encode() and [p.name for p in path.parent.iterdir()] == ["a.json"]
    with pytest.raises(OutputError, match="is a folder"):
        write_whole(tmp_path / "new", "2")
