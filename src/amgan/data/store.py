"""A training set ready to crop from: aligned faces decoded once into a memory-mapped array, with scores and zones.

`prepare` takes the faces of a dataset as they are, and detects and aligns every photo of a ``faces.csv``; it writes
into the store folder only, goes on where it was stopped, and leaves out photos without a face (it says which).
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch

from amgan.data.dataset import read_rows
from amgan.data.table import Row
from amgan.errors import DatasetError, PhotoError
from amgan.faces.align import align_face
from amgan.faces.detect import FaceDetector
from amgan.faces.photo import read_photo
from amgan.models.backbone import pretrained_trunk
from amgan.models.estimator import FEATURES, SignEstimators, face_crops, pooled_features
from amgan.signs.atlas import AGE, Atlas

SIZE = 1024
# An aligned picture (SIZE, SIZE, 3) uint8 and its landmarks (478, 2) float32.
Face = tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]
# Below this a regression says nothing.
FEWEST_LABELS = 8


@dataclass(frozen=True)
class Store:
    """Prepared faces.

    Attributes:
        folder: Where they are kept.
        rows: Their rows in the table.
        left_out: Names of the photos that cannot be read or have no usable face.
        images: (N, 1024, 1024, 3) uint8, memory-mapped, FFHQ-aligned.
        landmarks: (N, 478, 2) float32, aligned coordinates.
        features: (N, Z + 1, FEATURES) float32, pooled features of each zone's crop and of the face (``age``).
    """

    folder: Path
    rows: list[Row]
    left_out: list[str]
    images: npt.NDArray[np.uint8]
    landmarks: npt.NDArray[np.float32]
    features: npt.NDArray[np.float32]

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
    zones = (*atlas.zones, AGE)
    # Another set, or other zones, get a folder of their own: nothing that a running training reads is overwritten.
    folder = folder / store_key(data, rows, atlas)
    folder.mkdir(parents=True, exist_ok=True)
    shapes: dict[str, tuple[tuple[int, ...], type]] = {
        "images": ((len(rows), SIZE, SIZE, 3), np.uint8),
        "landmarks": ((len(rows), 478, 2), np.float32),
        "features": ((len(rows), len(zones), FEATURES), np.float32),
    }
    state = folder / "state.json"
    found: list[bool] = json.loads(state.read_text()) if state.is_file() else []
    mode = "r+" if state.is_file() else "w+"
    arrays = {
        name: np.lib.format.open_memmap(folder / f"{name}.npy", mode, dtype, shape)
        for name, (shape, dtype) in shapes.items()
    }

    if unread := rows[len(found) :]:
        trunk = pretrained_trunk()
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
                    arrays["features"][place] = pooled_features(trunk, face_crops(atlas, zones, *face)).numpy()
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
    landmarks, features = (np.array(arrays[name][:count]) for name in ("landmarks", "features"))
    return Store(folder, kept, left_out, arrays["images"][:count], landmarks, features)


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


def fit_estimators(
    store: Store, atlas: Atlas, indices: npt.NDArray[np.int64]
) -> tuple[SignEstimators, dict[str, float]]:
    """Fits sign estimators on the grades of some rows, or on the estimates of the dataset where those are too few.

    Returns:
        The estimators and the cross-validated mean absolute error of each sign.

    Raises:
        DatasetError: A sign is scored on too few faces.
    """
    estimators = SignEstimators(atlas)
    zones = (*atlas.zones, AGE)
    features, scores = {}, {}
    for name in estimators.names:
        # The left side of a two-sided sign, so that no face is on both sides of a cross-validation.
        zone = AGE if name == AGE else atlas.zones_of(name)[0]
        known = _known(store, indices, zone, Row.score)
        estimated = _known(store, indices, zone, Row.estimate)
        if len(known) < FEWEST_LABELS <= len(estimated):
            known = estimated
        if len(known) < FEWEST_LABELS:
            raise DatasetError(f"{name}: {len(known)} training faces are scored; an estimator needs {FEWEST_LABELS}")
        features[name] = torch.from_numpy(store.features[[i for i, _ in known], zones.index(zone)])
        scores[name] = torch.tensor([score for _, score in known])
    return estimators, estimators.fit(features, scores)


def zone_scores(store: Store, atlas: Atlas, estimators: SignEstimators) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores of every zone and the age of every row.

    A person's score counts first, then the estimate that came with the dataset, then one made here.

    Returns:
        (N, Z) zone scores and (N,) ages, in 0..1.
    """
    zones = (*atlas.zones, AGE)
    table = torch.stack([estimators.predict(zones, torch.from_numpy(f)) for f in store.features])
    for index, row in enumerate(store.rows):
        for column, zone in enumerate(zones):
            for label in (row.estimate(zone), row.score(zone)):
                if not math.isnan(label):
                    table[index, column] = label
    return table[:, :-1], table[:, -1]


def _known(
    store: Store, indices: npt.NDArray[np.int64], zone: str, score: Callable[[Row, str], float]
) -> list[tuple[int, float]]:
    found = ((int(i), score(store.rows[i], zone)) for i in indices)
    return [(i, value) for i, value in found if not math.isnan(value)]
