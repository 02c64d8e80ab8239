"""How the pictures of a store are kept: decoded in one mapped array, or as lossless files."""

from __future__ import annotations

import io
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
import numpy.typing as npt
from PIL import Image

from amgan.data.table import Row
from amgan.errors import DatasetError, OutputError, PhotoError, in_one_line
from amgan.faces.photo import read_photo

# "raw" takes 3 bytes a pixel of the disk and nothing of the memory that the system would not give back: what is read is
# mapped, shared by all processes, and only the rows of a patch are touched. "webp" takes a quarter of the disk, and a
# picture has to be decoded for a patch of it. "auto" is "raw" as long as that is small.
Kind = Literal["raw", "webp"]
Keeping = Literal["auto", "raw", "webp"]
RAW_LIMIT = 64 * 2**30

Picture = npt.NDArray[np.uint8]


class Images(Protocol):
    """Aligned faces by their place in the store."""

    def __len__(self) -> int: ...

    def __getitem__(self, index: int, /) -> Picture:
        """(S, S, 3) uint8, not to be written to."""
        ...


class ImageFiles:
    """Faces in a file each, decoded anew whenever they are asked for.

    Args:
        paths: Files of the store, or faces of a dataset that are of its size.
        size: Side S that each has, pixels.
        folder: The store's.
    """

    def __init__(self, paths: Sequence[Path], size: int, folder: Path) -> None:
        self.paths, self.size, self.folder = paths, size, folder

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, index: int, /) -> Picture:
        """Decodes one face.

        Raises:
            DatasetError: The file is gone, damaged or of another size.
        """
        path = self.paths[index]
        try:
            rgb = read_photo(path).rgb
        except PhotoError as error:
            raise DatasetError(f"{error}; it was whole when the faces were prepared: {self._anew(path)}") from error
        if rgb.shape != (self.size, self.size, 3):
            raise DatasetError(f"{path}: no longer {self.size}x{self.size}: {self._anew(path)}")
        return rgb

    def _anew(self, path: Path) -> str:
        if path.parent == self.folder:
            return f"delete {self.folder} and give the command again, which prepares them anew"
        return "delete it and curate again"


def curated_face(row: Row) -> Picture:
    """The picture of a face that curation has cut out.

    Args:
        row: Of a dataset.

    Raises:
        DatasetError: The file is gone, damaged or of another size than the table says.
    """
    assert row.aligned is not None
    try:
        rgb = read_photo(row.path).rgb
    except PhotoError as error:
        raise DatasetError(f"{error}; it is a face of the dataset: delete it and curate again") from error
    side = row.aligned.size
    if rgb.shape != (side, side, 3):
        height, width = rgb.shape[:2]
        raise DatasetError(f"{row.path}: is {width}x{height}, by the table {side}x{side}; delete it and curate again")
    return rgb


def kind_of(keeping: Keeping, count: int, size: int) -> Kind:
    """How so many faces are kept.

    Args:
        keeping: What was asked for.
        count: Faces.
        size: Their side, pixels.
    """
    if keeping != "auto":
        return keeping
    return "raw" if count * size**2 * 3 <= RAW_LIMIT else "webp"


def mapped(
    path: Path, shape: tuple[int, ...], dtype: npt.DTypeLike, done: bool, anew: Path | None = None
) -> npt.NDArray[Any]:
    """An array in a file, mapped into memory.

    Args:
        path: The file.
        shape: The array's.
        dtype: The array's.
        done: Whether it is only to be read; else it is to be written, and made if it is missing.
        anew: What has to go for it to be made anew, if it is damaged; None for its folder.

    Raises:
        DatasetError: The file is cut off or another, or is missing though `done`.
    """
    if not done and not path.is_file():
        return np.lib.format.open_memmap(path, "w+", dtype, shape)
    try:
        # To be read at first: opened to be written, a file that is cut off would be filled up with zeros.
        found = np.lib.format.open_memmap(path, "r")
        fault = "" if (found.shape, found.dtype) == (shape, dtype) else f"holds {found.dtype}, {found.shape}"
    except (ValueError, EOFError, FileNotFoundError) as error:
        fault = in_one_line(error)
    if fault:
        raise DatasetError(f"{path}: damaged ({fault}); delete {anew or path.parent} and give the command again")
    return found if done else np.lib.format.open_memmap(path, "r+")


def flush(array: npt.NDArray[Any]) -> None:
    """Brings to the disk what was written to a mapped array."""
    if isinstance(array, np.memmap):
        array.flush()


class Keeper:
    """Writes the pictures of a store one after the other.

    Args:
        folder: The store's.
        kind: How they are kept.
        count: How many there may be.
        size: Their side, pixels.
        left: How many of them may still come; 0 only reads.

    Raises:
        OutputError: The disk has no room for them.
    """

    def __init__(self, folder: Path, kind: Kind, count: int, size: int, left: int) -> None:
        self.folder, self.kind, self.size = folder, kind, size
        self._raw: Picture | None = None
        if kind == "raw":
            # Beyond the end of the disk a mapped array would end the process without a word.
            wanted, free = left * size**2 * 3, shutil.disk_usage(folder).free
            if wanted > free:
                sizes = f"{wanted / 2**30:.1f} GiB for {left} faces of {size} px, and {free / 2**30:.1f} GiB are free"
                raise OutputError(f"{folder}: wants {sizes}; --set images=webp takes about a quarter")
            self._raw = mapped(folder / "images.npy", (count, size, size, 3), np.uint8, not left)

    def path(self, place: int) -> Path:
        """The file of one picture."""
        return self.folder / f"{place:06d}.webp"

    def write(self, place: int, rgb: Picture) -> None:
        """Keeps a picture (S, S, 3) at its place."""
        if self._raw is not None:
            self._raw[place] = rgb
        else:
            self.path(place).write_bytes(packed(rgb))

    def flush(self) -> None:
        """Brings to the disk what was written."""
        if self._raw is not None:
            flush(self._raw)

    def images(self, elsewhere: Sequence[Path | None]) -> Images:
        """What was written.

        Args:
            elsewhere: For each picture the file that holds it already, if one does.
        """
        if self._raw is not None:
            return self._raw[: len(elsewhere)]
        return ImageFiles([path or self.path(place) for place, path in enumerate(elsewhere)], self.size, self.folder)


def packed(rgb: Picture) -> bytes:
    """A picture as a lossless WebP; the fastest setting is a tenth larger than the slowest."""
    file = io.BytesIO()
    Image.fromarray(rgb).save(file, "WEBP", lossless=True, method=0, quality=0)
    return file.getvalue()
