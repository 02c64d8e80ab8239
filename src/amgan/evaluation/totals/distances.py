"""Realism: how far apart are sets of aged and of real faces, through each network?"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from amgan.evaluation.bootstrap import Interval, set_intervals
from amgan.evaluation.face import ORIGINAL
from amgan.evaluation.measures.distances import frechet_distance, kernel_distance
from amgan.evaluation.networks import INCEPTION, LEADING
from amgan.evaluation.protocol import DRAWN
from amgan.evaluation.totals.figure import Faces, Figure
from amgan.signs.atlas import AGE

Indices = npt.NDArray[np.int64]
Distance = Callable[[npt.NDArray[np.floating], npt.NDArray[np.floating]], float]
# Years from which a face counts as really old; and the share of the oldest targets compared with those.
OLD_YEARS, OLDEST = 50, 0.25
# Faces a half must have for a distance of a group.
HALF_GROUP = 10
# Faces that a set must have to be compared at all.
FEWEST_FACES = 3


def distances(faces: Faces) -> list[Figure]:
    """Through each network the distance of the aged half to the real half, and over that of the two real halves."""
    have = [i for i, f in enumerate(faces.found) if DRAWN in f.features]
    if min(len(half) for half in _halves(faces, have)) < FEWEST_FACES:
        return []
    figures: list[Figure] = []
    for network in faces.found[have[0]].features[DRAWN]:
        name = "FID" if network == INCEPTION else f"Fréchet distance, {network}"
        aged, real, ratio = _compare(faces, have, network, frechet_distance)
        groups: dict[str, dict[str, Interval]] = {}
        if network == LEADING:
            known = set(have)
            for kind, members in faces.groups().items():
                for group, which in members.items():
                    some = [i for i in which if i in known]
                    if min(len(half) for half in _halves(faces, some)) >= HALF_GROUP:
                        groups.setdefault(kind, {})[group] = _compare(faces, some, network, frechet_distance)[2]
        limit = 1.8 if network == LEADING else None
        figures += [
            Figure(f"frechet_ratio.{network}", f"{name}: aged half over real half", ratio, limit, "less", groups),
            Figure(f"frechet.{network}", f"{name}, aged half", aged),
            Figure(f"frechet_real.{network}", f"{name}, real half", real),
        ]
        aged, real, _ = _compare(faces, have, network, kernel_distance)
        figures += [
            Figure(f"kid.{network}", f"KID, {network}, aged half", aged),
            Figure(f"kid_real.{network}", f"KID, {network}, real half", real),
            *_old(faces, have, network, name),
        ]
    return figures


def _halves(faces: Faces, which: Sequence[int]) -> tuple[list[int], list[int]]:
    return [i for i in which if faces.plans[i].half == 0], [i for i in which if faces.plans[i].half == 1]


def _compare(
    faces: Faces, which: Sequence[int], network: str, distance: Distance
) -> tuple[Interval, Interval, Interval]:
    """Of some faces: the aged half against the real half, the two real halves, and the one over the other."""
    first, second = _halves(faces, which)
    real = [faces.features(network, ORIGINAL, half) for half in (first, second)]
    aged = [faces.features(network, DRAWN, half) for half in (first, second)]

    def values(a: Indices, b: Indices) -> tuple[float, float, float]:
        # Each half is the reference once, so that no face is lost.
        made = (distance(real[0][a], aged[1][b]) + distance(real[1][b], aged[0][a])) / 2
        base = distance(real[0][a], real[1][b])
        return made, base, made / base if base else float("nan")

    people = faces.people
    found = set_intervals(values, [people[i] for i in first], [people[i] for i in second])
    return found[0], found[1], found[2]


def _old(faces: Faces, have: Sequence[int], network: str, name: str) -> list[Figure]:
    """Younger faces that were given the oldest targets: aged, and as they were, against the real old."""
    years = {i: faces.atlas.age.grade(faces.plans[i].row.age) for i in have}
    old = [i for i in have if years[i] >= OLD_YEARS]
    asked = sorted(have, key=lambda i: -faces.plans[i].drawn[AGE])[: round(OLDEST * len(have))]
    young = [i for i in asked if years[i] < OLD_YEARS]
    if min(len(old), len(young)) < FEWEST_FACES:
        return []
    people = faces.people
    real = faces.features(network, ORIGINAL, old)
    figures = []
    for kind, words in ((DRAWN, "oldest quarter of targets against real old"), (ORIGINAL, "the same, not aged")):
        of = faces.features(network, kind, young)

        def value(a: Indices, b: Indices, of: npt.NDArray[np.float32] = of) -> tuple[float]:
            return (frechet_distance(of[a], real[b]),)

        (found,) = set_intervals(value, [people[i] for i in young], [people[i] for i in old])
        figures.append(Figure(f"old.{kind}.{network}", f"{name}: {words}", found))
    return figures
