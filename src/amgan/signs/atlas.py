"""A sign atlas: which clinical signs there are, where on the face each lies, and on what scale it is graded.

An atlas is data, one YAML a population (METHOD 2; paper 3.1, 4.3): a new sign or a clinic's own grades need no code.
Scores enter the aging maps normalised to 0..1 by the atlas's grade range.
"""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from amgan.errors import AtlasError

Landmark = Annotated[int, Field(ge=0, lt=478)]
# A landmark, or (a, b, t): a + t * (a - b), a point beyond a as seen from b.
Vertex = Landmark | tuple[Landmark, Landmark, float]
Polygon = Annotated[list[Vertex], Field(min_length=3)]
Polygons = Annotated[list[Polygon], Field(min_length=1)]
Side = Literal["left", "right", "centre"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]

AGE = "age"


class Scale(BaseModel):
    """A grade range. Grades at or below the first map to 0, at or above the second to 1 (which may be the lower)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    grades: tuple[float, float]
    note: str = ""

    @model_validator(mode="after")
    def _not_empty(self) -> Scale:
        if self.grades[0] == self.grades[1]:
            raise ValueError("the two ends of `grades` are equal")
        return self

    def normalise(self, grade: float) -> float:
        """Grade → score in 0..1, clipped."""
        low, high = self.grades
        return min(max((grade - low) / (high - low), 0.0), 1.0)

    def grade(self, score: float) -> float:
        """Score in 0..1 → grade."""
        low, high = self.grades
        return low + score * (high - low)


class Sign(Scale):
    """One clinical sign: its grade range and its zones, either one centre or a left and a right."""

    label: str
    zones: dict[Side, Polygons]

    @model_validator(mode="after")
    def _sides(self) -> Sign:
        if set(self.zones) not in ({"centre"}, {"left", "right"}):
            raise ValueError("`zones` must be either {centre} or {left, right}")
        return self


class Atlas(BaseModel):
    """All signs of one population.

    A *zone* is a sign on one side. Its name is the sign's for a centre zone (``forehead_wrinkles``) and has the side
    appended otherwise (``crows_feet.left``).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    description: str = ""
    age: Scale
    head: Polygons
    skin: Polygons
    keep: list[Polygon]
    signs: dict[Name, Sign] = Field(min_length=1)

    @model_validator(mode="after")
    def _age_is_no_sign(self) -> Atlas:
        if AGE in self.signs:
            raise ValueError("`age` is not a sign: it has its own entry")
        return self

    @property
    def zones(self) -> tuple[str, ...]:
        """Names of all zones, in the atlas's order."""
        return tuple(zone for sign in self.signs for zone in self.zones_of(sign))

    def zones_of(self, name: str) -> tuple[str, ...]:
        """The zones a name stands for: a sign's both sides, or the one zone it names.

        Raises:
            AtlasError: Neither a sign nor a zone of this atlas.
        """
        sign, _, side = name.partition(".")
        if sign in self.signs:
            sides = self.signs[sign].zones
            if not side:
                return tuple(sign if key == "centre" else f"{sign}.{key}" for key in sides)
            if side in sides and side != "centre":
                return (name,)
            allowed = " or ".join(f"{sign}.{key}" for key in sides) if "centre" not in sides else sign
            raise AtlasError(f"sign {name!r}: no such side; write {allowed}")
        raise AtlasError(f"unknown sign {name!r}; this model knows: {', '.join(self.signs)}")

    def polygons(self, zone: str) -> list[Polygon]:
        """The polygons of one zone."""
        sign, _, side = zone.partition(".")
        return self.signs[sign].zones[side or "centre"]  # type: ignore[index]

    def scale(self, zone: str) -> Scale:
        """The grade range of one zone, or of ``age``."""
        return self.age if zone == AGE else self.signs[zone.partition(".")[0]]


def parse_atlas(content: Mapping[str, object], source: str) -> Atlas:
    """Validates an atlas that was read from `source`.

    Raises:
        AtlasError: Names the source and every field at fault.
    """
    try:
        return Atlas.model_validate(content)
    except ValidationError as error:
        faults = {f"{_field(e['loc'])}: {e['msg']}" for e in error.errors()}
        raise AtlasError(f"{source}: {'; '.join(sorted(faults))}") from error


def load_atlas(path: str | Path) -> Atlas:
    """Reads an atlas from a YAML file.

    Raises:
        AtlasError: The file is missing, is not YAML or is not a valid atlas; the message names the field.
    """
    path = Path(path)
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise AtlasError(f"{path}: cannot read the atlas ({error.strerror})") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise AtlasError(f"{path}: not a YAML file ({' '.join(str(error).split())})") from error
    if not isinstance(content, dict):
        raise AtlasError(f"{path}: an atlas is a mapping with name, age, head, skin, keep and signs")
    return parse_atlas(content, str(path))


@functools.cache
def unit_atlas() -> Atlas:
    """The atlas that comes with the package: the nine signs of the development data on a 0-100 scale."""
    with importlib.resources.as_file(importlib.resources.files("amgan.signs") / "atlases" / "unit.yaml") as path:
        return load_atlas(path)


def _field(location: tuple[int | str, ...]) -> str:
    # Union branches of Vertex appear in the location by type name; they would only confuse.
    return ".".join(str(part) for part in location if not str(part).startswith(("constrained", "tuple[", "int")))
