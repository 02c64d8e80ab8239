"""A training set ready to crop from: aligned faces decoded once into a memory-mapped array.

`prepare` takes the faces of a dataset as they are, and detects and aligns every photo of a ``faces.csv``; it writes
into the store folder only, goes on where it was stopped, and leaves out photos without a face (it says which).
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from amgan.data.dataset import read_rows
from amgan.data.table import Row
from amgan.errors import DatasetError, PhotoError
from amgan.faces.align import align_face
from amgan.faces.detect import FaceDetector
from amgan.faces.photo import read_photo
from amgan.signs.atlas import Atlas

SIZE = 1024
# An aligned picture (SIZE, SIZE, 3) uint8 and its landmarks (478, 2) float32.
Face = tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]


@dataclass(frozen=True)
class Store:
    """Prepared faces.

    Attributes:
        folder: Where they are kept; what is computed from them may be kept beside them.
        rows: Their rows in the table.
        left_out: Names of the photos that cannot be read or have no usable face.
        images: (N, 1024, 1024, 3) uint8, memory-mapped, FFHQ-aligned.
        landmarks: (N, 478, 2) float32, aligned coordinates.
    """

    folder: Path
    rows: list[Row]
    left_out: list[str]
    images: npt.NDArray[np.uint8]
    landmarks: npt.NDArray[np.float32]

    def subset(self, keep: Callable[[Row], bool]) -> npt.NDArray[np.int64]:
        """Indices of the rows for which `keep` is true."""
        return np.array([index for index, row in enumerate(self.rows) if keep(row)], np.int64)


def prepare(data: Path, folder: Path, atlas: Atlas, progress: Callable[[Iterable[Row]], Iterable[Row]] = iter) -> Store:
    """Builds or reopens a store.

    Args:
        data: A dataset of `amgan curate`, or a folder with ``faces.csv`` and its photos; only read.
        folder: Where stores are kept, one folder a data set and zones.
        atlas: Zones to crop and signs to read.
        progress: Wraps the rows, to show a progress bar.

    Returns:
        The store; photos without a usable face are in `left_out` alone.

    Raises:
        DatasetError: The table, or an aligned face of a dataset, is unusable.
    """
    rows = read_rows(data, atlas)
    # Another set, or other zones, get a folder of their own: nothing that a running training reads is overwritten.
    folder = folder / store_key(data, rows, atlas)
    folder.mkdir(parents=True, exist_ok=True)
    shapes: dict[str, tuple[tuple[int, ...], type]] = {
        "images": ((len(rows), SIZE, SIZE, 3), np.uint8),
        "landmarks": ((len(rows), 478, 2), np.float32),
    }
    state = folder / "state.json"
    found: list[bool] = json.loads(state.read_text()) if state.is_file() else []
    mode = "r+" if state.is_file() else "w+"
    arrays = {
        name: np.lib.format.open_memmap(folder / f"{name}.npy", mode, dtype, shape)
        for name, (shape, dtype) in shapes.items()
    }

    if unread := rows[len(found) :]:
        with contextlib.ExitStack() as stack:
            look: Callable[[Row], Face | None] = _cut_out_already
            if any(row.aligned is None for row in unread):
                look = functools.partial(_found, stack.enter_context(FaceDetector()))
            place = sum(found)
            for row in progress(unread):
                face = look(row)
                if face is not None:
                    # Stored without gaps, so that the pictures stay mapped when a photo is left out.
                    arrays["images"][place], arrays["landmarks"][place] = face
                    place += 1
                found.append(face is not None)
                if len(found) % 50 == 0 or len(found) == len(rows):
                    for array in arrays.values():
                        array.flush()
                    aside = state.with_suffix(".part")
                    aside.write_text(json.dumps(found))
                    aside.replace(state)
    count = sum(found)
    kept = [row for row, has_face in zip(rows, found, strict=True) if has_face]
    left_out = [row.name for row, has_face in zip(rows, found, strict=True) if not has_face]
    return Store(folder, kept, left_out, arrays["images"][:count], np.array(arrays["landmarks"][:count]))


def licence_notice(store: Store, rows: npt.NDArray[np.int64]) -> str:
    """One line on the licences of the photos a model learned from; it goes with the model."""
    names = sorted({store.rows[i].licence for i in rows if store.rows[i].licence})
    # Of those that forbid commercial use, one that demands the same of what is made from it goes before.
    restrictive = sorted((name for name in names if "NC" in name), key=lambda name: "SA" not in name)
    if restrictive:
        return f"Weights under {restrictive[0]} (trained on photos under {', '.join(names)})."
    return f"Weights trained on photos under {', '.join(names) or 'no stated licence'}."


def store_key(data: Path, rows: Iterable[Row], atlas: Atlas) -> str:
    """Name of the folder of a store: another one for whatever makes its pictures or landmarks other ones.

    Args:
        data: The set.
        rows: Its rows.
        atlas: The zones.
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
    return hashlib.sha256(json.dumps(key).encode()).hexdigest()[:12]


def _found(detector: FaceDetector, row: Row) -> Face | None:
    """The largest face of a photo, aligned; None if there is none or the photo cannot be read."""
    try:
        rgb = read_photo(row.path).rgb
    except PhotoError:
        return None
    faces = detector.detect(rgb)
    if not faces:
        return None
    alignment = align_face(faces[0].landmarks, SIZE)
    return alignment.crop(rgb), alignment.to_aligned(faces[0].landmarks)


def _cut_out_already(row: Row) -> Face | None:
    """The face of a dataset, at `SIZE`; None if it cannot be read."""
    assert row.aligned is not None
    try:
        rgb = read_photo(row.path).rgb
    except PhotoError:
        return None
    side = row.aligned.size
    if rgb.shape != (side, side, 3):
        height, width = rgb.shape[:2]
        raise DatasetError(f"{row.path}: is {width}x{height}, by the table {side}x{side}; delete it and curate again")
    if side != SIZE:
        how = cv2.INTER_AREA if side > SIZE else cv2.INTER_CUBIC
        rgb = np.asarray(cv2.resize(rgb, (SIZE, SIZE), interpolation=how), np.uint8)
    return rgb, row.aligned.landmarks_at(SIZE)
