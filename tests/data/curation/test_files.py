import errno
import os
from pathlib import Path

import pytest

from amgan.data.curation.files import aligned_name, open_destination, photo_files
from amgan.errors import DatasetError, OutputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("b.png", "a.JPG", "sub/c.webp", "sub/deep/d.tiff", "notes.txt"):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * len(name))
    return tmp_path / "photos"


def test_photos_come_in_one_order_with_slashes(folder: Path) -> None:
    found = list(photo_files(folder))
    assert [file.name for file in found] == ["a.JPG", "b.png", "sub/c.webp", "sub/deep/d.tiff"]
    assert found[2].bytes == len("sub/c.webp") and found[2].modified_ns == (folder / "sub/c.webp").stat().st_mtime_ns


def test_links_to_files_are_files_and_none_leads_round_in_circles(folder: Path) -> None:
    outside = folder.parent / "outside.png"
    outside.write_bytes(b"x")
    (folder / "out.png").symlink_to(outside)
    (folder / "in.png").symlink_to(folder / "b.png")
    (folder / "nowhere.png").symlink_to(folder / "absent.png")
    (folder / "itself.png").symlink_to(folder / "itself.png")
    (folder / "sub" / "circle").symlink_to(folder)
    faults = {file.name: file.error for file in photo_files(folder)}
    names = ["a.JPG", "b.png", "in.png", "itself.png", "nowhere.png", "out.png", "sub/c.webp", "sub/deep/d.tiff"]
    assert list(faults) == names
    assert faults["nowhere.png"] == "is a link that leads nowhere" and faults["itself.png"].startswith("cannot be read")
    assert not any(fault for name, fault in faults.items() if name not in ("nowhere.png", "itself.png"))


def test_a_name_that_is_no_text_is_a_row_with_a_reason(folder: Path) -> None:
    try:
        Path(os.fsdecode(os.fsencode(folder) + b"/bad\xff.png")).write_bytes(b"x")
    except OSError:
        pytest.skip("this file system has no such names")
    (odd,) = [file for file in photo_files(folder) if file.error]
    assert odd.name.encode() and "rename" in odd.error


def test_aligned_names_differ_and_are_short_and_plain() -> None:
    names = ["a/b.jpg", "a-b.jpg", "a/b.png", "a_b.jpg", "a/b", "ä/b.jpg", "x" * 300 + ".png", "../<i>.png", "é.png"]
    made = [aligned_name(name, "png") for name in names]
    assert len({name.lower() for name in made}) == len(names)
    assert all(len(name) < 200 and name.isascii() and not set("/<>") & set(name) and name[0] != "." for name in made)
    assert made[0].startswith("a-b-") and aligned_name("a/b.jpg", "jpg").endswith(".jpg")


@pytest.mark.parametrize("place", [".", "sub/results", "..", "sub"])
def test_source_and_destination_must_not_lie_in_each_other(folder: Path, place: str) -> None:
    with pytest.raises(OutputError, match="DST"):
        open_destination(folder, folder / place, 256, "png")
    assert sorted(path.name for path in folder.iterdir()) == ["a.JPG", "b.png", "notes.txt", "sub"]


def test_a_link_into_the_source_is_no_destination(folder: Path) -> None:
    (folder.parent / "link").symlink_to(folder / "sub")
    with pytest.raises(OutputError, match="DST"):
        open_destination(folder, folder.parent / "link", 256, "png")


def test_a_destination_belongs_to_one_source_and_its_settings(folder: Path, tmp_path: Path) -> None:
    open_destination(folder, tmp_path / "out", 256, "png")
    open_destination(folder, tmp_path / "out", 256, "png")
    with pytest.raises(OutputError, match="size 256"):
        open_destination(folder, tmp_path / "out", 512, "png")
    with pytest.raises(OutputError, match="images png"):
        open_destination(folder, tmp_path / "out", 256, "jpg")
    with pytest.raises(OutputError, match="source"):
        other = tmp_path / "others"
        other.mkdir()
        open_destination(other, tmp_path / "out", 256, "png")


def test_a_folder_of_something_else_is_left_alone(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "faces.parquet").write_text("precious")
    with pytest.raises(OutputError, match="mine"):
        open_destination(folder, tmp_path / "mine", 256, "png")
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match="file"):
        open_destination(folder, tmp_path / "file", 256, "png")
    with pytest.raises(DatasetError, match="absent"):
        open_destination(folder / "absent", tmp_path / "out", 256, "png")


class Broken:
    """An entry of a folder whose disk does not answer."""

    def __init__(self, entry: os.DirEntry[str]) -> None:
        self.name, self.path = entry.name, entry.path
        self.is_dir, self.is_file, self.is_symlink = entry.is_dir, entry.is_file, entry.is_symlink

    def stat(self) -> None:
        raise OSError(errno.EIO, "Input/output error")


def test_a_photo_on_a_broken_disk_is_found_with_its_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.jpg").touch()
    listed = [Broken(entry) for entry in os.scandir(tmp_path)]
    monkeypatch.setattr("amgan.data.curation.files.os.scandir", lambda folder: listed)
    (found,) = photo_files(tmp_path)
    assert found.name == "a.jpg" and found.error == "cannot be read (Input/output error)"
