"""Measures how far landmarks move with age, for `amgan.maps.sagging`.

A ridge regression of the landmarks of aligned faces on age, beside what else moves them: where a head turns, how a
mouth smiles or opens, sex, population, and where the photo comes from. Each face counts both ways round, so that what
is found is alike on both sides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from amgan.data.store import Store
from amgan.data.table import Row
from amgan.maps.mesh import mean_face

PENALTY = 5.0
# Photos that a folder has at least to be a source of them, and most sources that there may be.
OF_SOURCE, SOURCES = 20, 12
# Of the landmarks: both sides of the face, the tip of the nose and its root, the chin, the upper edge; and the corners
# and the inner edges of the lips.
_LEFT, _RIGHT, _TIP, _ROOT, _CHIN, _TOP = 234, 454, 1, 6, 152, 10
_CORNERS, _LIPS = (61, 291), (13, 14)

Array = npt.NDArray[np.float64]


def moves(landmarks: Array, ages: Array, others: Array) -> Array:
    """How far landmarks move with age.

    Args:
        landmarks: (N, 468, 2), x and y on aligned faces, of whatever unit.
        ages: (N,).
        others: (N, K), what else may move them and is no matter of landmarks: 1 for those of a group and 0 for others.

    Returns:
        (468, 2), in that unit, for one more of age.

    """
    both = both_ways_round(landmarks)
    known = np.concatenate([np.tile(ages[:, None], (2, 1)), pose(both), np.tile(others, (2, 1))], axis=1)
    spread = known.std(axis=0) + 1e-9
    known = (known - known.mean(axis=0)) / spread
    places = both.reshape(len(both), -1)
    square = known.T @ known + PENALTY * np.eye(known.shape[1])
    found = np.linalg.solve(square, known.T @ (places - places.mean(axis=0)))[0] / spread[0]
    return np.asarray(found.reshape(-1, 2))


def both_ways_round(landmarks: Array) -> Array:
    """Landmarks (N, 468, 2), and then those of the same faces seen in a mirror: (2N, 468, 2)."""
    middle = 2 * landmarks[..., 0].mean()
    return np.concatenate([landmarks, landmarks[:, _mirrored()] * [-1, 1] + [middle, 0]])


def pose(landmarks: Array) -> Array:
    """(N, 6) of landmarks (N, 468, 2): how faces look aside, up and down, and what their mouths do."""
    width = landmarks[:, _RIGHT, 0] - landmarks[:, _LEFT, 0]
    aside = (landmarks[:, _TIP, 0] - landmarks[:, _LEFT, 0]) / width - 0.5
    down = (landmarks[:, _TIP, 1] - landmarks[:, _ROOT, 1]) / (landmarks[:, _CHIN, 1] - landmarks[:, _TOP, 1])
    left, right = (landmarks[:, corner] for corner in _CORNERS)
    upper, lower = (landmarks[:, lip, 1] for lip in _LIPS)
    smile = ((left + right)[:, 1] - upper - lower) / width
    return np.stack([aside, np.abs(aside), down, (right - left)[:, 0] / width, smile, (lower - upper) / width], axis=1)


def _mirrored() -> npt.NDArray[np.int64]:
    """(468,), the landmark that lies on the other side of each."""
    face = mean_face()
    away = ((face * [-1, 1])[:, None] - face[None]) ** 2
    return np.asarray(away.sum(axis=2).argmin(axis=1), np.int64)


def groups(rows: Sequence[Row]) -> Array:
    """(N, K): 1 for the rows of each sex, population and source.

    A source is a folder of the data, if it has `OF_SOURCE` rows. Where more than `SOURCES` have, as where photos are
    stored by their numbers, none is one: each would be one more column at each pixel of a face.
    """
    folders = Counter(row.name.partition("/")[0] for row in rows if "/" in row.name)
    sources = {folder for folder, count in folders.items() if count >= OF_SOURCE}
    sources = set() if len(sources) > SOURCES else sources
    folder_of = [row.name.partition("/")[0] for row in rows]
    named = [(r.sex, r.population, f if f in sources else "") for r, f in zip(rows, folder_of, strict=True)]
    columns = [
        [float(names[kind] == value) for names in named]
        for kind in range(3)
        for value in sorted({names[kind] for names in named if names[kind]})
    ]
    return np.array(columns).reshape(len(columns), len(rows)).T


def fit(store: Store, chosen: npt.NDArray[np.int64]) -> Array:
    """How far the landmarks of some faces of a store move from 18 to 80 years.

    Args:
        store: Prepared faces.
        chosen: Rows of known age.

    Returns:
        (468, 2), pixels of a square of 1024.
    """
    rows = [store.rows[index] for index in chosen]
    landmarks = store.landmarks[chosen, : len(mean_face())].astype(np.float64) * (1024 / store.size)
    return moves(landmarks, np.array([row.age for row in rows], np.float64), groups(rows))
