"""How far do raters agree, and how sure is a share?"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from amgan.evaluation.bootstrap import DRAWS, SEED, Interval, drawn_again, photos_of

_Z = NormalDist().inv_cdf(0.975)
Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Agreement:
    """Intraclass correlations of a two-way random model, absolute agreement (Shrout & Fleiss 1979).

    Attributes:
        single: ICC(2,1), of one rater, with its interval.
        mean: ICC(2,k), of the mean of all raters.
        raters: k.
        crops: That all of them judged.
    """

    single: Interval
    mean: Interval
    raters: int
    crops: int


def icc2(scores: npt.ArrayLike) -> tuple[float, float]:
    """ICC(2,1) and ICC(2,k) of scores (N, k), a row a crop and a column a rater; NaN if nothing differs.

    Example:
        >>> [round(value, 2) for value in icc2([[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8],
        ...                                     [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]])]
        [0.29, 0.62]
    """
    x = np.asarray(scores, np.float64)
    n, k = x.shape
    if n < 2 or k < 2 or not np.ptp(x):
        return math.nan, math.nan
    by_crop, by_rater = x.mean(axis=1, keepdims=True), x.mean(axis=0, keepdims=True)
    crops = k * np.square(by_crop - x.mean()).sum() / (n - 1)
    raters = n * np.square(by_rater - x.mean()).sum() / (k - 1)
    rest = np.square(x - by_crop - by_rater + x.mean()).sum() / ((n - 1) * (k - 1))
    between = (raters - rest) / n
    single, mean = crops + (k - 1) * rest + k * between, crops + between
    return (
        float((crops - rest) / single) if single > 0 else math.nan,
        float((crops - rest) / mean) if mean > 0 else math.nan,
    )


def agreement(scores: npt.ArrayLike, people: Sequence[str]) -> Agreement | None:
    """Both correlations with intervals, by bootstrap over people; None for fewer than two raters or people.

    Args:
        scores: (N, k), a row a crop, NaN where a rater could not judge; such rows count for nobody.
        people: Whose crop it is.
    """
    x = np.asarray(scores, np.float64)
    known = np.isfinite(x).all(axis=1)
    x = x[known]
    whose = np.asarray(people)[known].tolist()
    if x.shape[1] < 2 or len(set(whose)) < 2:
        return None
    rows = photos_of(whose)
    rng = np.random.default_rng(SEED)
    drawn = np.array([icc2(x[drawn_again(rows, rng)]) for _ in range(DRAWS)])
    single, mean = (_interval(value, of, len(rows)) for value, of in zip(icc2(x), drawn.T, strict=True))
    return Agreement(single, mean, x.shape[1], len(x))


def _interval(value: float, drawn: Array, people: int) -> Interval:
    known = drawn[np.isfinite(drawn)]
    low, high = np.percentile(known, [2.5, 97.5]) if len(known) else (math.nan, math.nan)
    return Interval(value, float(low), float(high), people)


def share(hits: float, of: int) -> Interval:
    """A share and its 95% binomial interval, Wilson's, which holds for few trials and shares near 0 or 1.

    Args:
        hits: Not whole where a trial is the mean of several raters.
        of: Trials.

    Example:
        >>> found = share(30, 60)
        >>> round(found.low, 3), found.value, round(found.high, 3)
        (0.377, 0.5, 0.623)
    """
    if not of:
        return Interval(math.nan, math.nan, math.nan, 0)
    p = hits / of
    middle = (p + _Z**2 / (2 * of)) / (1 + _Z**2 / of)
    reach = _Z * math.sqrt(p * (1 - p) / of + _Z**2 / (4 * of**2)) / (1 + _Z**2 / of)
    return Interval(p, middle - reach, middle + reach, of)
