"""The paper's protocol (5.3): which faces count, two halves, and what is asked of each face.

Nothing here depends on the model, so that all models are asked the same; everything follows from the seed.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from amgan.data.curation.limits import Limits, default_limits
from amgan.data.curation.measure import PhotoMeasurer, read_pixels
from amgan.data.table import Row
from amgan.errors import PhotoError
from amgan.signs.atlas import AGE, Atlas
from amgan.signs.levels import OLD, YOUNG

YOUNGER, OLDER, DRAWN = "younger", "older", "drawn"
LEVELS = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
# Between these the change of one sign and of all others is measured; the ends of the scale flatter nobody.
TALK = (YOUNG, OLD)
# Labelled people among whom the one nearest in age is drawn.
NEAREST = 5
BANDS = ((0, "under 35"), (35, "35 to 49"), (50, "50 and older"))
# Frontal, mouth closed, at least 400 px, all else as it comes: what curation would keep of any photos.
FRONTAL = default_limits().model_copy(
    update={
        "min_side": 400.0,
        "max_yaw": 20.0,
        "max_pitch": 20.0,
        "max_mouth_open": 0.05,
        "several_faces": True,
        **dict.fromkeys(("min_sharpness", "max_roll", "max_smile", "max_brow_raise"), None),
        **dict.fromkeys(("max_forehead_covered", "max_cheeks_covered", "max_glasses", "min_age"), None),
        "require_age": False,
    }
)


@dataclass(frozen=True)
class Aim:
    """One picture that is asked for.

    Attributes:
        kind: What it is called: `YOUNGER`, `OLDER`, `DRAWN`, or a sign and its level.
        scores: Zone, and ``age``, to the score in 0..1 wanted; what is not named keeps the face's own score.
    """

    kind: str
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Plan:
    """What is asked of one face.

    Attributes:
        row: Its row.
        index: Its place in the store.
        half: 0 or 1.
        donor: Name of the photo whose labels are the drawn targets; "" if nobody could be drawn.
        drawn: Zone, and ``age``, to the donor's score.
        sweeps: Signs that are swept alone.
        controlled: Whether blur and sharpen controls are judged beside it.
    """

    row: Row
    index: int
    half: int
    donor: str
    drawn: Mapping[str, float] = field(default_factory=dict)
    sweeps: tuple[str, ...] = ()
    controlled: bool = False

    def aims(self, atlas: Atlas) -> list[Aim]:
        """All pictures that are asked for, those of the sweeps last."""
        zones = (*atlas.zones, AGE)
        aims = [Aim(YOUNGER, dict.fromkeys(zones, YOUNG)), Aim(OLDER, dict.fromkeys(zones, OLD))]
        aims += [Aim(DRAWN, self.drawn)] if self.drawn else []
        for sign in self.sweeps:
            aims += [Aim(swept(sign, level), dict.fromkeys(atlas.zones_of(sign), level)) for level in (*LEVELS, *TALK)]
        return aims


def swept(sign: str, level: float) -> str:
    """What the picture of one level of a sweep is called."""
    return f"{sign}-{level:.1f}"


def faces_that_count(
    rows: Iterable[tuple[int, Row]], limits: Limits, atlas: Atlas
) -> tuple[list[tuple[int, Row]], dict[str, int]]:
    """Which faces are evaluated: those that curation keeps; a curated dataset has been through its own limits.

    Args:
        rows: Places in the store and rows.
        limits: Curation's.
        atlas: Says what an age in 0..1 is in years.

    Returns:
        Those that count, and how many of the others were left out for which reason.
    """
    kept, left_out = [], dict[str, int]()
    with PhotoMeasurer() as measurer:
        for index, row in rows:
            reason = "" if row.aligned is not None else _reason(row, measurer, limits, atlas)
            if reason:
                left_out[reason] = left_out.get(reason, 0) + 1
            else:
                kept.append((index, row))
    return kept, left_out


def _reason(row: Row, measurer: PhotoMeasurer, limits: Limits, atlas: Atlas) -> str:
    try:
        measured, _ = measurer.measure(read_pixels(row.path))
    except PhotoError:
        return "unreadable"
    return limits.reason(measured, math.nan if math.isnan(row.age) else atlas.age.grade(row.age))


def make_plans(
    faces: Sequence[tuple[int, Row]], donors: Sequence[Row], atlas: Atlas, seed: int, sweeps: int, controlled: int
) -> list[Plan]:
    """Draws halves, targets, and which signs are swept on which face.

    Args:
        faces: Places in the store and rows of the faces that count.
        donors: Rows of the same split; those that a person graded give targets.
        atlas: The signs.
        seed: Of all draws.
        sweeps: Faces that each sign is swept on.
        controlled: Faces that have controls.
    """
    rng = np.random.default_rng(seed)
    people = sorted({row.identity for _, row in faces})
    order = rng.permutation(len(people))
    half_of = {people[person]: place % 2 for place, person in enumerate(order)}
    graded = [row for row in donors if (row.scores or row.right) and not math.isnan(row.age)]
    ages = [row.age for _, row in faces if not math.isnan(row.age)]
    shuffled = rng.permutation(len(faces)).tolist()
    signs = list(atlas.signs)
    swept_on: dict[int, list[str]] = {}
    for place, sign in enumerate(signs):
        for step in range(min(sweeps, len(faces))):
            swept_on.setdefault(shuffled[(place * sweeps + step) % len(faces)], []).append(sign)
    plans = []
    for number, (index, row) in enumerate(faces):
        donor = _donor(row, graded, ages, rng)
        plans.append(
            Plan(
                row,
                index,
                half_of[row.identity],
                donor.name if donor is not None else "",
                {} if donor is None else _targets(donor, atlas),
                tuple(swept_on.get(number, ())),
                shuffled.index(number) < controlled,
            )
        )
    return plans


def _donor(row: Row, graded: Sequence[Row], ages: Sequence[float], rng: np.random.Generator) -> Row | None:
    """Another person, whose age is drawn from those of all faces: graded faces alone may be older than the data."""
    others = [other for other in graded if other.identity != row.identity]
    if not others or not ages:
        return None
    age = ages[int(rng.integers(len(ages)))]
    nearest = sorted(others, key=lambda other: (abs(other.age - age), other.name))[:NEAREST]
    return nearest[int(rng.integers(len(nearest)))]


def _targets(donor: Row, atlas: Atlas) -> dict[str, float]:
    """A person's labels by zone; where one side alone was graded, it stands for both."""
    targets = {AGE: donor.age}
    for sign in atlas.signs:
        for zone in atlas.zones_of(sign):
            score = donor.score(zone)
            if math.isnan(score):
                score = donor.of_sign(sign)
            if not math.isnan(score):
                targets[zone] = score
    return targets


def groups_of(row: Row, atlas: Atlas) -> dict[str, str]:
    """The groups a face belongs to: population, sex and age band; what is unknown is left out."""
    groups = {"population": row.population, "sex": row.sex}
    if not math.isnan(row.age):
        years = atlas.age.grade(row.age)
        groups["age"] = [name for least, name in BANDS if years >= least][-1]
    return {kind: name for kind, name in groups.items() if name}
