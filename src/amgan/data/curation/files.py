"""Which photos there are, where results go, and what must not be touched."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from amgan.errors import DatasetError, OutputError

SUFFIXES = (".jpg", ".jpeg", ".jfif", ".png", ".gif", ".webp", ".tif", ".tiff", ".bmp", ".avif", ".heic", ".heif")
ImageFormat = Literal["png", "jpg"]
# Raised when what is measured changes, so that old rows are not mixed with new ones.
_VERSION = 1


@dataclass(frozen=True)
class PhotoFile:
    """One file of SRC.

    Attributes:
        name: Path inside SRC, with slashes.
        bytes: Size.
        modified_ns: Time of the last change, nanoseconds.
        error: Why it cannot even be named, "" if it can.
    """

    name: str
    bytes: int
    modified_ns: int
    error: str = ""


def photo_files(source: Path) -> Iterator[PhotoFile]:
    """All photos below a folder, by suffix, always in the same order.

    Links to folders are not entered (they may go round in circles); links to files are files.

    Raises:
        DatasetError: A folder cannot be listed.
    """
    root = source.resolve()
    folders = [root]
    while folders:
        folder = folders.pop()
        try:
            entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
        except OSError as error:
            raise DatasetError(f"{folder}: cannot be listed ({error.strerror}); check its permissions") from error
        # The stack gives them back from its end.
        folders += [Path(entry.path) for entry in reversed(entries) if entry.is_dir(follow_symlinks=False)]
        for entry in entries:
            path = Path(entry.path)
            if path.suffix.lower() not in SUFFIXES or not _is_photo(entry):
                continue
            name, fault, size, modified_ns = path.relative_to(root).as_posix(), "", 0, 0
            try:
                status = entry.stat()
                size, modified_ns = status.st_size, status.st_mtime_ns
            except FileNotFoundError:
                if not entry.is_symlink():
                    continue  # taken away in this moment
                fault = "is a link that leads nowhere"
            except OSError as error:  # a broken disk, a share that went away, or a link to itself
                fault = f"cannot be read ({error.strerror})"
            if not _is_text(name):
                # As the table could not hold it, escaped; then there is no such file to open.
                name = name.encode("utf-8", "backslashreplace").decode("utf-8")
                fault = "its name is not UTF-8; rename it"
            yield PhotoFile(name, size, modified_ns, fault)


def _is_photo(entry: os.DirEntry[str]) -> bool:
    """Whether it is a file, or a link that leads nowhere or to itself: a photo that somebody misses."""
    path = Path(entry.path)
    return (entry.is_symlink() and not path.exists()) or path.is_file()


def _is_text(name: str) -> bool:
    try:
        name.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def aligned_name(name: str, image_format: ImageFormat) -> str:
    """File name of a photo's aligned face: readable, and another for every photo, whatever its folders are called."""
    readable = re.sub(r"[^\w.-]+", "_", name.rpartition(".")[0].replace("/", "-"), flags=re.ASCII)
    # File names may have 255 bytes; the end says more than the folders at the beginning.
    return f"{readable[-150:].lstrip('.-')}-{hashlib.sha256(name.encode()).hexdigest()[:10]}.{image_format}"


@dataclass(frozen=True)
class Destination:
    """A folder of results.

    Attributes:
        folder: DST.
        size: Side of its aligned faces, pixels.
        image_format: Of its aligned faces.
    """

    folder: Path
    size: int
    image_format: ImageFormat

    @property
    def parts(self) -> Path:
        """Folder of the shards."""
        return self.folder / "parts"

    @property
    def aligned(self) -> Path:
        """Folder of the aligned faces."""
        return self.folder / "aligned"

    @property
    def table(self) -> Path:
        """The final table."""
        return self.folder / "faces.parquet"

    @property
    def report(self) -> Path:
        """The report."""
        return self.folder / "report.html"


def open_destination(source: Path, folder: Path, size: int, image_format: ImageFormat) -> Destination:
    """Makes a folder of results or reopens the one of an earlier run.

    Raises:
        DatasetError: SRC is no folder.
        OutputError: DST and SRC lie in each other, DST belongs to something else or to other settings, or cannot be
            written.
    """
    if not source.is_dir():
        raise DatasetError(f"{source}: no such folder; SRC is a folder of photos")
    root, target = source.resolve(), folder.resolve()
    if target.is_relative_to(root) or root.is_relative_to(target):
        raise OutputError(f"{folder}: SRC and DST must not lie in each other; choose a DST outside of {source}")
    state = folder / "curation.json"
    wanted = {"version": _VERSION, "source": str(root), "size": size, "images": image_format}
    try:
        if folder.is_dir() and any(folder.iterdir()):
            _check_state(state, wanted)
        folder.mkdir(parents=True, exist_ok=True)
        aside = state.with_name(state.name + ".part")
        aside.write_text(json.dumps(wanted, indent=1), encoding="utf-8")
        aside.replace(state)
        (folder / "aligned").mkdir(exist_ok=True)
        for left_over in (folder / "aligned").glob("*.part"):
            left_over.unlink()
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror}); choose another DST") from error
    return Destination(folder, size, image_format)


def _check_state(state: Path, wanted: dict[str, object]) -> None:
    """Refuses a folder that holds something else than what is `wanted`."""
    # A run that was killed at its very start leaves no more than this.
    if not state.is_file() and [path.name for path in state.parent.iterdir()] == [state.name + ".part"]:
        return
    try:
        found = json.loads(state.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError) as error:
        raise OutputError(f"{state.parent}: is not empty and not of `amgan curate`; choose another DST") from error
    if not isinstance(found, dict):
        found = {}
    if different := [key for key, value in wanted.items() if found.get(key) != value]:
        key = different[0]
        was = found.get(key)
        raise OutputError(
            f"{state.parent}: was made with {key} {was}, not {wanted[key]}; ask for that or choose another DST"
        )
