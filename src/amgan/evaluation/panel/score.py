"""What the raters said, with the key beside it."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from amgan.evaluation.bootstrap import Interval, interval
from amgan.evaluation.panel.agreement import Agreement, agreement, share
from amgan.evaluation.panel.forms import Choice, Rating
from amgan.evaluation.panel.key import Crop, PairKey, RatingKey

ALL = "all signs"
Ratings = Mapping[str, Mapping[int, Rating]]
# (face, sign, target) to the mean of the raters.
Means = Mapping[tuple[str, str, float | None], float]


@dataclass(frozen=True)
class Level:
    """One sign at one target.

    Attributes:
        sign: Which, or `ALL`.
        target: Score in 0..1 that was asked for; None of the originals.
        severity: 0..100, mean.
        naturalness: As above.
        below_original: Naturalness of the same face's original less this; NaN of the originals.
        occluded: Share of the judgements that said so.
    """

    sign: str
    target: float | None
    severity: Interval
    naturalness: Interval
    below_original: Interval
    occluded: float


@dataclass(frozen=True)
class Order:
    """Does a sign look as it was asked for, on every face?

    Attributes:
        sign: Which, or `ALL`.
        rising: Share of the faces whose severity rises from each target to the next.
        between: Share whose original looks no milder than the lowest target and no severer than the highest.
        in_order: Share with both.
    """

    sign: str
    rising: Interval
    between: Interval
    in_order: Interval


@dataclass(frozen=True)
class Trust:
    """How far raters can be trusted on a sign.

    Attributes:
        sign: Which, or `ALL`.
        severity: Agreement; None of one rater alone.
        naturalness: As above.
        graded: Originals that carry a grade.
        off: Mean absolute difference of the raters' mean from that grade.
        r: Correlation with it.
    """

    sign: str
    severity: Agreement | None
    naturalness: Agreement | None
    graded: int
    off: float
    r: float


@dataclass(frozen=True)
class RatingResult:
    """All of a study of ratings; `ALL` comes last in each. Without two targets there is no order."""

    raters: list[str]
    levels: list[Level]
    orders: list[Order]
    trust: list[Trust]


@dataclass(frozen=True)
class Told:
    """How often the made one of a pair was told apart; half is guessing.

    Attributes:
        name: Sign, rater, or all.
        share: With its binomial interval; `Interval.people` counts the pairs. Raters of one pair are no independent
            trials, so that more raters do not make it narrower.
    """

    name: str
    share: Interval


@dataclass(frozen=True)
class PairResult:
    """All of a study of pairs.

    Attributes:
        raters: Told apart by each.
        signs: By all raters, each sign.
        overall: By all raters, all signs.
        why: What told apart rightly, by sign and number.
    """

    raters: list[Told]
    signs: list[Told]
    overall: Told
    why: list[tuple[str, int, str, str]]


def score_ratings(key: RatingKey, ratings: Ratings) -> RatingResult:
    """Means, order and agreement.

    Args:
        key: Of the study.
        ratings: Rater to number to rating.
    """
    judged = {number for of in ratings.values() for number in of}
    crops = [crop for crop in key.crops if crop.number in judged]
    signs = list(dict.fromkeys(crop.sign for crop in crops))
    groups = {**{sign: [sign] for sign in signs}, **({ALL: signs} if len(signs) > 1 else {})}
    severity = _means(crops, ratings, lambda rating: rating.severity)
    natural = _means(crops, ratings, lambda rating: rating.naturalness)
    levels, orders, trust = [], [], []
    for name, members in groups.items():
        some = [crop for crop in crops if crop.sign in members]
        for target in sorted({crop.target for crop in some}, key=lambda t: -1 if t is None else t):
            levels.append(_level(name, target, some, severity, natural, ratings))
        if len({crop.target for crop in some} - {None}) > 1:
            orders.append(_order(name, some, severity))
        trust.append(_trust(name, some, severity, ratings))
    return RatingResult(list(ratings), levels, orders, trust)


def score_pairs(key: PairKey, choices: Mapping[str, Mapping[int, Choice]]) -> PairResult:
    """How often the made one was told apart.

    Args:
        key: Of the study.
        choices: Rater to number to choice.
    """
    pairs = {pair.number: pair for pair in key.pairs}
    right = {
        (rater, number): choice.made == pairs[number].made
        for rater, of in choices.items()
        for number, choice in of.items()
    }

    raters = [_told(name, {key: hit for key, hit in right.items() if key[0] == name}) for name in choices]
    signs = dict.fromkeys(pairs[number].sign for _, number in right)
    by_sign = [_told(sign, {key: hit for key, hit in right.items() if pairs[key[1]].sign == sign}) for sign in signs]
    why = [
        (pairs[number].sign, number, rater, choices[rater][number].why)
        for (rater, number), hit in sorted(right.items(), key=lambda entry: entry[0][1])
        if hit and choices[rater][number].why
    ]
    return PairResult(raters, by_sign, _told(ALL, right), why)


def _told(name: str, right: Mapping[tuple[str, int], bool]) -> Told:
    by_pair: dict[int, list[bool]] = {}
    for (_, number), hit in right.items():
        by_pair.setdefault(number, []).append(hit)
    return Told(name, share(sum(float(np.mean(hits)) for hits in by_pair.values()), len(by_pair)))


def _means(crops: Sequence[Crop], ratings: Ratings, value: Callable[[Rating], float]) -> Means:
    """The mean of all raters who could judge a crop; NaN if none could."""
    found = {}
    for crop in crops:
        said = [value(of[crop.number]) for of in ratings.values() if crop.number in of]
        known = [one for one in said if not math.isnan(one)]
        found[crop.face, crop.sign, crop.target] = float(np.mean(known)) if known else math.nan
    return found


def _level(
    name: str, target: float | None, crops: Sequence[Crop], severity: Means, natural: Means, ratings: Ratings
) -> Level:
    some = [crop for crop in crops if crop.target == target]
    people = [crop.person for crop in some]
    places = [(crop.face, crop.sign, target) for crop in some]
    below = [
        math.nan if target is None else natural[face, sign, None] - natural[face, sign, target]
        for face, sign, _ in places
    ]
    said = [of[crop.number].occluded for of in ratings.values() for crop in some if crop.number in of]
    return Level(
        name,
        target,
        interval([severity[place] for place in places], people),
        interval([natural[place] for place in places], people),
        interval(below, people),
        float(np.mean(said)),
    )


def _order(name: str, crops: Sequence[Crop], severity: Means) -> Order:
    targets = sorted({crop.target for crop in crops if crop.target is not None})
    originals = [crop for crop in crops if crop.target is None]
    rising, between = [], []
    for crop in originals:
        made = [severity[crop.face, crop.sign, target] for target in targets]
        own = severity[crop.face, crop.sign, None]
        steps = np.diff(made)
        rising.append(math.nan if np.isnan(made).any() else float((steps > 0).all()))
        between.append(math.nan if np.isnan([*made, own]).any() else float(made[0] <= own <= made[-1]))
    people = [crop.person for crop in originals]
    both = [a * b for a, b in zip(rising, between, strict=True)]
    return Order(name, interval(rising, people), interval(between, people), interval(both, people))


def _trust(name: str, crops: Sequence[Crop], severity: Means, ratings: Ratings) -> Trust:
    # Raters of one part of the signs alone have nothing to be compared by on all.
    whole = [of for of in ratings.values() if all(crop.number in of for crop in crops)]
    people = [crop.person for crop in crops]

    def table(value: Callable[[Rating], float]) -> npt.NDArray[np.float64]:
        return np.array([[value(of[crop.number]) for of in whole] for crop in crops], np.float64)

    graded = [(crop.grade, severity[crop.face, crop.sign, None]) for crop in crops if crop.target is None]
    known = np.array([(a, b) for a, b in graded if a is not None and not math.isnan(b)], np.float64).reshape(-1, 2)
    varies = len(known) > 2 and bool((np.ptp(known, axis=0) > 0).all())
    return Trust(
        name,
        agreement(table(lambda rating: rating.severity), people),
        agreement(table(lambda rating: rating.naturalness), people),
        len(known),
        float(np.abs(known[:, 0] - known[:, 1]).mean()) if len(known) else math.nan,
        float(np.corrcoef(known[:, 0], known[:, 1])[0, 1]) if varies else math.nan,
    )
