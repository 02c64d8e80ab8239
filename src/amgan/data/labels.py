"""What people say about photos: a CSV of labels, a row a photo, and which split each person belongs to."""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from amgan.errors import DatasetError
from amgan.signs.atlas import Atlas

OCCLUDED = "occluded"
# Percent of the people in each split, where the labels name none.
SHARES = {"train": 80, "val": 10, "test": 10}
# Label to the columns it is read from; of two that are there the first counts.
TEXTS = {
    "identity": ("identity",),
    "split": ("split",),
    "population": ("population", "ethnicity"),
    "sex": ("sex",),
    "licence": ("licence", "license"),
    "author": ("author",),
    "source": ("source",),
}


@dataclass(frozen=True)
class Labels:
    """What is known about one photo; text that is unknown is "".

    Attributes:
        age: Years; NaN if unknown.
        identity: Photos of one person share it.
        split: One of `SHARES`.
        population: As the source states it, as are the next four.
        sex: As above.
        licence: As above.
        author: Whom to credit for the photo.
        source: Collection that it is from.
        grades: Zone to the grade that a person gave it, on the range of the atlas.
        occluded: Zones that a person could not judge, since something covers them.
    """

    age: float = math.nan
    identity: str = ""
    split: str = ""
    population: str = ""
    sex: str = ""
    licence: str = ""
    author: str = ""
    source: str = ""
    grades: Mapping[str, float] = field(default_factory=dict)
    occluded: frozenset[str] = frozenset()

    def settled(self, name: str) -> Labels:
        """With an identity and a split: a photo of nobody known is a person of its own, called by its `name`."""
        identity = self.identity or name
        return dataclasses.replace(self, identity=identity, split=self.split or split_of(identity))


@dataclass(frozen=True)
class LabelTable:
    """A CSV of labels.

    Attributes:
        rows: File to labels, in the order of the CSV.
        read: Its columns that were read.
        ignored: Its columns that mean nothing here.
    """

    rows: dict[str, Labels]
    read: tuple[str, ...]
    ignored: tuple[str, ...]


def split_of(identity: str, shares: Mapping[str, int] = SHARES) -> str:
    """The split of a person whom no label puts into one: by a hash, so the same on any machine.

    Args:
        identity: Who it is.
        shares: Split to how many of the sum of all shares it gets.
    """
    # Not the checksum that folds are drawn by elsewhere, so that a split is spread over all folds.
    place = int.from_bytes(hashlib.sha256(identity.encode()).digest()[:4], "big") % sum(shares.values())
    ends = itertools.accumulate(shares.values())
    return next(split for split, end in zip(shares, ends, strict=True) if place < end)


def one_split_a_person(rows: Mapping[str, Labels], path: Path) -> dict[str, Labels]:
    """The same labels, where what is said about the split of one photo holds for all photos of the person.

    Args:
        rows: Name of the photo to labels.
        path: The file that says so, for the message.

    Raises:
        DatasetError: A person is in two splits.
    """
    found: dict[str, tuple[str, str]] = {}
    for name, labels in rows.items():
        if labels.identity and labels.split:
            split, first = found.setdefault(labels.identity, (labels.split, name))
            if split != labels.split:
                raise DatasetError(
                    f"{path}: {first} is in {split} and {name} in {labels.split}, and both show {labels.identity!r}; "
                    "put all photos of a person into one split"
                )
    return {
        name: dataclasses.replace(labels, split=found[labels.identity][0]) if labels.identity in found else labels
        for name, labels in rows.items()
    }


