"""The key of a study: which number is what. Raters never see it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from amgan.errors import DatasetError

KEY = "key.json"


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Crop(_Frozen):
    """A numbered crop.

    Attributes:
        number: As on the sheet.
        sheet: Its file.
        sign: What is judged.
        face: Name of the photo.
        person: Whose.
        target: Score in 0..1 that all signs were set to; None of the original.
        grade: What a person graded the original, of 100; None if nobody did.
    """

    number: int
    sheet: str
    sign: str
    face: str
    person: str
    target: float | None
    grade: float | None


class Pair(_Frozen):
    """A numbered pair.

    Attributes:
        number: As on the sheet.
        sheet: Its file.
        sign: What is shown.
        made: Which side is made.
        face: Name of the photo it was made of.
        person: Whose.
        target: Score in 0..1 that all signs were set to.
        real: Name of the photo on the other side.
        grade: What a person graded that one, of 100.
    """

    number: int
    sheet: str
    sign: str
    made: Literal["left", "right"]
    face: str
    person: str
    target: float
    real: str
    grade: float


class _Key(_Frozen):
    """What every key says.

    Attributes:
        panel: Stands in each form too, so that no form is read by another study's key.
        model: Name of the model.
        fingerprint: Of its files.
        data: Folder of the set.
        split: Whose faces.
        seed: Of everything that was drawn.
    """

    panel: str
    model: str
    fingerprint: str
    data: str
    split: str
    seed: int


class RatingKey(_Key):
    """The key of a study where crops are rated one by one."""

    kind: Literal["ratings"] = "ratings"
    crops: list[Crop] = Field(min_length=1)


class PairKey(_Key):
    """The key of a study of pairs."""

    kind: Literal["pairs"] = "pairs"
    pairs: list[Pair] = Field(min_length=1)


Key = RatingKey | PairKey
_ANY: TypeAdapter[Key] = TypeAdapter(Annotated[Key, Field(discriminator="kind")])


def read_key(path: Path) -> Key:
    """Reads a key.

    Args:
        path: The file, or its folder.

    Raises:
        DatasetError: It is missing, or no key.
    """
    path = path / KEY if path.is_dir() else path
    try:
        return _ANY.validate_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DatasetError(
            f"{path}: cannot read the key ({error.strerror}); give what `amgan panel make --key` wrote"
        ) from error
    except (ValidationError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: not a key of `amgan panel make`; give its {KEY}") from error


def write_key(key: Key, path: Path) -> None:
    """Writes a key."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(key.model_dump(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
