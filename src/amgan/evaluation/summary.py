"""From what was found on each face to the figures of a model, with intervals, limits and groups."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from amgan.evaluation.bootstrap import FEWEST, Interval, Statistic, interval, set_interval, worst_ratio
from amgan.evaluation.face import ORIGINAL, Found, decode
from amgan.evaluation.judges.identity import SAME_PERSON
from amgan.evaluation.measures.distances import frechet_distance, kernel_distance
from amgan.evaluation.measures.response import cross_talk, mean_absolute_error, monotone, slope
from amgan.evaluation.networks import INCEPTION, LEADING
from amgan.evaluation.protocol import DRAWN, LEVELS, OLDER, YOUNGER, Plan, groups_of
from amgan.signs.atlas import AGE, Atlas

Better = Literal["less", "more", ""]
# Years from which a face counts as really old; and the share of the oldest targets compared with those.
OLD_YEARS, OLDEST = 50, 0.25
# People a half must have for a distance of a group.
HALF_GROUP = 10


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
    def worst(self) -> float:
        """How many times worse than all the worst group is; NaN if that cannot be said."""
        if not self.better:
            return float("nan")
        groups = [one for kind in self.groups.values() for one in kind.values()]
        return worst_ratio(self.all.value, groups, self.better == "more")


@dataclass(frozen=True)
class Summary:
    """All figures of an evaluation.

    Attributes:
        model: Name of the model.
        faces: How many were measured.
        failed: Name to error of those that were not.
        figures: In the order of the report.
        cross_talk: Swept sign to sign to change over the swept sign's own.
        curves: Sign to mean estimate at each of `LEVELS`.
        settings: What the evaluation was of.
    """

    model: str
    faces: int
    failed: Mapping[str, str]
    figures: Sequence[Figure]
    cross_talk: Mapping[str, Mapping[str, float]]
    curves: Mapping[str, Sequence[float]]
    settings: Mapping[str, Any]

    def figure(self, key: str) -> Figure | None:
        """The figure of a key, if it could be measured."""
        return next((figure for figure in self.figures if figure.key == key), None)


@dataclass(frozen=True)
class _Faces:
    """Measured faces and their plans, side by side."""

    plans: Sequence[Plan]
    found: Sequence[Found]
    atlas: Atlas

    def figure(
        self,
        key: str,
        title: str,
        of: Callable[[Plan, Found], float],
        limit: float | None = None,
        better: Better = "",
        statistic: Statistic = "mean",
    ) -> list[Figure]:
        """A figure of one value a face; none if no face has one."""
        values = [of(p, f) for p, f in zip(self.plans, self.found, strict=True)]
        if not np.isfinite(values).any():
            return []
        people = [p.row.identity for p in self.plans]

        def some(which: Sequence[int]) -> Interval:
            return interval([values[i] for i in which], [people[i] for i in which], statistic)

        groups = {k: {n: some(w) for n, w in of_kind.items()} for k, of_kind in self.groups().items()}
        groups = {k: {n: g for n, g in of_kind.items() if g.people} for k, of_kind in groups.items()}
        return [Figure(key, title, some(range(len(values))), limit, better, groups)]

    def groups(self) -> dict[str, dict[str, list[int]]]:
        """Kind to group to the faces in it, of groups of at least `FEWEST` people."""
        found: dict[str, dict[str, list[int]]] = {}
        for place, plan in enumerate(self.plans):
            for kind, name in groups_of(plan.row, self.atlas).items():
                found.setdefault(kind, {}).setdefault(name, []).append(place)
        return {
            kind: {n: w for n, w in sorted(of.items()) if len({self.plans[i].row.identity for i in w}) >= FEWEST}
            for kind, of in found.items()
        }

    def features(self, network: str, kind: str, which: Sequence[int]) -> npt.NDArray[np.float32]:
        return np.stack([decode(self.found[i].features[kind][network]) for i in which])


def summarise(
    model: str, plans: Sequence[Plan], found: Sequence[Found], atlas: Atlas, settings: Mapping[str, Any]
) -> Summary:
    """All figures.

    Args:
        model: Its name.
        plans: What was asked of each face.
        found: What was found on it.
        atlas: The signs.
        settings: For the report.
    """
    failed = {one.name: one.error for one in found if one.error}
    pairs = [(p, f) for p, f in zip(plans, found, strict=True) if not f.error]
    faces = _Faces([p for p, _ in pairs], [f for _, f in pairs], atlas)
    figures = [
        *_distances(faces),
        *faces.figure(
            "mae", "MAE of target against estimated sign", lambda p, f: _mae(p, f, atlas, DRAWN), 0.12, "less"
        ),
        *faces.figure("mae_undone", "MAE if nothing is done", lambda p, f: _mae(p, f, atlas, ORIGINAL)),
        *_responses(faces),
        *_identity(faces),
        *_ages(faces),
        *_pictures(faces),
    ]
    matrix, curves = _sweeps(faces)
    return Summary(model, len(pairs), failed, figures, matrix, curves, settings)


def _mae(plan: Plan, found: Found, atlas: Atlas, kind: str) -> float:
    """Over the signs whose image-left or centre zone the donor has a label of: that is the side that is judged."""
    if kind not in found.signs:
        return float("nan")
    zones = {sign: atlas.zones_of(sign)[0] for sign in atlas.signs}
    signs = [sign for sign, zone in zones.items() if zone in plan.drawn]
    return mean_absolute_error([plan.drawn[zones[s]] for s in signs], [found.signs[kind][s] for s in signs])


def _responses(faces: _Faces) -> list[Figure]:
    figures: list[Figure] = []
    for sign in faces.atlas.signs:

        def own_slope(_: Plan, f: Found, sign: str = sign) -> float:
            return slope(LEVELS, f.sweeps[sign]["scores"]) if sign in f.sweeps else float("nan")

        figures += faces.figure(f"slope.{sign}", f"slope, {_words(sign)}", own_slope, 0.6, "more")
    figures += faces.figure(
        "slope",
        "slope, all sweeps",
        lambda _, f: _mean([slope(LEVELS, s["scores"]) for s in f.sweeps.values()]),
        0.6,
        "more",
    )
    figures += faces.figure(
        "monotone",
        "share of sweeps that never fall",
        lambda _, f: _mean([monotone(s["scores"]) for s in f.sweeps.values()]),
        0.9,
        "more",
    )
    matrix, _ = _sweeps(faces)
    talk = [abs(v) for i, row in matrix.items() for j, v in row.items() if i != j]
    if talk:
        people = [p.row.identity for p, f in zip(faces.plans, faces.found, strict=True) if f.sweeps]
        for key, title, value in (
            ("cross_talk", "cross-talk, mean of the other signs", float(np.mean(talk))),
            ("cross_talk_most", "cross-talk, largest entry of the matrix", float(np.max(talk))),
        ):
            low, high = _talk_interval(faces, np.mean if key == "cross_talk" else np.max)
            figures.append(Figure(key, title, Interval(value, low, high, len(set(people))), 0.3, "less"))
    figures += faces.figure(
        "locality", "change in the edited zones over the rest of the head, median",
        lambda _, f: _mean([s["inside"] for s in f.sweeps.values()]), None, "", "median",
    )  # fmt: skip
    return figures


def _talk_interval(faces: _Faces, statistic: Callable[[list[float]], Any]) -> tuple[float, float]:
    rng = np.random.default_rng(0)
    people = sorted({plan.row.identity for plan in faces.plans})
    of = {who: [i for i, plan in enumerate(faces.plans) if plan.row.identity == who] for who in people}
    drawn = []
    for _ in range(200):
        which = [i for who in rng.choice(people, len(people)) for i in of[str(who)]]
        some = _Faces([faces.plans[i] for i in which], [faces.found[i] for i in which], faces.atlas)
        matrix, _ = _sweeps(some)
        talk = [abs(v) for i, row in matrix.items() for j, v in row.items() if i != j]
        drawn.append(float(statistic(talk)) if talk else float("nan"))
    low, high = np.nanpercentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def _sweeps(faces: _Faces) -> tuple[dict[str, dict[str, float]], dict[str, list[float]]]:
    """The cross-talk matrix and the mean response curves of the signs that were swept on somebody."""
    signs = list(faces.atlas.signs)
    runs = {sign: [f.sweeps[sign] for f in faces.found if sign in f.sweeps] for sign in signs}
    runs = {sign: of_sign for sign, of_sign in runs.items() if of_sign}
    if len(runs) < len(signs):
        return {}, {s: np.mean([r["scores"] for r in of], axis=0).tolist() for s, of in runs.items()}
    changes = np.array([[np.mean([r["last"][j] - r["first"][j] for r in runs[i]]) for j in signs] for i in signs])
    table = cross_talk(changes)
    matrix = {
        i: {j: float(table[a, b]) for b, j in enumerate(signs)}
        for a, i in enumerate(signs)
        if np.isfinite(table[a]).all()
    }
    return matrix, {s: np.mean([r["scores"] for r in of], axis=0).tolist() for s, of in runs.items()}


def _identity(faces: _Faces) -> list[Figure]:
    figures: list[Figure] = []
    for kind in (YOUNGER, OLDER, DRAWN):
        figures += faces.figure(
            f"same_person.{kind}", f"same person, {kind}",
            lambda _, f, kind=kind: float(f.distance[kind] < SAME_PERSON) if kind in f.distance else float("nan"),
            None if kind == DRAWN else 0.99, "more",
        )  # fmt: skip
        figures += faces.figure(
            f"identity.{kind}", f"identity distance, {kind}",
            lambda _, f, kind=kind: f.distance.get(kind, float("nan")), None, "less",
        )  # fmt: skip
    return figures


def _ages(faces: _Faces) -> list[Figure]:
    def gap(of: str, less: str) -> Callable[[Plan, Found], float]:
        def years(_: Plan, f: Found) -> float:
            if of not in f.ages or less not in f.ages:
                return float("nan")
            return _mean(list(f.ages[of].values())) - _mean(list(f.ages[less].values()))

        return years

    names = " and ".join(next((list(f.ages[ORIGINAL]) for f in faces.found if ORIGINAL in f.ages), []))
    figures = faces.figure(
        "age_gap",
        f"apparent age, older minus younger, median years ({names})",
        gap(OLDER, YOUNGER),
        15,
        "more",
        "median",
    )
    for kind in ("blurred", "sharpened"):
        figures += faces.figure(
            f"age_{kind}", f"the same judges, {kind} minus original", gap(kind, ORIGINAL), None, "", "median"
        )
    for kind in (YOUNGER, OLDER, "blurred", "sharpened"):
        figures += faces.figure(
            f"signs_{kind}", f"mean change of the signs, {kind} (controlled faces)",
            lambda _, f, kind=kind: _mean(list(f.signs[kind].values())) - _mean(list(f.signs[ORIGINAL].values()))
            if kind in f.signs else float("nan"),
        )  # fmt: skip
    return figures


def _pictures(faces: _Faces) -> list[Figure]:
    figures: list[Figure] = []
    for kind in (YOUNGER, OLDER):
        figures += faces.figure(
            f"colour.{kind}", f"colour change of the skin (CIELAB a*b*), {kind}",
            lambda _, f, kind=kind: f.colour.get(kind, float("nan")), 1.5, "less",
        )  # fmt: skip
        figures += faces.figure(
            f"detail.{kind}", f"energy of fine detail over the original's, {kind}, median",
            lambda _, f, kind=kind: f.detail.get(kind, float("nan")), None, "", "median",
        )  # fmt: skip
        figures += faces.figure(
            f"grid.{kind}", f"lattice in the change (about 1 to 3 without one), {kind}, median",
            lambda _, f, kind=kind: f.grid.get(kind, float("nan")), None, "", "median",
        )  # fmt: skip
    figures += faces.figure(
        "background", "share of faces whose background is bit-exact",
        lambda _, f: float(max(f.background.values()) == 0) if f.background else float("nan"), None, "more",
    )  # fmt: skip
    figures += faces.figure(
        "detail.blurred", "energy of fine detail, blurred", lambda _, f: f.detail.get("blurred", float("nan"))
    )
    return figures


def _distances(faces: _Faces) -> list[Figure]:
    """Through each network the distance of the aged half to the real half, and over that of the two real halves."""
    have = [i for i, f in enumerate(faces.found) if DRAWN in f.features]
    if len(have) < 4:
        return []
    people = [plan.row.identity for plan in faces.plans]
    figures: list[Figure] = []
    for network in faces.found[have[0]].features[DRAWN]:
        name = "FID" if network == INCEPTION else f"Fréchet distance, {network}"

        def halves(which: Sequence[int]) -> tuple[list[int], list[int]]:
            return [i for i in which if faces.plans[i].half == 0], [i for i in which if faces.plans[i].half == 1]

        def compare(
            which: Sequence[int],
            score: Callable[[npt.NDArray[np.floating], npt.NDArray[np.floating]], float],
            kind: str,
            network: str = network,
        ) -> Interval:
            first, second = halves(which)
            real = [faces.features(network, ORIGINAL, half) for half in (first, second)]
            aged = [faces.features(network, DRAWN, half) for half in (first, second)]

            def value(a: npt.NDArray[np.int64], b: npt.NDArray[np.int64]) -> float:
                # Each half is the reference once, so that no face is lost.
                made = (score(real[0][a], aged[1][b]) + score(real[1][b], aged[0][a])) / 2
                base = score(real[0][a], real[1][b])
                return made if kind == "aged" else base if kind == "real" else made / base

            return set_interval(value, [people[i] for i in first], [people[i] for i in second])

        groups: dict[str, dict[str, Interval]] = {}
        if network == LEADING:
            for of_kind, members in faces.groups().items():
                for group, which in members.items():
                    some = [i for i in which if i in set(have)]
                    if min(len(half) for half in halves(some)) >= HALF_GROUP:
                        groups.setdefault(of_kind, {})[group] = compare(some, frechet_distance, "ratio")
        limit = 1.8 if network == LEADING else None
        ratio = compare(have, frechet_distance, "ratio")
        figures.append(
            Figure(f"frechet_ratio.{network}", f"{name}: aged half over real half", ratio, limit, "less", groups)
        )
        figures.append(Figure(f"frechet.{network}", f"{name}, aged half", compare(have, frechet_distance, "aged")))
        figures.append(Figure(f"frechet_real.{network}", f"{name}, real half", compare(have, frechet_distance, "real")))
        figures.append(Figure(f"kid.{network}", f"KID, {network}, aged half", compare(have, kernel_distance, "aged")))
        figures.append(
            Figure(f"kid_real.{network}", f"KID, {network}, real half", compare(have, kernel_distance, "real"))
        )
        figures += _old(faces, have, network, name)
    return figures


def _old(faces: _Faces, have: Sequence[int], network: str, name: str) -> list[Figure]:
    """Faces under 50 that were given the oldest targets: aged, and as they were, against the real old."""
    years = {i: faces.atlas.age.grade(faces.plans[i].row.age) for i in have}
    old = [i for i in have if years[i] >= OLD_YEARS]
    asked = sorted(have, key=lambda i: -faces.plans[i].drawn[AGE])[: round(OLDEST * len(have))]
    young = [i for i in asked if not years[i] >= OLD_YEARS]
    if min(len(old), len(young)) < 3:
        return []
    people = [plan.row.identity for plan in faces.plans]
    real = faces.features(network, ORIGINAL, old)
    figures = []
    for kind, words in ((DRAWN, "oldest quarter of targets against real old"), (ORIGINAL, "the same, not aged")):
        of = faces.features(network, kind, young)
        found = set_interval(
            lambda a, b, of=of: frechet_distance(of[a], real[b]), [people[i] for i in young], [people[i] for i in old]
        )
        figures.append(Figure(f"old.{kind}.{network}", f"{name}: {words}", found))
    return figures


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def _words(sign: str) -> str:
    return sign.replace("_", " ")


def as_dict(summary: Summary) -> dict[str, Any]:
    """For JSON; what is not a number becomes null."""
    content = dataclasses.asdict(summary)
    for entry, figure in zip(content["figures"], summary.figures, strict=True):
        entry |= {"met": figure.met, "worst_group_ratio": figure.worst}
    cleaned: dict[str, Any] = _clean(content)
    return cleaned


def _clean(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _clean(one) for key, one in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(one) for one in value]
    if isinstance(value, float):
        return round(value, 5) if np.isfinite(value) else None
    return value