def read_labels(path: Path, atlas: Atlas, population: str | None = None) -> LabelTable:
    """Reads a CSV of labels: ``file``, and any of ``age``, `TEXTS` and the signs of an atlas.

    A sign's cell is a grade, ``occluded``, or empty. The column of a two-sided sign has its name, which means the
    image-left side as in the development data, or ``.left`` or ``.right`` appended.

    Args:
        path: The file.
        atlas: Gives the signs to look for.
        population: Name of the population's column; None for those of `TEXTS`.

    Raises:
        DatasetError: The file or a column is missing, a column or a photo is named twice, a cell cannot be what its
            column says, is off the atlas's scale or is one too many, or a person is in two splits.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="")
            columns = list(reader.fieldnames or ())
            for column in ("file", *([] if population is None else [population])):
                if column not in columns:
                    raise DatasetError(f"{path}: no column {column!r}; it has {', '.join(sorted(columns)) or 'none'}")
            if twice := sorted({column for column in columns if column and columns.count(column) > 1}):
                raise DatasetError(f"{path}: column {', '.join(twice)} stands there twice; rename or remove one")
            texts = {label: next((c for c in names if c in columns), "") for label, names in TEXTS.items()}
            texts["population"] = population or texts["population"]
            zones = zone_columns(atlas, columns, path)
            # Without the name "", which an unnamed column has too.
            read = {"file", "age", *filter(None, texts.values()), *zones.values()} & set(columns)
            if len(read) < 2:
                known = ", ".join(("age", *(c for names in TEXTS.values() for c in names), *atlas.signs))
                raise DatasetError(f"{path}: says nothing about its photos; columns that are read: {known}")
            rows: dict[str, Labels] = {}
            for record in reader:
                line = reader.line_num
                cells = _Cells(record, path, line)
                if None in record:
                    raise DatasetError(
                        f"{path}, line {line}: more cells than there are columns; a cell with a comma wants quotes"
                    )
                if not record["file"]:
                    raise DatasetError(f"{path}, line {line}, column file: names no photo")
                if record["file"] in rows:
                    raise DatasetError(f"{path}, line {line}: {record['file']!r} is named a second time")
                rows[record["file"]] = cells.labels(texts, zones, atlas)
    except OSError as error:
        raise DatasetError(f"{path}: cannot read the labels ({error.strerror})") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: not a CSV file in UTF-8 ({error})") from error
    ignored = tuple(column for column in columns if column not in read)
    rows = one_split_a_person(rows, path)
    return LabelTable(rows, tuple(column for column in columns if column in read), ignored)


def zone_columns(atlas: Atlas, columns: Iterable[str], path: Path) -> dict[str, str]:
    """Zone to the column of a CSV that grades it.

    Args:
        atlas: Signs and their sides.
        columns: Of the CSV.
        path: The CSV, for the message.

    Raises:
        DatasetError: Two columns grade the same zone.
    """
    there, found = set(columns), {}
    for zone in atlas.zones:
        sign, _, side = zone.partition(".")
        names = [zone, sign] if side == "left" else [zone]
        names = [name for name in names if name in there]
        if len(names) > 1:
            raise DatasetError(f"{path}: {names[1]} means the left side, which {names[0]} grades too; leave one out")
        if names:
            found[zone] = names[0]
    return found


@dataclass(frozen=True)
class _Cells:
    """One line of a CSV, and where it is, for the messages."""

    record: Mapping[str, str]
    path: Path
    line: int

    def labels(self, texts: Mapping[str, str], zones: Mapping[str, str], atlas: Atlas) -> Labels:
        words = {label: self.record[column].strip() if column else "" for label, column in texts.items()}
        if words["split"] not in ("", *SHARES):
            raise self._fault(texts["split"], f"{words['split']!r} is no split; write {', '.join(SHARES)} or nothing")
        age = self._number("age") if "age" in self.record else math.nan
        if not math.isnan(age) and not 0 <= age <= 130:
            raise self._fault("age", f"{age:g} years; write an age or leave it empty")
        occluded = frozenset(z for z, column in zones.items() if self.record[column].strip() == OCCLUDED)
        grades = {zone: self._number(column) for zone, column in zones.items() if zone not in occluded}
        known = {zone: grade for zone, grade in grades.items() if not math.isnan(grade)}
        for zone, grade in known.items():
            low, high = sorted(atlas.scale(zone.partition(".")[0]).grades)
            # A sheet of another scale would else be taken for one of extreme faces.
            if not low <= grade <= high:
                what = f"{grade:g} is not on the atlas's scale, {low:g} to {high:g}; mend it, or take its own atlas"
                raise self._fault(zones[zone], what)
        return Labels(age, **words, grades=known, occluded=occluded)

    def _number(self, column: str) -> float:
        text = self.record[column].strip()
        if not text:
            return math.nan
        try:
            value = float(text)
        except ValueError as error:
            raise self._fault(column, f"{text!r} is no number") from error
        if not math.isfinite(value):
            raise self._fault(column, f"{text!r} is no number; leave empty what is unknown")
        return value

    def _fault(self, column: str, what: str) -> DatasetError:
        return DatasetError(f"{self.path}, line {self.line}, column {column}: {what}")
