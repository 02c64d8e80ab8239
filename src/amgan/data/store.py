"""A training set ready to crop from: every face aligned once, at the size that training wants.

`prepare` takes the faces of a dataset as they are, and detects and aligns every photo of a ``faces.csv``; it writes
into the store folder only, goes on where it was stopped, and leaves out photos without a face (it says which).
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from amgan.data.dataset import read_rows
from amgan.data.images import Images, Keeper, Keeping, Kind, curated_face, flush, kind_of, mapped
from amgan.data.table import Row
from amgan.errors import DatasetError, OutputError, PhotoError
from amgan.faces.align import align_face, at_side
from amgan.faces.detect import FaceDetector
from amgan.faces.photo import read_photo
from amgan.signs.atlas import Atlas

# What every part of the package works at, unless training asks for more.
SIZE = 1024
# Faces after which it is noted how far a store is.
SAVE_EVERY = 50


class Face(NamedTuple):
    """One aligned face.

    Attributes:
        rgb: (S, S, 3) uint8.
        landmarks: (478, 2) float32 in its pixels.
        side: Side of the aligned square in the photo, pixels of the photo; NaN if unknown.
    """

    rgb: npt.NDArray[np.uint8]
    landmarks: npt.NDArray[np.float32]
    side: float


@dataclass(frozen=True)
class Store:
    """Prepared faces.

    Attributes:
        folder: Where they are kept; what is computed from them may be kept beside them.
        rows: Their rows in the table.
        left_out: Names of the photos that cannot be read or have no usable face.
        images: N pictures (size, size, 3) uint8, FFHQ-aligned; in memory only while they are looked at.
        landmarks: (N, 478, 2) float32, aligned coordinates.
        size: Side of the pictures, pixels.
        sides: (N,) float32, side of each square in its photo, pixels of the photo; NaN where that is unknown.
    """

    folder: Path
    rows: list[Row]
    left_out: list[str]
    images: Images
    landmarks: npt.NDArray[np.float32]
    size: int
    sides: npt.NDArray[np.float32]

    def subset(self, keep: Callable[[Row], bool]) -> npt.NDArray[np.int64]:
        """Indices of the rows for which `keep` is true."""
        return np.array([index for index, row in enumerate(self.rows) if keep(row)], np.int64)

    def passed_over(self) -> str:
        """A line on the photos that are in no picture, "" if there are none."""
        if not self.left_out:
            return ""
        again = f"mend them, delete {self.folder} and give the command again to have them looked at anew"
        return f"left out, unreadable or without a face: {', '.join(self.left_out)}; {again}"

    def enlarged(self) -> str:
        """A line on the faces that are smaller in their photos than they are kept, "" if there are none."""
        small = self.sides[self.sides < self.size]
        if not len(small):
            return ""
        half = f"half of those are at most {np.median(small):.0f} px there"
        return f"{len(small)} of {len(self.rows)} faces are enlarged to {self.size} px; {half}"


def prepare(
    data: Path,
    folder: Path,
    atlas: Atlas,
    progress: Callable[[Iterable[Row]], Iterable[Row]] = iter,
    size: int = SIZE,
    images: Keeping = "auto",
) -> Store:
    """Builds or reopens a store.

    Args:
        data: A dataset of `amgan curate`, or a folder with ``faces.csv`` and its photos; only read.
        folder: Where stores are kept, one folder a data set, zones, size and way of keeping.
        atlas: Signs to read.
        progress: Wraps the rows, to show a progress bar.
        size: Side of the aligned faces, pixels. Smaller faces are enlarged (`Store.enlarged`).
        images: How they are kept; the pictures are the same.

    Returns:
        The store; photos without a usable face are in `left_out` alone.

    Raises:
        DatasetError: The table, an aligned face of a dataset, or what was prepared before is unusable.
        OutputError: The folder cannot be written, or the disk has no room for the faces.
    """
    rows = read_rows(data, atlas)
    kind = kind_of(images, len(rows), size)
    # Another set, or other zones, get a folder of their own: nothing that a running training reads is overwritten.
    folder = folder / store_key(data, rows, atlas, size, kind)
    try:
        return _filled(folder, kind, rows, size, progress)
    except OSError as error:
        fix = "what was prepared stays; make room or choose another place, and give the command again"
        raise OutputError(f"{folder}: cannot be written ({error.strerror or error}); {fix}") from error


def _filled(
    folder: Path, kind: Kind, rows: list[Row], size: int, progress: Callable[[Iterable[Row]], Iterable[Row]]
) -> Store:
    """The store of a folder, with the faces that are not in it yet."""
    folder.mkdir(parents=True, exist_ok=True)
    state = folder / "state.json"
    found = _looked_at(state)
    unread = rows[len(found) :]
    keeper = Keeper(folder, kind, len(rows), size, len(unread))
    landmarks = mapped(folder / "landmarks.npy", (len(rows), 478, 2), np.float32, not unread)
    sides = _sides(folder / "sides.npy", len(rows), not unread)

    if unread:
        with contextlib.ExitStack() as stack:
            look: Callable[[Row], Face | None] = functools.partial(_cut_out_already, size)
            if any(row.aligned is None for row in unread):
                look = functools.partial(_found, stack.enter_context(FaceDetector()), size)
            place = sum(found)
            for row in progress(unread):
                face = look(row)
                if face is not None:
                    # Stored without gaps, so that the pictures stay mapped when a photo is left out.
                    landmarks[place], sides[place] = face.landmarks, face.side
                    if kind == "raw" or _elsewhere(row, size) is None:
                        keeper.write(place, face.rgb)
                    place += 1
                found.append(face is not None)
                if len(found) % SAVE_EVERY == 0 or len(found) == len(rows):
                    keeper.flush()
                    flush(landmarks)
                    flush(sides)
                    # Two runs may fill one folder, with the same; each renames its own.
                    aside = state.with_suffix(f".{secrets.token_hex(4)}.part")
                    aside.write_text(json.dumps(found))
                    aside.replace(state)
    count = sum(found)
    kept = [row for row, has_face in zip(rows, found, strict=True) if has_face]
    left_out = [row.name for row, has_face in zip(rows, found, strict=True) if not has_face]
    pictures = keeper.images([_elsewhere(row, size) for row in kept])
    return Store(folder, kept, left_out, pictures, landmarks[:count], size, np.array(sides[:count]))


def _looked_at(state: Path) -> list[bool]:
    """Which rows have been looked at, and whether a face was in each."""
    try:
        found = json.loads(state.read_text()) if state.is_file() else []
    except ValueError:
        found = None
    if not isinstance(found, list):
        raise DatasetError(f"{state}: damaged; delete {state.parent} and give the command again")
    return found


def _sides(path: Path, count: int, done: bool) -> npt.NDArray[np.float32]:
    """Sides of the squares in their photos; unknown in stores from before they were written down."""
    if done and not path.is_file():
        return np.full(count, np.nan, np.float32)
    return mapped(path, (count,), np.float32, done)


def _elsewhere(row: Row, size: int) -> Path | None:
    """The file of a dataset that is the aligned face of this size already."""
    return row.path if row.aligned is not None and row.aligned.size == size else None


def licence_notice(store: Store, rows: npt.NDArray[np.int64]) -> str:
    """One line on the licences of the photos a model learned from; it goes with the model."""
    names = sorted({store.rows[i].licence for i in rows if store.rows[i].licence})
    # Of those that forbid commercial use, one that demands the same of what is made from it goes before.
    restrictive = sorted((name for name in names if _says(name, "NC")), key=lambda name: not _says(name, "SA"))
    if restrictive:
        return f"Weights under {restrictive[0]} (trained on photos under {', '.join(names)})."
    return f"Weights trained on photos under {', '.join(names) or 'no stated licence'}."


def licences_in(notice: str) -> set[str]:
    """The licences of photos that `licence_notice` named, also of a model that went on from another.

    Example:
        >>> sorted(licences_in("Weights under Apache-2.0 (trained on photos under CC BY 4.0, CC0 1.0)."))
        ['CC BY 4.0', 'CC0 1.0']
    """
    found = re.findall(r"trained on photos under (.+?)\)?\.(?=\s|$)", notice)
    return {name for names in found for name in names.split(", ")}


def _says(licence: str, term: str) -> bool:
    """Whether a licence's name, however it is written, has a term of Creative Commons, such as NC."""
    return term in re.split(r"[^A-Z0-9]+", licence.upper())


