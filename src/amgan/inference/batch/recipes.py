"""Recipes: which photos are aged, to what, and what the results are called; from a CSV or a folder of photos."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from amgan.data.curation.files import photo_files
from amgan.errors import AmganError, OutputError, RequestError, WeightsError
from amgan.faces.output import SUFFIXES
from amgan.inference.request import Request, parse_age, parse_face, parse_score
from amgan.models.bundle import Schema
from amgan.signs.atlas import Atlas

PHOTO, AGE, EVERY, FACE, OUT = "photo", "age", "all", "face", "out"
# Of a result that is given no name; nothing is lost in it.
_SUFFIX = ".png"


@dataclass(frozen=True)
class Recipe:
    """One result that is wanted.

    Attributes:
        photo: The file.
        name: The photo as the table calls it, or its path inside the folder.
        out: Path of the result inside the folder of results, with slashes.
        request: What is asked for.
        origin: Where it is asked for, such as ``recipes.csv, line 2``.
        error: Why the photo cannot even be named, or the model not do what is asked for; "" if neither is so.
    """

    photo: Path
    name: str
    out: str
    request: Request
    origin: str
    error: str = ""


def read_recipes(table: Path, model: Schema, population: Atlas | None = None) -> list[Recipe]:
    """Reads a CSV with the column ``photo`` and any of ``age``, ``all``, ``face``, ``out``, signs and zones.

    A cell that is empty asks for nothing. Photos are looked for from the table's folder on. A result without a name
    in ``out`` is called as the photo is, as PNG.

    Args:
        table: The file.
        model: What is known of the model; a row that asks for a sign that it takes in no way has that as its error.
        population: The atlas whose percentiles are meant.

    Returns:
        A recipe a row, in the table's order; rows without any content are left out.

    Raises:
        RequestError: The file cannot be read, a column is unknown, a cell is malformed or out of range, a row asks for
            nothing, or two results have one name; file, line and column are named.
    """
    try:
        with table.open(newline="", encoding="utf-8-sig") as file:
            reader = csv.DictReader(file, restval="", restkey="")
            _check_columns(table, reader.fieldnames or (), model.atlas)
            recipes = []
            for record in reader:
                origin = f"{table}, line {reader.line_num}"
                if "" in record:
                    raise RequestError(f"{origin}: more cells than there are columns; quote cells that have a comma")
                cells = {column: text.strip() for column, text in record.items() if text.strip()}
                if cells:
                    recipes.append(_recipe(table, origin, cells, model, population))
    except OSError as error:
        raise RequestError(f"{table}: cannot read the recipes ({error.strerror})") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise RequestError(f"{table}: not a CSV file in UTF-8 ({error})") from error
    if not recipes:
        raise RequestError(f"{table}: no recipes in it; write a row a photo below the column names")
    _check_names(recipes, "name it in the column 'out'")
    return recipes


def folder_recipes(folder: Path, request: Request) -> list[Recipe]:
    """The same request for all photos of a folder and of the folders in it; results lie as the photos do, as PNG.

    Raises:
        DatasetError: A folder cannot be listed.
        RequestError: There are no photos, or two of them differ in nothing but their suffix.
    """
    found = [(folder / file.name, file) for file in photo_files(folder)]
    if not found:
        raise RequestError(f"{folder}: no photos in it (links to folders are not followed)")
    recipes = [Recipe(path, file.name, _default_out(file.name), request, str(path), file.error) for path, file in found]
    _check_names(recipes, "give both in a CSV with a column 'out'")
    return recipes


def _check_columns(table: Path, columns: Sequence[str], atlas: Atlas) -> None:
    if PHOTO not in columns:
        raise RequestError(f"{table}: no column 'photo'; it has {', '.join(columns) or 'none'}")
    for column in columns:
        if columns.count(column) > 1:
            raise RequestError(f"{table}, line 1: two columns are called {column!r}")
        if column in (PHOTO, AGE, EVERY, FACE, OUT):
            continue
        try:
            atlas.targets_of(column)
        except AmganError as error:
            known = f"{PHOTO}, {AGE}, {EVERY}, {FACE}, {OUT}"
            raise RequestError(
                f"{table}, line 1, column {column!r}: neither one of {known} nor a sign: {error}"
            ) from error


def _recipe(table: Path, origin: str, cells: dict[str, str], model: Schema, population: Atlas | None) -> Recipe:
    if PHOTO not in cells:
        raise RequestError(f"{origin}, column photo: is empty; name the photo")
    try:
        out = _default_out(cells[PHOTO])
    except RequestError as error:
        raise RequestError(f"{origin}, column photo: {error}") from error
    age, every, face, signs, cannot = None, None, None, {}, ""
    for column, text in cells.items():
        try:
            if column == AGE:
                age = parse_age(text)
                Request(age=age).check(model, population)
            elif column == EVERY:
                every = parse_score(text)
                Request(every=every).check(model, population)
            elif column == FACE:
                face = parse_face(text)
            elif column == OUT:
                out = _out(text)
            elif column != PHOTO:
                signs[column] = parse_score(text)
                Request(signs={column: signs[column]}).check(model, population)
        except WeightsError as error:  # another model could: no fault of the table, and other rows have other columns
            cannot = str(error)
        except AmganError as error:
            raise RequestError(f"{origin}, column {column}: {error}") from error
    request = Request(age, signs, every, face)
    if request.empty:
        raise RequestError(f"{origin}: nothing to change; fill in all, age or a sign")
    return Recipe(table.parent / cells[PHOTO], cells[PHOTO], out, request, origin, cannot)


def _default_out(photo: str) -> str:
    """The photo's own path where that stays inside the folder of results, else its name alone."""
    if not Path(photo).name:
        raise RequestError(f"{photo!r}: is a folder; name a photo")
    path = Path(photo).with_suffix(_SUFFIX)
    return path.as_posix() if _is_inside(path) else path.name


def _out(text: str) -> str:
    path = Path(text)
    if not _is_inside(path):
        raise OutputError(f"{text!r}: leads out of the folder of results; write a path inside of it")
    if path.suffix.lower() not in SUFFIXES:
        raise OutputError(f"{text!r}: end it in one of {', '.join(SUFFIXES)}")
    return path.as_posix()


def _is_inside(path: Path) -> bool:
    return not path.anchor and ".." not in path.parts


def _check_names(recipes: list[Recipe], remedy: str) -> None:
    """Refuses results that would overwrite each other."""
    seen: dict[str, Recipe] = {}
    for recipe in recipes:
        # Some file systems do not tell upper case from lower.
        first = seen.setdefault(recipe.out.casefold(), recipe)
        if first is not recipe:
            raise RequestError(f"{recipe.origin}: its result would be {first.out} as that of {first.origin}; {remedy}")
