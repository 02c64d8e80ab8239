"""One figure, and the measured faces that figures are made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
import numpy.typing as npt

from amgan.evaluation.bootstrap import FEWEST, Interval, Statistic, interval, worst_ratio
from amgan.evaluation.face import Found, decode
from amgan.evaluation.protocol import Plan, groups_of
from amgan.signs.atlas import Atlas

Better = Literal["less", "more", ""]
# Kinds of groups of which none may be much worse than all; by age band a figure is printed only, for what can be asked
# of a face differs there.
FAIR = ("population", "sex")


@dataclass(frozen=True)
class Figure:
    """One figure.

    Attributes:
        key: For machines.
        title: For people.
        all: On all faces.
        limit: What is wanted; None if it is only reported.
        better: Whether less or more is better, "" if neither.
        groups: Kind of group to group to the same figure of it.
    """

    key: str
    title: str
    all: Interval
    limit: float | None = None
    better: Better = ""
    groups: Mapping[str, Mapping[str, Interval]] = field(default_factory=dict)

    @property
    def met(self) -> bool | None:
        """Whether the limit is met; None without one."""
        if self.limit is None or not np.isfinite(self.all.value):
            return None
        return self.all.value <= self.limit if self.better == "less" else self.all.value >= self.limit

    @property
    def worst(self) -> tuple[str, float]:
        """The worst population or sex, and how many times worse than all it is (see `ratio`).

        "" and NaN if that cannot be said.
        """
        ratios = {name: self.ratio(one) for kind in FAIR for name, one in self.groups.get(kind, {}).items()}
        ratios = {name: ratio for name, ratio in ratios.items() if not np.isnan(ratio)}
        name = max(ratios, key=lambda n: ratios[n], default="")
        return name, ratios.get(name, float("nan"))

    def ratio(self, group: Interval) -> float:
        """How many times worse than all a group is, at least 1, infinite of one with none of it; NaN if unknown."""
        return worst_ratio(self.all.value, [group], self.better == "more") if self.better else float("nan")


@dataclass(frozen=True)
class Faces:
    """Measured faces and their plans, side by side."""

    plans: Sequence[Plan]
    found: Sequence[Found]
    atlas: Atlas

    @property
    def people(self) -> list[str]:
        """Whose face it is, one a face."""
        return [plan.row.identity for plan in self.plans]

    def figure(
        self,
        key: str,
        title: str,
        of: Callable[[Plan, Found], float],
        limit: float | None = None,
        better: Better = "",
        statistic: Statistic = "mean",
    ) -> list[Figure]:
        """A figure of one value a face, NaN where a face has none; no figure if no face has one."""
        values = [of(p, f) for p, f in zip(self.plans, self.found, strict=True)]
        if not np.isfinite(values).any():
            return []
        people = self.people

        def some(which: Sequence[int]) -> Interval:
            return interval([values[i] for i in which], [people[i] for i in which], statistic)

        groups = {k: {n: some(w) for n, w in of_kind.items()} for k, of_kind in self.groups().items()}
        groups = {k: {n: g for n, g in of_kind.items() if g.people >= FEWEST} for k, of_kind in groups.items()}
        return [Figure(key, title, some(range(len(values))), limit, better, groups)]

    def groups(self) -> dict[str, dict[str, list[int]]]:
        """Kind to group to the faces in it, of groups of at least `FEWEST` people."""
        found: dict[str, dict[str, list[int]]] = {}
        for place, plan in enumerate(self.plans):
            for kind, name in groups_of(plan.row, self.atlas).items():
                found.setdefault(kind, {}).setdefault(name, []).append(place)
        people = self.people
        return {
            kind: {n: w for n, w in sorted(of.items()) if len({people[i] for i in w}) >= FEWEST}
            for kind, of in found.items()
        }

    def features(self, network: str, kind: str, which: Sequence[int]) -> npt.NDArray[np.float32]:
        """(F, D) features of one kind of picture of some faces."""
        return np.stack([decode(self.found[i].features[kind][network]) for i in which])


def of_kind(measure: Literal["colour", "detail", "distance", "grid"], kind: str) -> Callable[[Plan, Found], float]:
    """What was measured on one kind of picture; NaN of a face without it."""

    def value(_: Plan, found: Found) -> float:
        by_kind: Mapping[str, float] = getattr(found, measure)
        return by_kind.get(kind, float("nan"))

    return value


def mean(values: Sequence[float]) -> float:
    """Their mean; NaN of nothing."""
    return float(np.mean(values)) if len(values) else float("nan")


def words(sign: str) -> str:
    """A sign as people write it."""
    return sign.replace("_", " ")
