"""Measures how far landmarks move with age, for `amgan.maps.sagging`.

``python -m amgan.data.fit_sagging --data DIR --store DIR [--licence NAME ...] [--out FILE]``

A ridge regression of the landmarks of aligned faces on age, beside what else moves them: where a head turns, how a
mouth smiles or opens, sex, population, and where the photo comes from. On the people of `train` that are not kept for
judges, each face both ways round, so that what is found is alike on both sides.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt

from amgan.data.store import Store, prepare
from amgan.data.table import Row, held_for_judges, under
from amgan.errors import DatasetError, as_tool
from amgan.maps.mesh import mean_face
from amgan.signs.atlas import unit_atlas

OUT = Path(__file__).parents[1] / "maps" / "moves_with_age.csv"
PENALTY = 5.0
# Fewest faces that tell as much.
FEWEST = 100
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
    """(N, K): 1 for the rows of each sex, population and source."""
    named = [(row.sex, row.population, row.name.partition("/")[0]) for row in rows]
    columns = [
        [float(names[kind] == value) for names in named]
        for kind in range(3)
        for value in sorted({names[kind] for names in named if names[kind]})
    ]
    return np.array(columns).reshape(len(columns), len(rows)).T


def to_measure(store: Store, share: float, licences: Collection[str]) -> npt.NDArray[np.int64]:
    """Rows of a store of the people of `train`, less a share of them that is kept for judges.

    Args:
        store: Prepared faces.
        share: Of those people that are kept.
        licences: Under which photos may be; any, if there are none.

    Raises:
        DatasetError: There are too few of known age.
    """
    chosen = store.subset(
        lambda row: (
            row.split == "train"
            and not held_for_judges(row, share)
            and bool(np.isfinite(row.age))
            and under(row, licences)
        )
    )
    if len(chosen) < FEWEST:
        under_them = f" under {', '.join(licences)}" if licences else ""
        fault = f"{len(chosen)} faces of known age{under_them}; at least {FEWEST} are needed to tell what goes with it"
        raise DatasetError(f"{store.folder}: {fault}")
    return chosen


def fit(store: Store, share: float = 0.2, licences: Collection[str] = ()) -> Array:
    """(468, 2), the moves of the faces of a store for one more of normalised age, pixels of its pictures.

    Args:
        store: Prepared faces.
        share: Of the people of `train` that are kept for judges.
        licences: Under which photos may be; any, if there are none.

    Raises:
        DatasetError: There are too few of known age.
    """
    chosen = to_measure(store, share, licences)
    rows = [store.rows[index] for index in chosen]
    landmarks = store.landmarks[chosen, : len(mean_face())].astype(np.float64)
    return moves(landmarks, np.array([row.age for row in rows], np.float64), groups(rows))


def read_options(description: str | None, out: Path) -> argparse.Namespace:
    """``data``, ``store``, ``licence`` and ``out`` of the command line of a program that measures what goes with age.

    Args:
        description: Of the program.
        out: Where it writes if nothing else is said.
    """
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="faces, as for amgan train")
    parser.add_argument("--store", type=Path, required=True, help="where prepared faces are kept")
    add_licence(parser)
    parser.add_argument("--out", type=Path, default=out)
    return parser.parse_args()


def add_licence(parser: argparse.ArgumentParser) -> None:
    """Adds the option ``licence``, a list that is empty where any licence will do."""
    said = "learn from photos under these licences alone, as the data names them"
    parser.add_argument("--licence", nargs="+", default=[], metavar="NAME", help=said)


@as_tool
def main() -> None:
    """Writes the file."""
    options = read_options(__doc__, OUT)
    store = prepare(options.data, options.store, unit_atlas())
    found = fit(store, licences=options.licence) * (1024 / store.size)
    title = "Moves of the mean face's landmarks from 18 to 80 years, pixels of a square of 1024: x,y of each."
    lines = [f"# {title}", *(f"{x:.2f},{y:.2f}" for x, y in found)]
    options.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    far = np.sqrt((found**2).sum(axis=1))
    print(f"{options.out}: {far.max():.1f} px at most, {far.mean():.1f} px in the mean")


if __name__ == "__main__":
    main()
