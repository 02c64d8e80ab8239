"""Age and population of photos, from a CSV beside them."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from amgan.errors import DatasetError


@dataclass(frozen=True)
class Person:
    """What is known about a photo's subject.

    Attributes:
        age: Years; NaN if unknown.
        population: "" if unknown.
    """

    age: float = math.nan
    population: str = ""


def read_metadata(path: Path, population: str | None = None) -> dict[str, Person]:
    """Reads a CSV with the columns ``file`` (path inside SRC), ``age`` and one of the population; others are ignored.

    Args:
        path: The file.
        population: Name of the population's column; None for ``population`` if there is one.

    Returns:
        File to person.

    Raises:
        DatasetError: The file or a column is missing, an age is no number, or a file is named twice.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            columns = set(reader.fieldnames or ())
            for column in ("file", *([] if population is None else [population])):
                if column not in columns:
                    raise DatasetError(f"{path}: no column {column!r}; it has {', '.join(sorted(columns)) or 'none'}")
            if not columns & {"age", population or "population"}:
                raise DatasetError(f"{path}: neither a column 'age' nor a population; name the latter by --population")
            people: dict[str, Person] = {}
            for line, record in enumerate(reader, start=2):
                name = record["file"]
                if name in people:
                    raise DatasetError(f"{path}, line {line}: {name!r} is named a second time")
                age = _age(record.get("age", ""), path, line)
                people[name] = Person(age, record.get(population or "population", ""))
            return people
    except OSError as error:
        raise DatasetError(f"{path}: cannot read the metadata ({error.strerror})") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: not a CSV file in UTF-8 ({error})") from error


def _age(text: str, path: Path, line: int) -> float:
    if not text:
        return math.nan
    try:
        age = float(text)
    except ValueError as error:
        raise DatasetError(f"{path}, line {line}, column age: {text!r} is no number") from error
    if not 0 <= age <= 130:
        raise DatasetError(f"{path}, line {line}, column age: {text} years; write an age or leave it empty")
    return age
