"""The labelled table of a training set: one row a photo, read from a CSV in the shape of ``faces.csv``."""

from __future__ import annotations

import csv
import math
import zlib
from dataclasses import dataclass
from pathlib import Path

from amgan.errors import DatasetError
from amgan.signs.atlas import Atlas

OCCLUDED = "occluded"


@dataclass(frozen=True)
class Row:
    """One photo.

    Attributes:
        path: The photo.
        name: Its path inside the set, as the table has it.
        identity: Photos of one person share it.
        split: ``train``, ``val`` or ``test``.
        age: Normalised age in 0..1; NaN if unknown.
        scores: Sign to normalised score in 0..1; a sign that is unknown or occluded is absent.
        licence: As the source states it.
        population: As the source states it, in the column ``ethnicity``; empty where unknown.
    """

    path: Path
    name: str
    identity: str
    split: str
    age: float
    scores: dict[str, float]
    licence: str
    population: str = ""


def read_table(folder: Path, atlas: Atlas) -> list[Row]:
    """Reads ``faces.csv`` of a data folder.

    Args:
        folder: Holds ``faces.csv`` and the photos it names.
        atlas: Gives the signs to read and their grade ranges.

    Returns:
        Rows in the table's order.

    Raises:
        DatasetError: The table or a photo is missing, a column lacks or a value is no number.
    """
    table = folder / "faces.csv"
    if not table.is_file():
        raise DatasetError(f"{table}: no such table; --data wants a folder with faces.csv and the photos it names")
    rows = []
    with table.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file, restval="")
        lacking = {"file", "identity", "split", "age", *atlas.signs} - set(reader.fieldnames or ())
        if lacking:
            raise DatasetError(f"{table}: no column {', '.join(sorted(lacking))}")
        for line, record in enumerate(reader, start=2):
            path = folder / record["file"]
            if not path.is_file():
                raise DatasetError(f"{table}, line {line}: no such photo {path}")
            age = _number(record["age"], table, line, "age")
            scores = {
                sign: scale.normalise(value)
                for sign, scale in atlas.signs.items()
                if record[sign] != OCCLUDED and not math.isnan(value := _number(record[sign], table, line, sign))
            }
            normal_age = age if math.isnan(age) else atlas.age.normalise(age)
            licence = record.get("license") or ""
            population = record.get("ethnicity") or ""
            name, identity, split = record["file"], record["identity"], record["split"]
            rows.append(Row(path, name, identity, split, normal_age, scores, licence, population))
    return rows


def held_for_judges(row: Row, share: float) -> bool:
    """Whether a scored training photo belongs to the judges' fold, which no generator or critic ever sees.

    Decided by a hash of the identity, so that all photos of a person fall on one side, on any machine.
    """
    return row.split == "train" and zlib.crc32(row.identity.encode()) % 1000 < share * 1000


def _number(text: str, table: Path, line: int, column: str) -> float:
    if text in ("", OCCLUDED):
        return math.nan
    try:
        return float(text)
    except ValueError as error:
        raise DatasetError(f"{table}, line {line}, column {column}: {text!r} is no number") from error
