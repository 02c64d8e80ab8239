"""Is it still the same person, and how old does the person look?"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from amgan.evaluation.face import ORIGINAL, Found
from amgan.evaluation.judges.identity import SAME_PERSON
from amgan.evaluation.protocol import DRAWN, OLDER, YOUNGER, Plan
from amgan.evaluation.totals.figure import Faces, Figure, mean, of_kind
from amgan.signs.atlas import AGE

NAN = float("nan")


def identity(faces: Faces) -> list[Figure]:
    """Distance of the identity and share that passes for the same person, and how far apart strangers are."""
    figures: list[Figure] = []
    for kind in (YOUNGER, OLDER, DRAWN):
        figures += faces.figure(
            f"same_person.{kind}",
            f"same person, {kind}",
            _same(kind),
            None if kind == DRAWN else 0.99,
            "more",
        )
        figures += faces.figure(
            f"identity.{kind}",
            f"identity distance, {kind}",
            of_kind("distance", kind),
            None,
            "less",
        )
    strangers = _strangers(faces)
    title = "identity distance to strangers, mean of each face's median"
    return figures + faces.figure("identity.strangers", title, lambda _, f: strangers[f.name], None, "")


def _same(kind: str) -> Callable[[Plan, Found], float]:
    return lambda _, f: float(f.distance[kind] < SAME_PERSON) if kind in f.distance else NAN


def _strangers(faces: Faces) -> dict[str, float]:
    """Name to the median distance from that face to all faces of other people."""
    people = np.array(faces.people)
    embeddings = np.array([f.embedding for f in faces.found])
    found = {}
    for place, one in enumerate(faces.found):
        others = embeddings[people != people[place]]
        found[one.name] = float(np.median(np.linalg.norm(others - embeddings[place], axis=1))) if len(others) else NAN
    return found


def years(found: Found, kind: str) -> float:
    """Apparent age of one kind of picture, the mean of the judges; NaN if it was not judged."""
    return mean(list(found.ages.get(kind, {}).values()))


def ages(faces: Faces) -> list[Figure]:
    """Apparent age of older minus younger, what blur and sharpening do to the judges, and the judges' own error."""
    judges = " and ".join(next((list(f.ages[ORIGINAL]) for f in faces.found if ORIGINAL in f.ages), []))

    def gap(of: str, less: str) -> Callable[[Plan, Found], float]:
        return lambda _, f: years(f, of) - years(f, less)

    def error(p: Plan, f: Found) -> float:
        return NAN if math.isnan(p.row.age) else abs(years(f, ORIGINAL) - faces.atlas.age.grade(p.row.age))

    def off(p: Plan, f: Found) -> float:
        return abs(years(f, DRAWN) - faces.atlas.age.grade(p.drawn[AGE])) if AGE in p.drawn else NAN

    title = f"apparent age, older minus younger, median years ({judges})"
    figures = faces.figure("age_gap", title, gap(OLDER, YOUNGER), 15, "more", "median")
    for of, less in ((OLDER, ORIGINAL), (YOUNGER, ORIGINAL), ("blurred", ORIGINAL), ("sharpened", ORIGINAL)):
        figures += faces.figure(f"age_{of}", f"apparent age, {of} minus original", gap(of, less), statistic="median")
    figures += faces.figure(
        "age_beyond_blur",
        "apparent age, younger minus a mere blur (below 0: it rejuvenates)",
        gap(YOUNGER, "blurred"),
        statistic="median",
    )
    figures += faces.figure("age_drawn", "age asked of the drawn targets against the judges, years", off)
    return figures + faces.figure("age_judge", "the judges' own error on the originals, years", error)
