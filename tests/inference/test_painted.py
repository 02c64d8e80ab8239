import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import ExifTags, Image

from amgan.errors import RequestError
from amgan.inference.painted import read_painted, upright


def png(side: int) -> bytes:
    file = io.BytesIO()
    Image.effect_noise((side, side), 80).convert("LA").save(file, "PNG")
    return file.getvalue()


def claims(side: int) -> bytes:
    """A small PNG whose header says that it is so large."""
    header = b"IHDR" + struct.pack(">2I5B", side, side, 8, 0, 0, 0, 0)
    return png(8)[:12] + header + struct.pack(">I", zlib.crc32(header)) + png(8)[33:]


SMALL = png(8)
FAULTS = {
    "nothing": (b"", "not a"),
    "chunk": (SMALL[:33] + b"\0\0\0\5" + SMALL[37:], "not a"),  # of which Pillow makes a SyntaxError
    "cut": (SMALL[:-40], "not a"),
    "bomb": (claims(20_000), "too many pixels"),
}


@pytest.mark.parametrize("as_file", [True, False])
@pytest.mark.parametrize(("content", "said"), FAULTS.values(), ids=FAULTS)
def test_a_damaged_map_is_one_line(tmp_path: Path, content: bytes, said: str, as_file: bool) -> None:
    path = tmp_path / "map.png"
    path.write_bytes(content)
    with pytest.raises(RequestError, match=rf"^the map: .*{said}") as caught:
        read_painted(path if as_file else content, "the map")
    assert "\n" not in str(caught.value)


def test_a_file_may_be_of_any_format_and_bytes_are_a_png(tmp_path: Path) -> None:
    picture = Image.open(io.BytesIO(SMALL))
    for suffix in (".png", ".webp"):
        picture.save(tmp_path / f"map{suffix}", lossless=True)
    read = read_painted(tmp_path / "map.png", "map")
    assert read.mode == "LA" and np.array_equal(read, picture)
    assert read_painted(tmp_path / "map.webp", "map").size == (8, 8)
    with pytest.raises(RequestError, match="map: not a PNG"):
        read_painted((tmp_path / "map.webp").read_bytes(), "map")


def test_what_is_not_there_or_too_large(tmp_path: Path) -> None:
    with pytest.raises(RequestError, match=r"x\.png: no such file"):
        read_painted(tmp_path / "x.png", "x.png")
    with pytest.raises(RequestError, match="not a picture"):
        read_painted(tmp_path, "folder")
    # It is found out by the header alone: this one has no such pixels.
    with pytest.raises(RequestError, match="larger than 16 pixels"):
        read_painted(claims(17), "map", largest=16)
    assert read_painted(SMALL, "map", largest=8).size == (8, 8)


def turned(picture: Image.Image, path: Path) -> Image.Image:
    """A file that is stored lying on its side; returns it as it is opened."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    picture.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif)
    return Image.open(path)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif"])
def test_a_map_is_read_upright(tmp_path: Path, suffix: str) -> None:
    picture = Image.linear_gradient("L").resize((64, 96)).convert("RGB")
    path = tmp_path / f"map{suffix}"
    opened = turned(picture, path)
    read = read_painted(path, "map")
    assert read.size == picture.size and np.abs(np.asarray(read).astype(int) - picture).max() <= 8
    assert np.array_equal(upright(opened), read) and np.array_equal(upright(upright(opened)), read)


def test_damaged_exif_is_no_reason_to_refuse_a_map() -> None:
    file = io.BytesIO()
    Image.new("L", (8, 8)).save(file, "PNG", exif=b"Exif\0\0nothing of the kind")
    assert read_painted(file.getvalue(), "map").size == (8, 8)
