"""Sweeps of one sign alone: does it follow its target, do the others stay, does the change stay in its zones?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from amgan.evaluation.bootstrap import SEED, SET_DRAWS, Interval
from amgan.evaluation.face import Found
from amgan.evaluation.measures.response import cross_talk, monotone, slope
from amgan.evaluation.protocol import LEVELS, TALK, Plan
from amgan.evaluation.totals.figure import Faces, Figure, mean, words

Matrix = dict[str, dict[str, float]]


@dataclass(frozen=True)
class Response:
    """One sweep of one sign on one face.

    Attributes:
        face: Name of the photo.
        scores: What the judge says at each of `LEVELS`.
    """

    face: str
    scores: Sequence[float]


def sweeps_of(faces: Faces) -> dict[str, list[Response]]:
    """Sign to its sweeps, of the signs that were swept on somebody."""
    found = {
        sign: [Response(f.name, f.sweeps[sign]["scores"]) for f in faces.found if sign in f.sweeps]
        for sign in faces.atlas.signs
    }
    return {sign: sweeps for sign, sweeps in found.items() if sweeps}


def talk_matrix(faces: Faces) -> Matrix:
    """Swept sign to sign to its change over the swept one's own, both means over the faces, from 0.1 to 0.9.

    Signs that did not move themselves have no row.
    """
    signs = list(faces.atlas.signs)
    matrix: Matrix = {}
    for sign in signs:
        runs = [f.sweeps[sign] for f in faces.found if sign in f.sweeps]
        if runs:
            changes = [mean([run["last"][other] - run["first"][other] for run in runs]) for other in signs]
            row = cross_talk(np.array(changes), signs.index(sign))
            if np.isfinite(row).all():
                matrix[sign] = dict(zip(signs, row.tolist(), strict=True))
    return matrix


def responses(faces: Faces) -> list[Figure]:
    """Slope of each sign and of all, monotone share, cross-talk, locality."""
    figures: list[Figure] = []
    for sign in faces.atlas.signs:

        def own_slope(_: Plan, f: Found, sign: str = sign) -> float:
            return slope(LEVELS, f.sweeps[sign]["scores"]) if sign in f.sweeps else float("nan")

        figures += faces.figure(f"slope.{sign}", f"slope, {words(sign)}", own_slope, 0.6, "more")
    figures += faces.figure(
        "slope",
        "slope, all sweeps",
        lambda _, f: mean([slope(LEVELS, s["scores"]) for s in f.sweeps.values()]),
        better="more",
    )
    figures += faces.figure(
        "monotone",
        "share of sweeps that never fall",
        lambda _, f: mean([monotone(s["scores"]) for s in f.sweeps.values()]),
        0.9,
        "more",
    )
    figures += _cross_talk(faces)
    figures += faces.figure(
        "locality",
        "change in the edited zones over the rest of the head, median",
        lambda _, f: mean([s["inside"] for s in f.sweeps.values()]),
        statistic="median",
    )
    return figures


def _cross_talk(faces: Faces) -> list[Figure]:
    value = _talk(talk_matrix(faces))
    if not np.isfinite(value).all():
        return []
    people = np.array(faces.people)
    swept = sorted({who for who, f in zip(people.tolist(), faces.found, strict=True) if f.sweeps})
    of = {who: np.flatnonzero(people == who) for who in swept}
    rng = np.random.default_rng(SEED)
    drawn = []
    for _ in range(SET_DRAWS):
        which = np.concatenate([of[str(who)] for who in rng.choice(swept, len(swept))])
        some = Faces([faces.plans[i] for i in which], [faces.found[i] for i in which], faces.atlas)
        drawn.append(_talk(talk_matrix(some)))
    # Sizes of noisy changes only grow when people are drawn twice: the spread of the draws counts, not their place.
    low, high = np.nanpercentile(drawn - np.nanmean(drawn, axis=0), [2.5, 97.5], axis=0) + value
    first, last = TALK
    titles = (f"cross-talk {first:g} to {last:g}, mean of the other signs", "cross-talk, largest of the matrix")
    found = [Interval(float(v), float(a), float(b), len(swept)) for v, a, b in zip(value, low, high, strict=True)]
    return [
        Figure("cross_talk", titles[0], found[0]),
        Figure("cross_talk_most", titles[1], found[1], 0.3, "less"),
    ]


def _talk(matrix: Matrix) -> npt.NDArray[np.float64]:
    """Mean and largest of the changes of signs that were not swept, without their direction."""
    others = [abs(value) for swept, row in matrix.items() for sign, value in row.items() if sign != swept]
    return np.array([np.mean(others), np.max(others)] if others else [np.nan, np.nan])
