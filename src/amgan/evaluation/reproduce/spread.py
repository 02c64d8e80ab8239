"""How differently do old people age? The spread of the normalised signs among the oldest (paper 5.4)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from amgan.data.table import Row
from amgan.errors import DatasetError
from amgan.evaluation.bootstrap import DRAWS, SEED, Interval, interval
from amgan.signs.atlas import Atlas

# The paper: of its 150 oldest, 65 to 80 years old.
PAPER_OLDEST, PAPER_YEARS, PAPER_MEDIAN = 150, (65, 80), 0.18
# A standard deviation of fewer signs says nothing.
FEWEST_SIGNS = 3


@dataclass(frozen=True)
class Spread:
    """What the oldest have in common, and what not.

    Attributes:
        people: How many there are.
        years: Age of the youngest and of the oldest of them.
        within: Standard deviation of the signs of one person, median over the people: the paper's figure.
        across: Standard deviation of one sign over the people, median over the signs.
        signs: Sign to that of it alone.
        means: Sign to its mean score.
    """

    people: int
    years: tuple[float, float]
    within: Interval
    across: Interval
    signs: dict[str, float]
    means: dict[str, float]


def spread_of_oldest(rows: Sequence[Row], atlas: Atlas, oldest: int = PAPER_OLDEST) -> Spread:
    """Of the oldest people with grades, one photo each.

    The paper's "median standard deviation of their normalized aging signs" is read as: of each person's signs, the
    median over the people. The other reading, of each sign over the people, is given beside it.

    Args:
        rows: Of a set; grades that a person gave count, estimates do not.
        atlas: The signs.
        oldest: How many people at most.

    Raises:
        DatasetError: Fewer than two people have an age and grades, or no two of the same sign.
    """
    graded_rows = [
        row for row in rows if not math.isnan(row.age) and np.isfinite(_scores(row, atlas)).sum() >= FEWEST_SIGNS
    ]
    found: dict[str, Row] = {}
    for row in sorted(graded_rows, key=lambda row: (-row.age, row.name)):
        found.setdefault(row.identity, row)
    chosen = list(found.values())[:oldest]
    if len(chosen) < 2:
        raise DatasetError(f"{len(chosen)} people have an age and {FEWEST_SIGNS} graded signs; grade more of them")
    scores = np.array([_scores(row, atlas) for row in chosen])
    within = [float(np.nanstd(of)) for of in scores]
    graded = np.isfinite(scores).sum(axis=0) >= 2
    if not graded.any():
        raise DatasetError(
            f"no two of the {len(chosen)} oldest people have a grade of the same sign; grade more of them"
        )
    names = [sign for sign, known in zip(atlas.signs, graded, strict=True) if known]
    scores = scores[:, graded]
    rng = np.random.default_rng(SEED)
    drawn = [_median_deviation(scores[rng.integers(0, len(scores), len(scores))]) for _ in range(DRAWS)]
    # A draw may have nobody with a grade of these signs.
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    across = np.nanstd(scores, axis=0)
    return Spread(
        len(chosen),
        (atlas.age.grade(chosen[-1].age), atlas.age.grade(chosen[0].age)),
        interval(within, [row.identity for row in chosen], "median"),
        Interval(float(np.median(across)), float(low), float(high), len(chosen)),
        dict(zip(names, across.tolist(), strict=True)),
        dict(zip(names, np.nanmean(scores, axis=0).tolist(), strict=True)),
    )


def _median_deviation(scores: npt.NDArray[np.float64]) -> float:
    """Standard deviation of each sign over people (P, S), median over the signs somebody has; NaN without any."""
    known = np.isfinite(scores).any(axis=0)
    return float(np.median(np.nanstd(scores[:, known], axis=0))) if known.any() else math.nan


def _scores(row: Row, atlas: Atlas) -> list[float]:
    return [row.of_sign(sign) for sign in atlas.signs]
