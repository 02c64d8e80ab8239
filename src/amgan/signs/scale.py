"""Grade ranges, and where a score stands among the faces of a population."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Annotated

import numpy as np
from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from amgan.errors import AtlasError

Finite = Annotated[float, Field(allow_inf_nan=False)]
Percent = Annotated[float, Field(ge=0, le=100)]


class Quantiles(BaseModel):
    """Grades measured on the labelled faces of one population, all ages together.

    Attributes:
        faces: How many people they were measured on.
        ages: Youngest and oldest of them, years.
        grades: Percent of the people to the grade that so many of them do not exceed; in rising order of percent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    faces: int = Field(ge=1)
    ages: tuple[Finite, Finite]
    grades: dict[Percent, Finite] = Field(min_length=2)

    @field_validator("grades")
    @classmethod
    def _in_order(cls, grades: dict[float, float]) -> dict[float, float]:
        return dict(sorted(grades.items()))


class Scale(BaseModel):
    """A grade range. Grades at or below the first map to 0, at or above the second to 1 (which may be the lower)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    grades: tuple[Finite, Finite]
    note: str = ""
    quantiles: Quantiles | None = None

    @model_validator(mode="after")
    def _not_empty(self) -> Scale:
        if self.grades[0] == self.grades[1]:
            raise ValueError("the two ends of `grades` are equal")
        return self

    @model_validator(mode="after")
    def _quantiles_rise(self) -> Scale:
        scores = [] if self.quantiles is None else [self.normalise(grade) for grade in self.quantiles.grades.values()]
        if scores != sorted(scores):
            raise ValueError("the grades of `quantiles` must go from mild to severe, in the direction of `grades`")
        return self

    def normalise(self, grade: float) -> float:
        """Grade → score in 0..1, clipped."""
        low, high = self.grades
        return min(max((grade - low) / (high - low), 0.0), 1.0)

    def grade(self, score: float) -> float:
        """Score in 0..1 → grade."""
        low, high = self.grades
        return low + score * (high - low)

    def percentile(self, percent: float) -> float:
        """The score that `percent` of the population's faces do not exceed; linear between the measured ones.

        Args:
            percent: 0..100.

        Returns:
            Score in 0..1; never falls as `percent` rises.

        Raises:
            AtlasError: The scale has no quantiles, or `percent` lies outside of those measured.

        Example:
            >>> quantiles = {"faces": 40, "ages": (20, 70), "grades": {0: 0, 50: 0, 90: 6, 100: 10}}
            >>> scale = Scale(grades=(0, 10), quantiles=quantiles)
            >>> scale.percentile(70), scale.rank(0.3), scale.rank(0)
            (0.3, 70.0, 25.0)
        """
        percents, scores = self._measured()
        if not percents[0] <= percent <= percents[-1]:
            raise AtlasError(f"percentile {percent:g} is out of range; {percents[0]:g} to {percents[-1]:g} are known")
        return float(np.interp(percent, percents, scores))

    def rank(self, score: float) -> float:
        """Where a score stands in the population: the inverse of `percentile`.

        Args:
            score: 0..1.

        Returns:
            Percent in 0..100; never falls as `score` rises. Of a score that many faces share it is the middle of
            their percents, and of one beyond all those measured the first or the last percent.

        Raises:
            AtlasError: The scale has no quantiles.
        """
        percents, scores = self._measured()
        first, after = bisect_left(scores, score), bisect_right(scores, score)
        if first < after:
            return (percents[first] + percents[after - 1]) / 2
        return float(np.interp(score, scores, percents))

    def _measured(self) -> tuple[list[float], list[float]]:
        if self.quantiles is None:
            raise AtlasError("no quantiles were measured")
        return list(self.quantiles.grades), [self.normalise(grade) for grade in self.quantiles.grades.values()]
