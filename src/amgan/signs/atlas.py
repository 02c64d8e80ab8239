"""A sign atlas: which clinical signs there are, where on the face each lies, and on what scale it is graded.

An atlas is data, one YAML a population (paper 3.1, 4.3): a new sign or a clinic's own grades need no code.
Scores enter the aging maps normalised to 0..1 by the atlas's grade range. ``docs/atlases.md`` describes the format.
"""

from __future__ import annotations

import functools
import importlib.resources
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from amgan.errors import AtlasError
from amgan.signs.scale import Finite, Scale
from amgan.yaml_files import Extending, laid_over

Landmark = Annotated[int, Field(ge=0, lt=478)]
# A landmark, or (a, b, t): a + t * (a - b), a point beyond a as seen from b.
Vertex = Landmark | tuple[Landmark, Landmark, Finite]
Polygon = Annotated[list[Vertex], Field(min_length=3)]
Polygons = Annotated[list[Polygon], Field(min_length=1)]
Side = Literal["left", "right", "centre"]
Relief = Literal["all", "lines", "spots"]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]

AGE = "age"
SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")
SHIPPED = Path(str(importlib.resources.files("amgan.signs"))) / "atlases"


class Sign(Scale):
    """One clinical sign: its grade range and its zones, either one centre or a left and a right.

    Attributes:
        label: Its name for people.
        zones: Where it lies.
        light: How far the light of its zones goes with its score, in models that follow light (`amgan.maps.shading`);
            what is left of one goes with age: spots lie on skin in any light.
        shape: The same of their shape (`amgan.maps.sagging`); above 1 it goes farther than with age.
        relief: What of old skin shows the sign, where a memory of lines is made (`amgan.data.grafts.spots`).
    """

    label: str
    zones: dict[Side, Polygons]
    light: Annotated[float, Field(ge=0, le=4)] = 1.0
    shape: Annotated[float, Field(ge=0, le=4)] = 1.0
    relief: Relief = "all"

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

    def targets_of(self, name: str) -> tuple[str, ...]:
        """What a name sets when something is asked of a face: zones, or the half of a centre zone that it names.

        Raises:
            AtlasError: No sign of this atlas, or neither its left nor its right.

        Example:
            >>> unit_atlas().targets_of("crows_feet"), unit_atlas().targets_of("forehead_wrinkles.left")
            (('crows_feet.left', 'crows_feet.right'), ('forehead_wrinkles.left',))
        """
        sign, dot, side = name.partition(".")
        if not dot or sign not in self.signs:
            return self.zones_of(name)
        if side not in SIDES:
            raise AtlasError(f"sign {name!r}: no such side; write {' or '.join(f'{sign}.{key}' for key in SIDES)}")
        return (name,)

    def polygons(self, zone: str) -> list[Polygon]:
        """The polygons of one zone."""
        sign, _, side = zone.partition(".")
        return self.signs[sign].zones[side or "centre"]  # type: ignore[index]

    def scale(self, zone: str) -> Scale:
        """The grade range of one zone, or of ``age``."""
        return self.age if zone == AGE else self.signs[zone.partition(".")[0]]

    def scale_for(self, zone: str, model: Atlas) -> Scale:
        """The scale of a zone, or of ``age``, for scores that come from or go to a model with another atlas.

        Raises:
            AtlasError: This atlas lacks the sign or grades it on another range than `model`, so that a score of one
                would mean something else in the other.
        """
        sign = zone.partition(".")[0]
        if sign != AGE and sign not in self.signs:
            raise AtlasError(f"atlas {self.name!r} has no sign {sign}; it has: {', '.join(self.signs)}")
        own, other = self.scale(zone), model.scale(zone)
        if own.grades != other.grades:
            ranges = " and ".join(f"{low:g} to {high:g}" for low, high in (own.grades, other.grades))
            raise AtlasError(f"atlas {self.name!r} and the model differ in the grades of {sign}: {ranges}")
        return own


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


def load_atlas(source: str | Path) -> Atlas:
    """Reads an atlas, with what it takes from the one it `extends`.

    Args:
        source: A YAML file, or the name of an atlas that comes with the package, such as ``unit``.

    Raises:
        AtlasError: The file is missing, is not YAML or is not a valid atlas, or no atlas has that name; the message
            names the file and the field.
    """
    path = _EXTENDING.locate(str(source), Path())
    return parse_atlas(_EXTENDING.read(path), str(path))


@functools.cache
def unit_atlas() -> Atlas:
    """The atlas of the default model: the nine signs of the development data on a 0-100 scale, of no population."""
    return load_atlas("unit")


def shipped_atlases() -> list[str]:
    """Names of the atlases that come with the package."""
    return _EXTENDING.names()


def _laid_over(base: dict[str, Any], content: dict[str, Any]) -> dict[str, Any]:
    # A name and a description do not hold for another atlas.
    own = {key: value for key, value in base.items() if key not in ("name", "description")}
    # Quantiles of the base are in the grades of the base, and two measurements are never mixed.
    return laid_over(own, content, {"grades": "quantiles", "quantiles": "quantiles"})


_EXTENDING = Extending(
    "atlas",
    "an atlas is a mapping with name, age, head, skin, keep and signs",
    AtlasError,
    SHIPPED,
    parse_atlas,
    _laid_over,
)


def _field(location: tuple[int | str, ...]) -> str:
    # Union branches of Vertex appear in the location by type name; they would only confuse.
    return ".".join(str(part) for part in location if not str(part).startswith(("constrained-", "tuple[")))
