"""The labelled rows of a training set, and how they are read from a folder of photos with ``faces.csv``."""

from __future__ import annotations

import math
import zlib
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from amgan.data.labels import Labels, read_labels
from amgan.errors import DatasetError
from amgan.faces.align import points_at
from amgan.signs.atlas import AGE, Atlas


@dataclass(frozen=True, eq=False)
class AlignedFace:
    """Where the landmarks are in a picture that is an aligned face already.

    Attributes:
        size: Side of the picture, pixels.
        landmarks: (478, 2) float32 in its pixels, whose centres are at integers.
        digest: SHA-256 of the photo that it was cut out of, hexadecimal.
        side: Side of the same square in that photo, pixels of the photo.
    """

    size: int
    landmarks: npt.NDArray[np.float32] = field(repr=False)
    digest: str
    side: float

    def landmarks_at(self, size: int) -> npt.NDArray[np.float32]:
        """(478, 2) float32, the landmarks in the same picture at another size."""
        return points_at(self.landmarks, self.size, size)


class Estimated(NamedTuple):
    """A score that no person gave.

    Attributes:
        score: 0..1.
        uncertainty: How far it may be off, in units of the score; NaN if that is not known.
    """

    score: float
    uncertainty: float


@dataclass(frozen=True)
class Row:
    """One photo.

    Attributes:
        path: The photo, or the aligned face.
        name: Path of the photo inside the set, as the table has it.
        identity: Photos of one person share it.
        split: ``train``, ``val`` or ``test``.
        age: Normalised age in 0..1; NaN if unknown.
        scores: Sign to the normalised score in 0..1 that a person gave; of two-sided signs the left side's. A sign that
            is unknown or occluded is absent.
        licence: As the source states it.
        population: As the source states it; empty where unknown.
        right: As `scores`, of the right side.
        occluded: Zones that a person could not judge, since something covers them.
        estimates: Zone, or ``age``, to its estimate; absent where there is none.
        aligned: What is known of the aligned face; None if a face has to be found in the photo first.
        sex: As the source states it; empty where unknown.
    """

    path: Path
    name: str
    identity: str
    split: str
    age: float
    scores: dict[str, float]
    licence: str
    population: str = ""
    right: dict[str, float] = field(default_factory=dict)
    occluded: frozenset[str] = frozenset()
    estimates: dict[str, Estimated] = field(default_factory=dict)
    aligned: AlignedFace | None = None
    sex: str = ""

    def score(self, zone: str) -> float:
        """The score that a person gave to a zone, or the ``age``, in 0..1; NaN if unknown."""
        if zone == AGE:
            return self.age
        sign, _, side = zone.partition(".")
        return (self.right if side == "right" else self.scores).get(sign, math.nan)

    def of_sign(self, sign: str) -> float:
        """The score that a person gave to a sign, in 0..1: of the left side, or of the right if only that was scored.

        NaN if it is unknown.
        """
        return self.scores.get(sign, self.right.get(sign, math.nan))

    def estimate(self, zone: str) -> float:
        """The estimated score of a zone, or of ``age``, in 0..1; NaN if there is none."""
        return self.estimates[zone].score if zone in self.estimates else math.nan


def row_of(
    path: Path,
    name: str,
    labels: Labels,
    atlas: Atlas,
    estimates: dict[str, Estimated] | None = None,
    aligned: AlignedFace | None = None,
) -> Row:
    """The row of a photo.

    Args:
        path: The photo, or the aligned face.
        name: Path of the photo inside the set.
        labels: What people say about it.
        atlas: On whose ranges the grades are.
        estimates: See `Row`.
        aligned: See `Row`.
    """
    labels = labels.settled(name)
    scores: dict[str, float] = {}
    right: dict[str, float] = {}
    for zone, grade in labels.grades.items():
        sign, _, side = zone.partition(".")
        (right if side == "right" else scores)[sign] = atlas.scale(zone).normalise(grade)
    return Row(
        path,
        name,
        labels.identity,
        labels.split,
        math.nan if math.isnan(labels.age) else atlas.age.normalise(labels.age),
        scores,
        labels.licence,
        labels.population,
        right,
        labels.occluded,
        estimates or {},
        aligned,
        labels.sex,
    )


def read_table(folder: Path, atlas: Atlas) -> list[Row]:
    """Reads ``faces.csv`` of a folder of photos.

    Args:
        folder: Holds ``faces.csv`` and the photos it names.
        atlas: Gives the signs to read and their grade ranges.

    Returns:
        Rows in the table's order.

    Raises:
        DatasetError: The table or a photo is missing, a column lacks, or a cell cannot be what its column says.
    """
    path = folder / "faces.csv"
    if not path.is_file():
        raise DatasetError(
            f"{path}: no such table; --data wants a folder of `amgan curate`, or faces.csv and its photos"
        )
    table = read_labels(path, atlas)
    ungraded = (sign for sign in atlas.signs if not {sign, *atlas.zones_of(sign)} & set(table.read))
    lacking = [*sorted({"identity", "split", "age"} - set(table.read)), *ungraded]
    if lacking:
        raise DatasetError(f"{path}: no column {', '.join(lacking)}")
    if not table.rows:
        raise DatasetError(f"{path}: names no photo; write a row a photo below the names of the columns")
    for name in table.rows:
        if not (folder / name).is_file():
            raise DatasetError(f"{path}: names {name}, but there is no photo {folder / name}")
    return [row_of(folder / name, name, labels, atlas) for name, labels in table.rows.items()]


def under(row: Row, licences: Collection[str]) -> bool:
    """Whether a photo is under one of some licences, as its source states it; of no licences, any photo is."""
    return not licences or row.licence in licences


def held_for_judges(row: Row, share: float) -> bool:
    """Whether a scored training photo belongs to the judges' fold, which no generator or critic ever sees.

    Decided by a hash of the identity, so that all photos of a person fall on one side, on any machine.
    """
    return row.split == "train" and zlib.crc32(row.identity.encode()) % 1000 < share * 1000
