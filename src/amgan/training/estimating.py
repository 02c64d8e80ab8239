"""Fits sign estimators on the graded faces of a training set, and fills in the scores that nobody gave."""

from __future__ import annotations

import hashlib
import json
import math
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from amgan.data.images import flush, mapped
from amgan.data.store import SAVE_EVERY, Store
from amgan.errors import DatasetError
from amgan.faces.output import write_whole
from amgan.models.estimator import Features, Progress, SignEstimators, SignLabels, SignReport, ZoneFeatures
from amgan.signs.atlas import AGE, Atlas

# Below this a regression says nothing.
FEWEST_LABELS = 8


def face_features(store: Store, estimators: SignEstimators, progress: Progress = iter) -> Features:
    """Features of every zone of every face; kept beside the store, and gone on with where it was stopped.

    Args:
        store: Prepared faces.
        estimators: Whose features are wanted; they need not be fitted.
        progress: Shows how far it is.

    Returns:
        (N, Z + 1, *feature_shape), in the order of the atlas's zones, then ``age``; mapped, to be read only.

    Raises:
        DatasetError: What is kept there is cut off or of another shape.
        OutputError: It cannot be written how far they are.
    """
    atlas = estimators.atlas
    # A vector by its length, which is what the key was before there were other kinds.
    of_kind = estimators.feature_shape if len(estimators.feature_shape) > 1 else estimators.feature_shape[0]
    key = {"zones": {zone: atlas.polygons(zone) for zone in atlas.zones}, "features": of_kind}
    path = store.folder / f"features-{hashlib.sha256(json.dumps(key).encode()).hexdigest()[:12]}.npy"
    shape = (len(store.rows), len(atlas.zones) + 1, *estimators.feature_shape)
    filled = path.is_file()
    # A new one is all zeros, and takes no room before it is filled.
    found = mapped(path, shape, estimators.feature_type, done=False, anew=path)
    state = path.with_suffix(".json")
    done = noted = _rows_done(found, state) if filled else 0
    try:
        for index in progress(range(done, len(found))) if done < len(found) else ():
            found[index] = estimators.features(store.images[index], store.landmarks[index])
            done = index + 1
            if done - noted == SAVE_EVERY:
                noted = _noted(found, state, done)
    finally:
        if done > noted or not state.is_file():
            _noted(found, state, done)
    return mapped(path, shape, estimators.feature_type, done=True, anew=path)


def _rows_done(found: Features, state: Path) -> int:
    """How many rows from the first on are whole."""
    try:
        return min(int(json.loads(state.read_text())), len(found))
    except (OSError, ValueError, TypeError):
        # Of before that was noted: such a file is blank, with zeros or NaN, in every zone that is missing.
        rows = (np.nan_to_num(row.reshape(len(row), -1)).any(axis=1).all() for row in found)
        return next((index for index, whole in enumerate(rows) if not whole), len(found))


def _noted(found: Features, state: Path, done: int) -> int:
    """Notes how many rows are whole, once they are on the disk: what is written there later may come out torn."""
    flush(found)
    write_whole(state, json.dumps(done))
    return done


def sign_labels(
    store: Store, atlas: Atlas, features: Features, rows: npt.NDArray[np.int64], estimated: bool = True
) -> dict[str, SignLabels]:
    """What is known about each sign and the age of some rows; both sides of a sign, where both were looked at.

    People's grades if there are enough of them, else the estimates that came with the dataset.

    Args:
        store: Prepared faces.
        atlas: Signs and zones.
        features: Of all faces, from `face_features`.
        rows: Which of them.
        estimated: Whether estimates may stand for grades; not for what measures estimators or models.
    """
    zones = (*atlas.zones, AGE)
    labels = {}
    for name in (*atlas.signs, AGE):
        sides = (AGE,) if name == AGE else atlas.zones_of(name)
        seen = [(int(i), zone, store.rows[i].score(zone)) for zone in sides for i in rows]
        guessed = [(i, zone, store.rows[i].estimate(zone)) for i, zone, _ in seen] if estimated else []
        if _people(store, seen) < FEWEST_LABELS <= _people(store, guessed):
            seen = guessed
        seen = [(i, zone, s) for i, zone, s in seen if zone in store.rows[i].occluded or not math.isnan(s)]
        faces = np.array([i for i, _, _ in seen], np.int64)
        columns = np.array([zones.index(zone) for _, zone, _ in seen], np.int64)
        covered = np.array([zone in store.rows[i].occluded for i, zone, _ in seen], bool)
        scores = np.where(covered, math.nan, np.array([score for _, _, score in seen], np.float64))
        zones_of_faces = ZoneFeatures(features, faces, columns)
        labels[name] = SignLabels(zones_of_faces, scores, covered, [store.rows[i].identity for i in faces])
    return labels


def fit_estimators(
    store: Store,
    estimators: SignEstimators,
    rows: npt.NDArray[np.int64],
    progress: Progress = iter,
    fitting: Progress = iter,
    estimated: bool = True,
) -> dict[str, SignReport]:
    """Fits sign estimators on the grades of some rows.

    Args:
        store: Prepared faces; networks that are finished are kept beside them.
        estimators: Fitted in place.
        rows: Which faces.
        progress: Shows how far the features are.
        fitting: Shows how far the fit is, where it takes long.
        estimated: As for `sign_labels`.

    Returns:
        How each did on held-out people.

    Raises:
        DatasetError: A sign is scored on too few people.
    """
    labels = sign_labels(store, estimators.atlas, face_features(store, estimators, progress), rows, estimated)
    for name, known in labels.items():
        people = {who for who, score in zip(known.people, known.scores, strict=True) if not math.isnan(score)}
        if len(people) < FEWEST_LABELS:
            raise DatasetError(f"{name}: {len(people)} people are scored; an estimator needs {FEWEST_LABELS}")
    return estimators.fit(labels, store.folder, fitting)


def zone_scores(store: Store, estimators: SignEstimators) -> tuple[torch.Tensor, torch.Tensor]:
    """Scores of every zone and the age of every row.

    A person's score counts first, then the estimate that came with the dataset, then one made here.

    Returns:
        (N, Z) zone scores and (N,) ages, in 0..1.
    """
    zones = (*estimators.atlas.zones, AGE)
    features = face_features(store, estimators)
    columns = [
        estimators.predict_sign(zone.partition(".")[0], ZoneFeatures.of_column(features, z))[0]
        for z, zone in enumerate(zones)
    ]
    table = torch.from_numpy(np.stack(columns, axis=1))
    for index, row in enumerate(store.rows):
        for column, zone in enumerate(zones):
            for label in (row.estimate(zone), row.score(zone)):
                if not math.isnan(label):
                    table[index, column] = label
    return table[:, :-1], table[:, -1]


def _people(store: Store, scores: list[tuple[int, str, float]]) -> int:
    return len({store.rows[i].identity for i, _, score in scores if not math.isnan(score)})
