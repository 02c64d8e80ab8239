"""Made faces, and what judges would find on the pictures of models that are known to be perfect, idle or blurring."""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from amgan.data.table import Row
from amgan.evaluation.face import ORIGINAL, Found
from amgan.evaluation.networks import INSIDE, LEADING
from amgan.evaluation.protocol import DRAWN, LEVELS, OLDER, TALK, YOUNGER, Plan, make_plans
from amgan.signs.atlas import AGE, unit_atlas

ATLAS = unit_atlas()
COUNT = 36
# Years that a blur takes off in the eyes of a judge, and what it takes off a sign.
BLUR_YEARS, BLUR_SIGN = 6.0, 0.15


def _rows(count: int = COUNT) -> list[tuple[int, Row]]:
    """People of 20 to 80 years whose signs grow with age."""
    ages = np.random.default_rng(0).permutation(np.linspace(0.2, 0.8, count))
    rows = []
    for index, age in enumerate(ages.tolist()):
        scores = dict.fromkeys(ATLAS.signs, age)
        sex, population = ("female", "male")[index % 2], ("asian", "white", "black")[index % 3]
        name = f"set/{index:02d}.png"
        row = Row(Path(name), name, f"person-{index}", "val", age, scores, "", population=population, sex=sex)
        rows.append((index, row))
    return rows


def _plans() -> list[Plan]:
    rows = _rows()
    return make_plans(rows, [row for _, row in rows], ATLAS, 0, 4, COUNT)


@pytest.fixture(scope="session")
def made_rows() -> Callable[[int], list[tuple[int, Row]]]:
    """Rows of so many made people."""
    return _rows


@pytest.fixture(scope="session")
def plans() -> list[Plan]:
    """What is asked of `COUNT` made people."""
    return _plans()


@pytest.fixture(scope="session")
def found_by(plans: list[Plan]) -> Callable[[str], list[Found]]:
    """What is found on the pictures of a model: ``perfect``, ``identity`` or ``blur``."""

    def found(model: str) -> list[Found]:
        rng = np.random.default_rng(1)
        return [_found(model, plan, rng) for plan in plans]

    return found


def _found(model: str, plan: Plan, rng: np.random.Generator) -> Found:
    own, person = plan.row.age, rng.normal(size=12)
    wanted = {YOUNGER: TALK[0], OLDER: TALK[1], DRAWN: plan.drawn[AGE]}

    def reached(kind: str) -> float:
        return wanted[kind] if model == "perfect" and kind in wanted else own

    blurred = {"blurred", *(wanted if model == "blur" else ())}
    kinds = (ORIGINAL, *wanted, "blurred", "sharpened")
    noise = rng.normal(0, 0.01 if model == "perfect" else 0, len(kinds))
    signs = {
        kind: dict.fromkeys(
            ATLAS.signs, reached(kind) + (e if model == "perfect" else 0) - BLUR_SIGN * (kind in blurred)
        )
        for kind, e in zip(kinds, noise.tolist(), strict=True)
    }
    ages = {kind: {"judge": 100 * reached(kind) - BLUR_YEARS * (kind in blurred)} for kind in kinds}

    def features(kind: str) -> str:
        # Age lies along the first axis, sharpness along the second; the person is the rest.
        values = person + 4 * np.eye(12)[0] * reached(kind) - 6 * np.eye(12)[1] * (kind in blurred)
        return base64.b64encode(values.astype("<f4").tobytes()).decode()

    sweeps = {}
    for sign in plan.sweeps:
        follows = model == "perfect"
        ends = [signs[ORIGINAL] | ({sign: level} if follows else {}) for level in TALK]
        scores = list(LEVELS) if follows else [signs[DRAWN][sign]] * len(LEVELS)
        sweeps[sign] = {"scores": scores, "first": ends[0], "last": ends[1], "inside": 9.0 if follows else float("nan")}
    moved = {"perfect": 0.3, "identity": 0.0, "blur": 0.1}[model]
    energy = dict.fromkeys(wanted, 0.2 if model == "blur" else 1.0)
    return Found(
        plan.row.name,
        signs=signs,
        ages=ages,
        embedding=person.tolist(),
        distance=dict.fromkeys(wanted, moved),
        colour=dict.fromkeys(wanted, moved),
        detail={**energy, "blurred": 0.2, "sharpened": 4.0},
        grid=dict.fromkeys(wanted, float("nan") if model == "identity" else 2.0),
        background=dict.fromkeys(wanted, 0),
        features={kind: dict.fromkeys((LEADING, INSIDE), features(kind)) for kind in (ORIGINAL, DRAWN)},
        sweeps=sweeps,
    )
