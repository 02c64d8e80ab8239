"""Who is in a study, and which crop lies where: chance decides, and people are kept apart. Knows no pictures."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from amgan.data.table import Row
from amgan.signs.atlas import Atlas

# Grades of the calibration sheet, of 100, how far off an example may be, how many people show each, and how many are
# looked for: some photos do not count.
CALIBRATED = (0, 20, 40, 60, 80, 100)
OFF, EXAMPLES, CANDIDATES = 8, 2, 6
# In a pair the made crop is of someone younger than this, the real one of someone at least as old whose sign a person
# graded at least so high: the old skin that the made one is to pass for.
OLD_YEARS, CLEAR = 50, 40

# A place in a store, and its row.
Face = tuple[int, Row]


@dataclass(frozen=True)
class Settings:
    """What a study is of.

    Attributes:
        faces: People in it; in a study of pairs, pairs of each sign.
        levels: Scores in 0..1 of all signs and the age that are made of each face.
        signs: Signs that are shown.
        split: Whose faces.
        per_sheet: Most crops, or pairs, on one sheet.
        pairs: Whether made crops are shown beside real ones, for a forced choice.
        seed: Of everything that is drawn.
    """

    faces: int
    levels: tuple[float, ...]
    signs: tuple[str, ...]
    split: str
    per_sheet: int
    pairs: bool
    seed: int


def one_photo_a_person(faces: Sequence[Face], rng: np.random.Generator) -> list[Face]:
    """A photo of each person, drawn; people in an order that is drawn too, whoever has how many photos."""
    photos: dict[str, list[Face]] = {}
    for face in faces:
        photos.setdefault(face[1].identity, []).append(face)
    # People first: were photos shuffled, those with many would come sooner, and a study takes those who come first.
    of_each = list(photos.values())
    return [of_each[i][rng.integers(len(of_each[i]))] for i in rng.permutation(len(of_each))]


def spread_over_sheets(
    faces: int, versions: int, per_sheet: int, rng: np.random.Generator
) -> list[list[tuple[int, int]]]:
    """Deals all versions of all faces out to sheets, so that no sheet has two versions of one face.

    Sheets are equally full up to one crop, and have about as many crops of each version.

    Args:
        faces: How many.
        versions: Of each.
        per_sheet: Most crops of a sheet.
        rng: Draws.

    Returns:
        The (face, version) of each sheet, in the order they are shown.
    """
    count = max(versions, math.ceil(faces * versions / per_sheet))
    sheets: list[list[tuple[int, int]]] = [[] for _ in range(count)]
    for face in rng.permutation(faces).tolist():
        # The emptiest sheets, each for one version: so their loads never differ by more than one.
        free = sorted(range(count), key=lambda i: (len(sheets[i]), rng.random()))[:versions]
        for version in rng.permutation(versions).tolist():
            place = min(free, key=lambda i: (sum(v == version for _, v in sheets[i]), rng.random()))
            free.remove(place)
            sheets[place].append((face, version))
    return [[sheets[i][j] for j in rng.permutation(len(sheets[i]))] for i in rng.permutation(count)]


def grade_of(row: Row, zone: str) -> float:
    """The grade that a person gave to a zone, of 100; NaN if nobody did or it is covered."""
    return math.nan if zone in row.occluded else 100 * row.score(zone)


def calibration_candidates(
    rows: Sequence[Face], zone: str, kept_out: frozenset[str], rng: np.random.Generator
) -> dict[int, list[Face]]:
    """For each of `CALIBRATED` a few graded people who are not in the study, those nearest to it first.

    Args:
        rows: All faces of the set.
        zone: Whose grades.
        kept_out: People of the study.
        rng: Draws among equals.
    """
    order = rng.permutation(len(rows)).tolist()
    graded = [rows[i] for i in order if rows[i][1].identity not in kept_out]
    graded = [face for face in graded if not math.isnan(grade_of(face[1], zone))]
    found = {}
    for level in CALIBRATED:
        near = sorted(graded, key=lambda face: abs(grade_of(face[1], zone) - level))
        found[level] = [f for f in near if abs(grade_of(f[1], zone) - level) <= OFF][:CANDIDATES]
    return found


def chosen_examples(candidates: Mapping[int, Sequence[Face]], usable: frozenset[int]) -> list[Face]:
    """The examples that are shown, from mild to severe, each person once.

    Args:
        candidates: Of `calibration_candidates`.
        usable: Places in the store of the faces that count.
    """
    chosen: dict[str, Face] = {}
    for faces in candidates.values():
        new = [face for face in faces if face[0] in usable and face[1].identity not in chosen]
        chosen |= {row.identity: (index, row) for index, row in new[:EXAMPLES]}
    return list(chosen.values())


def is_young(row: Row, atlas: Atlas) -> bool:
    """Whether someone may stand for the made crop of a pair."""
    return not math.isnan(row.age) and atlas.age.grade(row.age) < OLD_YEARS


def is_clear(row: Row, zone: str, atlas: Atlas) -> bool:
    """Whether a zone may stand for real old skin."""
    return not math.isnan(row.age) and atlas.age.grade(row.age) >= OLD_YEARS and grade_of(row, zone) >= CLEAR


def matched(made: Sequence[Row], real: Sequence[Face], rng: np.random.Generator) -> list[Face]:
    """A real face for each made one, nobody twice; from the same folder of the set where there is one.

    Photos of one folder are of one kind, so that the camera does not tell which is made.

    Args:
        made: Faces that are changed.
        real: Old people, more than one photo of one perhaps.
        rng: Draws.

    Returns:
        As many as `made`, or fewer if people run out.
    """
    left = one_photo_a_person(real, rng)
    found: list[Face] = []
    for row in made[: len(left)]:
        place = next((i for i, (_, other) in enumerate(left) if _folder(other) == _folder(row)), 0)
        found.append(left.pop(place))
    return found


def _folder(row: Row) -> str:
    return row.name.rpartition("/")[0]
