"""A training set ready to crop from: aligned faces decoded once into a memory-mapped array, with scores and zones.

`prepare` detects, aligns and scores every photo of a table; it writes into the store folder only, goes on where it
was stopped, and leaves out photos without a face (it says which).
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from amgan.data.table import Row, read_table
from amgan.errors import DatasetError, PhotoError
from amgan.faces.align import align_face
from amgan.faces.detect import FaceDetector
from amgan.faces.photo import read_photo
from amgan.models.backbone import Trunk, pretrained_trunk
from amgan.models.estimator import FEATURES, SignEstimators, face_crops, pooled_features
from amgan.signs.atlas import AGE, Atlas

SIZE = 1024
# Below this a regression says nothing.
FEWEST_LABELS = 8


@dataclass(frozen=True)
class Store:
    """Prepared faces.

    Attributes:
        rows: Their rows in the table.
        left_out: Names of the photos that cannot be read or have no usable face.
        images: (N, 1024, 1024, 3) uint8, memory-mapped, FFHQ-aligned.
        landmarks: (N, 478, 2) float32, aligned coordinates.
        features: (N, Z + 1, FEATURES) float32, pooled features of each zone's crop and of the face (``age``).
    """

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
        data: Folder with ``faces.csv`` and its photos; only read.
        folder: Where stores are kept, one folder a data set and zones.
        atlas: Zones to crop and signs to read.
        progress: Wraps the rows, to show a progress bar.

    Returns:
        The store; photos without a usable face are in `left_out` alone.

    Raises:
        DatasetError: The table is unusable.
    """
    rows = read_table(data, atlas)
    zones = (*atlas.zones, AGE)
    key = {
        "data": str(data.resolve()),
        "names": [row.name for row in rows],
        "zones": {zone: atlas.polygons(zone) for zone in atlas.zones},
    }
    # Another set, or other zones, get a folder of their own: nothing that a running training reads is overwritten.
    folder = folder / hashlib.sha256(json.dumps(key).encode()).hexdigest()[:12]
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
        with FaceDetector() as detector:
            for row in progress(unread):
                # Faces are stored without gaps, so that the pictures stay mapped when a photo is left out.
                place = sum(found)
                found.append(_prepare_one(place, row, detector, trunk, atlas, zones, arrays))
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
    return Store(kept, left_out, arrays["images"][:count], landmarks, features)


def _prepare_one(
    place: int,
    row: Row,
    detector: FaceDetector,
    trunk: Trunk,
    atlas: Atlas,
    zones: tuple[str, ...],
    out: Mapping[str, npt.NDArray[Any]],
) -> bool:
    try:
        rgb = read_photo(row.path).rgb
    except PhotoError:
        return False
    faces = detector.detect(rgb)
    if not faces:
        return False
    alignment = align_face(faces[0].landmarks, SIZE)
    aligned, landmarks = alignment.crop(rgb), alignment.to_aligned(faces[0].landmarks)
    out["images"][place], out["landmarks"][place] = aligned, landmarks
    out["features"][place] = pooled_features(trunk, face_crops(atlas, zones, aligned, landmarks)).numpy()
    return True


def fit_estimators(
    store: Store, atlas: Atlas, indices: npt.NDArray[np.int64]
) -> tuple[SignEstimators, dict[str, float]]:
    """Fits sign estimators on the labels of some rows; two-sided signs are scored on the left (data README).

    Returns:
        The estimators and the cross-validated mean absolute error of each sign.

    Raises:
        DatasetError: A sign is scored on too few faces.
    """
    estimators = SignEstimators(atlas)
    zones = (*atlas.zones, AGE)
    features, scores = {}, {}
    for name in estimators.names:
        column = zones.index(AGE if name == AGE else atlas.zones_of(name)[0])
        known = [(i, _label(store.rows[i], name)) for i in indices]
        known = [(i, score) for i, score in known if not math.isnan(score)]
        if len(known) < FEWEST_LABELS:
            raise DatasetError(f"{name}: {len(known)} training faces are scored; an estimator needs {FEWEST_LABELS}")
        features[name] = torch.from_numpy(store.features[[i for i, _ in known], column])
        scores[name] = torch.tensor([score for _, score in known])
    return estimators, estimators.fit(features, scores)


def zone_scores(store: Store, atlas: Atlas, estimators: SignEstimators) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores of every zone and the age of every row: the table's where there is one, else the estimate.

    Returns:
        (N, Z) zone scores and (N,) ages, in 0..1.
    """
    zones = (*atlas.zones, AGE)
    table = torch.stack([estimators.predict(zones, torch.from_numpy(f)) for f in store.features])
    for index, row in enumerate(store.rows):
        for column, zone in enumerate(zones):
            # The right side of a two-sided sign was not scored by anyone: there the estimate stays.
            label = math.nan if zone.endswith(".right") else _label(row, zone.partition(".")[0])
            if not math.isnan(label):
                table[index, column] = label
    return table[:, :-1], table[:, -1]


def _label(row: Row, name: str) -> float:
    return row.age if name == AGE else row.scores.get(name, math.nan)
