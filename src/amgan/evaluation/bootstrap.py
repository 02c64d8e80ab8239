"""How sure is a figure? Bootstrap over people, since photos of one person say the same thing twice."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Statistic = Literal["mean", "median"]
DRAWS = 1000
# Of distances between sets, which take longer.
SET_DRAWS = 200
# Of all draws: an evaluation that is made again has the same intervals.
SEED = 0
# Groups of fewer people are printed, and never called the worst.
FEWEST = 5


@dataclass(frozen=True)
class Interval:
    """A figure with its 95% interval.

    Attributes:
        value: On all people.
        low: 2.5th percentile of the draws; NaN of one person alone, who says nothing about others.
        high: 97.5th.
        people: How many it is of.
    """

    value: float
    low: float
    high: float
    people: int


def interval(values: Sequence[float], people: Sequence[str], statistic: Statistic = "mean") -> Interval:
    """Mean or median of values, and its interval; values that are NaN count for nobody.

    Args:
        values: One a photo.
        people: Whose photo it is.
        statistic: Which.
    """
    known = np.isfinite(np.asarray(values, np.float64))
    x = np.asarray(values, np.float64)[known]
    _, codes = np.unique(np.asarray(people)[known], return_inverse=True)
    if not len(x):
        return Interval(np.nan, np.nan, np.nan, 0)
    count = int(codes.max()) + 1
    if count == 1:
        return Interval(float(x.mean() if statistic == "mean" else np.median(x)), np.nan, np.nan, 1)
    times = np.random.default_rng(SEED).multinomial(count, np.full(count, 1 / count), DRAWS)
    if statistic == "mean":
        drawn = (times @ np.bincount(codes, x)) / (times @ np.bincount(codes))
        value = float(x.mean())
    else:
        order = np.argsort(x)
        drawn = _medians(x[order], times[:, codes[order]])
        value = float(np.median(x))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return Interval(value, float(low), float(high), count)


def _medians(x: npt.NDArray[np.float64], times: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Medians (D,) of rising values x (N,) that count as often as `times` (D, N) says."""
    passed = times.cumsum(axis=1)
    total = passed[:, -1:]
    lower, upper = ((passed <= place).sum(axis=1) for place in ((total - 1) // 2, total // 2))
    return np.asarray((x[lower] + x[upper]) / 2, np.float64)


def set_intervals(
    statistic: Callable[[npt.NDArray[np.int64], npt.NDArray[np.int64]], Sequence[float]],
    first: Sequence[str],
    second: Sequence[str],
) -> list[Interval]:
    """Figures of two sets of photos, and their intervals.

    Photos that are drawn twice make a set look narrower than it is, so the draws are shifted to the figure itself:
    their spread counts, not their place.

    Args:
        statistic: The figures, of the indices drawn of the first and of the second set.
        first: People of the first set, one a photo.
        second: People of the second.
    """
    values = statistic(np.arange(len(first)), np.arange(len(second)))
    rng = np.random.default_rng(SEED)
    photos = [photos_of(people) for people in (first, second)]
    drawn = np.array([statistic(*(drawn_again(of, rng) for of in photos)) for _ in range(SET_DRAWS)])
    people = len({*first, *second})
    bounds = np.percentile(drawn - drawn.mean(axis=0), [2.5, 97.5], axis=0) + np.array(values)
    return [Interval(v, float(low), float(high), people) for v, low, high in zip(values, *bounds, strict=True)]


def photos_of(people: Sequence[str]) -> list[npt.NDArray[np.int64]]:
    """The photos of each person."""
    _, codes = np.unique(np.asarray(people), return_inverse=True)
    return [np.flatnonzero(codes == code) for code in range(int(codes.max()) + 1)]


def drawn_again(photos: Sequence[npt.NDArray[np.int64]], rng: np.random.Generator) -> npt.NDArray[np.int64]:
    """All photos of as many people as there are, drawn with replacement."""
    return np.concatenate([photos[i] for i in rng.integers(0, len(photos), len(photos))])


def worst_ratio(overall: float, groups: Sequence[Interval], least: bool) -> float:
    """How much worse than all the worst group is.

    Args:
        overall: Of all.
        groups: Of each group; those whose figure is NaN do not count.
        least: Whether more is better.

    Returns:
        A ratio of at least 1; infinite where more is better and a group has nothing of what all have; NaN without
        groups that count, and where all have nothing to compare with.
    """

    def ratio(value: float) -> float:
        if not least:
            return value / overall
        return overall / value if value > 0 else math.inf

    counted = [group.value for group in groups if group.people >= FEWEST and not math.isnan(group.value)]
    return max(1.0, *map(ratio, counted)) if counted and overall > 0 else math.nan
