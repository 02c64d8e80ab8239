"""What is asked for on one photo, and how the command line and tables of recipes write it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from amgan.errors import RequestError, WeightsError
from amgan.maps.sides import halved
from amgan.maps.targets import Percentile, Score, target_scores
from amgan.signs.atlas import AGE, Atlas

if TYPE_CHECKING:
    from pathlib import Path

    from amgan.models.bundle import Schema
    from amgan.models.generator_config import GeneratorConfig


@dataclass(frozen=True)
class Request:
    """Targets for the faces of a photo; what is not named keeps its own score.

    Attributes:
        age: Years.
        signs: Sign, or sign with a side, to score.
        every: Score of all signs and of the age.
        face: Which face, 0 being the largest; None means all.
    """

    age: float | None = None
    signs: Mapping[str, Score] = field(default_factory=dict)
    every: Score | None = None
    face: int | None = None

    @property
    def empty(self) -> bool:
        """Whether it asks for no change."""
        return self.age is None and self.every is None and not self.signs

    @property
    def has_percentiles(self) -> bool:
        """Whether it means scores of a population."""
        return any(isinstance(score, Percentile) for score in (self.every, *self.signs.values()))

    def check(self, model: Schema, population: Atlas | None) -> None:
        """Finds out, before any photo is opened, whether a model can do it.

        Args:
            model: The model, or what is known of it without its weights.
            population: The atlas whose percentiles are meant.

        Raises:
            AtlasError: An unknown sign, a value out of range, or a percentile that the population does not know.
            WeightsError: A sign is named, or half of one, of which the model's aging maps know nothing.
        """
        aims = self.targets(model.atlas, dict.fromkeys((*model.atlas.zones, AGE), 0.0), population)
        config = model.generator_config
        if self.signs and not config.knows_signs:
            named = min(self.signs)
            raise WeightsError(f"{model.path}: takes no {named}: it knows the age alone; ask for an age, or for all")
        for zone in sorted(halved(aims)):
            check_places(model.path, config, f"no half of {zone}", "name the sign without a side")

    def targets(self, atlas: Atlas, own: Mapping[str, float], population: Atlas | None = None) -> dict[str, float]:
        """Scores in 0..1 to aim at on a face of `own` scores, by zone and ``age``.

        Raises:
            AtlasError: As `check`.
        """
        return target_scores(atlas, own, age=self.age, signs=self.signs, every=self.every, population=population)


def check_places(path: Path, config: GeneratorConfig, what: str, instead: str) -> None:
    """Refuses a model whose aging maps have no places; messages say that it takes `what`, and what to do `instead`.

    Raises:
        WeightsError: It is such a one.
    """
    if not config.knows_places:
        raise WeightsError(f"{path}: takes {what}: it knows no places; {instead}")


def parse_recipe(text: str) -> Request:
    """Reads a request in one line, for all faces; ranges and signs are checked by `Request.check`.

    Args:
        text: ``all``, ``age`` and signs with their values, with commas between; "" asks for no change.

    Raises:
        RequestError: A part is malformed, or something is named twice.

    Example:
        >>> parse_recipe("age=70, crows_feet.left=0.2")
        Request(age=70.0, signs={'crows_feet.left': 0.2}, every=None, face=None)
    """
    values: dict[str, str] = {}
    for part in text.split(",") if text.strip() else ():
        name, equals, value = (piece.strip() for piece in part.partition("="))
        if not (name and equals and value):
            raise RequestError(f"{part.strip()!r}: write NAME=VALUE, such as all=0.9,age=70,crows_feet.left=0.2")
        if name in values:
            raise RequestError(f"{text!r}: {name} is named twice")
        values[name] = value
    age, every = values.pop("age", None), values.pop("all", None)
    return Request(
        None if age is None else parse_age(age),
        {name: parse_score(value) for name, value in values.items()},
        None if every is None else parse_score(every),
    )


def parse_score(text: str) -> Score:
    """Reads a score or a percentile; the range is checked by `Request.check`.

    Raises:
        RequestError: It is neither.

    Example:
        >>> parse_score("0.8"), parse_score("80%")
        (0.8, Percentile(percent=80.0))
    """
    number = text.strip()
    try:
        return Percentile(float(number[:-1])) if number.endswith("%") else float(number)
    except ValueError as error:
        raise RequestError(f"{text!r}: write a score such as 0.8, or a percentile such as 80%") from error


def parse_age(text: str) -> float:
    """Reads an age in years; the range is checked by `Request.check`.

    Raises:
        RequestError: It is no number.
    """
    try:
        return float(text)
    except ValueError as error:
        raise RequestError(f"{text!r}: write an age in years, such as 70") from error


def parse_face(text: str) -> int | None:
    """Reads which face is meant; None means all.

    Raises:
        RequestError: It is neither a number nor ``all``.
    """
    if text == "all":
        return None
    if text.isascii() and text.isdigit():
        return int(text)
    raise RequestError(f"{text!r}: a number from 0, or all")