def store_key(data: Path, rows: Iterable[Row], atlas: Atlas, size: int = SIZE, kind: Kind = "raw") -> str:
    """Name of the folder of a store: another one for other photos, faces, sizes and ways of keeping, and other zones.

    Args:
        data: The set.
        rows: Its rows.
        atlas: The zones.
        size: Side of its pictures, pixels.
        kind: How they are kept.
    """
    rows = list(rows)
    key: dict[str, Any] = {
        "data": str(data.resolve()),
        "names": [row.name for row in rows],
        "zones": {zone: atlas.polygons(zone) for zone in atlas.zones},
    }
    # Photos beside a faces.csv are taken not to change, and stores of them to stay; a dataset is curated anew at will.
    if faces := [(row.path.name, row.aligned.size, row.aligned.digest) for row in rows if row.aligned is not None]:
        key["faces"] = faces
    # Left out where they are what they were before they could be chosen.
    if size != SIZE:
        key["size"] = size
    if kind != "raw":
        key["images"] = kind
    return hashlib.sha256(json.dumps(key).encode()).hexdigest()[:12]


def _found(detector: FaceDetector, size: int, row: Row) -> Face | None:
    """The largest face of a photo, aligned; None if there is none or the photo cannot be read."""
    try:
        rgb = read_photo(row.path).rgb
    except PhotoError:
        return None
    faces = detector.detect(rgb)
    if not faces:
        return None
    alignment = align_face(faces[0].landmarks, size)
    return Face(alignment.crop(rgb), alignment.to_aligned(faces[0].landmarks), alignment.scale * size)


def _cut_out_already(size: int, row: Row) -> Face:
    """The face of a dataset, at `size`."""
    assert row.aligned is not None
    rgb = at_side(curated_face(row), size)
    return Face(rgb, row.aligned.landmarks_at(size), min(row.aligned.side, row.aligned.size))
