"""Rating forms, a CSV a sign: written empty for the raters, and read back without mercy for what cannot be."""

from __future__ import annotations

import csv
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from amgan.errors import DatasetError
from amgan.evaluation.panel.key import Key, PairKey, RatingKey

RATING_COLUMNS = ("panel", "number", "severity", "naturalness", "occluded")
PAIR_COLUMNS = ("panel", "number", "made", "why")
T = TypeVar("T")


@dataclass(frozen=True)
class Rating:
    """What a rater said of one crop.

    Attributes:
        number: Of the crop.
        severity: 0..100; NaN of a covered zone.
        naturalness: As above.
        occluded: Whether the zone is covered.
    """

    number: int
    severity: float
    naturalness: float
    occluded: bool


@dataclass(frozen=True)
class Choice:
    """What a rater said of one pair.

    Attributes:
        number: Of the pair.
        made: Which side was taken for made, ``left`` or ``right``.
        why: By what, in the rater's words.
    """

    number: int
    made: str
    why: str


def write_form(path: Path, panel: str, numbers: Sequence[int], pairs: bool) -> None:
    """Writes a form to be filled in.

    Args:
        path: Of the CSV.
        panel: Name of the study.
        numbers: In the order of the sheets.
        pairs: Whether they are of pairs.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(PAIR_COLUMNS if pairs else RATING_COLUMNS)
        writer.writerows((panel, number, "", "") if pairs else (panel, number, "", "", "no") for number in numbers)


def read_ratings(forms: Sequence[Path], key: RatingKey) -> dict[str, dict[int, Rating]]:
    """Rater to number to rating.

    Args:
        forms: Folders of filled-in forms, one a rater, or single forms, whose folder is the rater.
        key: Of the study.

    Raises:
        DatasetError: A form is missing or not of this study, or a cell is not what its column asks for. The message
            names file and line.
    """
    signs = {crop.number: crop.sign for crop in key.crops}
    return {
        rater: _whole({rating.number: rating for rating in _checked(files, RATING_COLUMNS, key, _rating)}, signs, files)
        for rater, files in _raters(forms).items()
    }


def read_choices(forms: Sequence[Path], key: PairKey) -> dict[str, dict[int, Choice]]:
    """Rater to number to choice; arguments and errors are those of `read_ratings`."""
    signs = {pair.number: pair.sign for pair in key.pairs}
    return {
        rater: _whole({choice.number: choice for choice in _checked(files, PAIR_COLUMNS, key, _choice)}, signs, files)
        for rater, files in _raters(forms).items()
    }


def _raters(forms: Sequence[Path]) -> dict[str, list[Path]]:
    """Rater to files: a rater is called as the folder, by its whole path where two are called alike."""
    files: dict[Path, list[Path]] = {}
    for given in forms:
        folder = given if given.is_dir() else given.parent
        found = sorted(given.glob("*.csv")) if given.is_dir() else [given]
        if not found:
            raise DatasetError(f"{given}: no form in it; give the folder of a rater's filled-in CSV files")
        of_folder = files.setdefault(folder.resolve(), [])
        of_folder += [path for path in found if path.resolve() not in {other.resolve() for other in of_folder}]
    names = [folder.name for folder in files]
    return {folder.name if names.count(folder.name) == 1 else str(folder): of for folder, of in files.items()}


def _checked(
    files: Sequence[Path], columns: Sequence[str], key: Key, read: Callable[[int, dict[str, str], str], T]
) -> Iterator[T]:
    """The lines of a rater's forms, each of a number of the study that was not there before."""
    known = {one.number for one in (key.crops if isinstance(key, RatingKey) else key.pairs)}
    seen: dict[int, str] = {}
    for path in files:
        for where, cells in _lines(path, columns):
            if cells["panel"] != key.panel:
                raise DatasetError(
                    f"{where}: panel {cells['panel']!r}, and the key is of {key.panel!r}; give its own key"
                )
            if not (cells["number"].isascii() and cells["number"].isdigit() and int(cells["number"]) in known):
                raise DatasetError(
                    f"{where}: {cells['number']!r} is no number of this study; leave that column as it was"
                )
            number = int(cells["number"])
            if number in seen:
                raise DatasetError(f"{where}: {number} is there already, {seen[number]}; leave one out")
            seen[number] = where
            yield read(number, cells, where)


def _lines(path: Path, columns: Sequence[str]) -> Iterator[tuple[str, dict[str, str]]]:
    """File and line for messages, and the cells, of every line that is not empty."""
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.reader(file)
            head = next(reader, [])
            if [name.strip() for name in head] != list(columns):
                raise DatasetError(f"{path}, line 1: the columns are not {','.join(columns)}; take the form as it was")
            for row in reader:
                where = f"{path}, line {reader.line_num}"
                if not any(cell.strip() for cell in row):
                    continue
                if len(row) != len(columns):
                    raise DatasetError(
                        f"{where}: {len(row)} cells, {len(columns)} wanted; put text with commas in quotes"
                    )
                yield where, {name: cell.strip() for name, cell in zip(columns, row, strict=True)}
    except OSError as error:
        raise DatasetError(f"{path}: cannot read the form ({error.strerror})") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: not a CSV file in UTF-8 ({error}); save it as such") from error


def _rating(number: int, cells: dict[str, str], where: str) -> Rating:
    occluded = cells["occluded"].lower()
    if occluded not in ("yes", "no"):
        raise DatasetError(f"{where}, column occluded: {cells['occluded']!r}; write yes or no")
    if occluded == "yes":
        return Rating(number, math.nan, math.nan, True)
    return Rating(number, _percent(cells, "severity", where), _percent(cells, "naturalness", where), False)


def _percent(cells: dict[str, str], column: str, where: str) -> float:
    text = cells[column]
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 <= value <= 100:
        raise DatasetError(f"{where}, column {column}: {text!r}; write 0 to 100, or yes under occluded")
    return value


def _choice(number: int, cells: dict[str, str], where: str) -> Choice:
    made = cells["made"].lower()
    if made not in ("left", "right"):
        raise DatasetError(f"{where}, column made: {cells['made']!r}; write left or right, a guess if need be")
    return Choice(number, made, cells["why"])


def _whole(found: dict[int, T], signs: dict[int, str], files: Sequence[Path]) -> dict[int, T]:
    """The same, if of each sign that was begun no number is missing.

    Raises:
        DatasetError: Some are, for whoever judges only what is easy makes means that flatter.
    """
    begun = {signs[number] for number in found}
    missing = sorted(number for number, sign in signs.items() if sign in begun and number not in found)
    if missing:
        raise DatasetError(
            f"{files[0].parent}: {len(missing)} numbers are missing, the first of {signs[missing[0]]} is {missing[0]}; "
            "every line of a form that was begun is wanted"
        )
    return found
