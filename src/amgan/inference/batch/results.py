"""``results.csv``: what became of each photo, and the memory by which a batch goes on where it was stopped."""

from __future__ import annotations

import csv
import dataclasses
import io
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from amgan.errors import OutputError

NAME = "results.csv"
AGED, FAILED = "aged", "failed"


@dataclass(frozen=True)
class Result:
    """What became of one recipe; the fields are the table's columns.

    Attributes:
        photo: As the recipe calls it.
        out: Path of the result inside the folder of results.
        status: ``aged`` or ``failed``.
        error: Why it failed, one line; else "".
        estimated_age: Of the largest face that was aged, as the photo has it, years; "" if none.
        faces: How many were aged.
        seconds: It took.
        recipe: Hash of the photo's size and time, the request and the model that the file at `out` was made of; of one
            that failed, "" unless the file of an earlier run is still there.
    """

    photo: str
    out: str
    status: str
    error: str = ""
    estimated_age: str = ""
    faces: str = "0"
    seconds: str = "0"
    recipe: str = ""


COLUMNS = tuple(field.name for field in dataclasses.fields(Result))


class Results:
    """The table in a folder of results. A result is written at once, as a line; the last line of an `out` counts.

    Args:
        folder: The folder of results.

    Attributes:
        path: The table.
        known: Result by `out`.

    Raises:
        OutputError: There is another table of that name, or it cannot be read or written.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        self.known = self._read()
        # Without the line that a kill left half written: what is appended would go on in it.
        self.arrange(())

    def add(self, result: Result) -> None:
        """Writes a result down."""
        self.known[result.out] = result
        try:
            with self.path.open("a", newline="", encoding="utf-8") as file:
                file.write(_line(dataclasses.astuple(result)))
        except OSError as error:
            raise self._unwritable(error) from error

    def arrange(self, order: Iterable[str]) -> None:
        """Writes the whole table anew, a line a result: those of `order` first, then what earlier runs have left."""
        outs = dict.fromkeys([*(out for out in order if out in self.known), *self.known])
        lines = [_line(COLUMNS), *(_line(dataclasses.astuple(self.known[out])) for out in outs)]
        aside = self.path.with_name(f"{NAME}.part")
        try:
            aside.write_text("".join(lines), encoding="utf-8", newline="")
            aside.replace(self.path)
        except OSError as error:
            raise self._unwritable(error) from error

    def _read(self) -> dict[str, Result]:
        if not self.path.exists():
            return {}
        try:
            with self.path.open(newline="", encoding="utf-8") as file:
                rows = list(csv.reader(file))
        except (OSError, UnicodeDecodeError, csv.Error) as error:
            raise OutputError(f"{self.path}: cannot be read ({error}); choose another folder of results") from error
        if not rows or tuple(rows[0]) != COLUMNS:
            raise OutputError(f"{self.path}: is not of `amgan batch`; choose another folder of results")
        # A line that is too short was being written when the run was killed.
        whole = (Result(*row) for row in rows[1:] if len(row) == len(COLUMNS))
        return {result.out: result for result in whole}

    def _unwritable(self, error: OSError) -> OutputError:
        return OutputError(f"{self.path}: cannot be written ({error.strerror}); what is done stays, run again")


def _line(values: Iterable[str]) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerow(values)
    # An error names a photo by its whole path, and no folder above it need have a name in UTF-8.
    return text.getvalue().encode("utf-8", "backslashreplace").decode("utf-8")
