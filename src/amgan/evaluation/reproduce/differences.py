"""By how much does a row differ from another? On the same faces with the same targets what they share falls out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from amgan.evaluation.bootstrap import Interval, interval
from amgan.evaluation.face import ORIGINAL, Found
from amgan.evaluation.protocol import DRAWN, Plan
from amgan.evaluation.reproduce.rows import ROWS
from amgan.evaluation.totals.signs import target_error
from amgan.signs.atlas import Atlas


@dataclass(frozen=True)
class FaceErrors:
    """The MAE of the signs, face by face, in the order of the plans that all rows of a study have.

    Attributes:
        people: Whose face it is.
        aged: Of the row; NaN of a face that has none.
        undone: If nothing were done.
    """

    people: Sequence[str]
    aged: Sequence[float]
    undone: Sequence[float]


@dataclass(frozen=True)
class Differences:
    """By how much the MAE of a row is higher, with 95% intervals.

    Attributes:
        undone: Than if nothing were done.
        beside: Than that of the row which differs from it in one switch; None if there is none, or not yet.
    """

    undone: Interval
    beside: Interval | None


def errors_of(plans: Sequence[Plan], found: Mapping[str, Found], atlas: Atlas) -> FaceErrors:
    """The errors of a row.

    Args:
        plans: What was asked of each face.
        found: Name to what was found on it.
        atlas: The signs.
    """
    aged, undone = (
        [target_error(plan, found[plan.row.name], atlas, kind) for plan in plans] for kind in (DRAWN, ORIGINAL)
    )
    return FaceErrors([plan.row.identity for plan in plans], aged, undone)


def differences_of(errors: Mapping[str, FaceErrors]) -> dict[str, Differences]:
    """Of each finished row, in the order of the tables.

    Args:
        errors: Row to its errors.
    """
    found = {}
    for name in (name for name in ROWS if name in errors):
        own, other = errors[name], errors.get(ROWS[name].beside)
        beside = None if other is None else _less(own.aged, other.aged, own.people)
        found[name] = Differences(_less(own.aged, own.undone, own.people), beside)
    return found


def _less(one: Sequence[float], other: Sequence[float], people: Sequence[str]) -> Interval:
    return interval([a - b for a, b in zip(one, other, strict=True)], people)
