import math
from pathlib import Path

import numpy as np
import pytest

from amgan.data.table import Row
from amgan.errors import DatasetError
from amgan.evaluation.reproduce.spread import spread_of_oldest
from amgan.signs.atlas import unit_atlas

ATLAS = unit_atlas()
SIGNS = list(ATLAS.signs)


def row(place: int, age: float, scores: dict[str, float], identity: str = "") -> Row:
    name = f"{place}.png"
    normalised = age if math.isnan(age) else ATLAS.age.normalise(age)
    return Row(Path(name), name, identity or name, "test", normalised, scores, "")


def test_the_spread_within_a_person_and_across_people() -> None:
    # Each person has half of the signs at 0.5 - d and half at 0.5 + d; the ninth lies between.
    def scores(d: float) -> dict[str, float]:
        return {sign: 0.5 + d * (-1, 1)[i % 2] for i, sign in enumerate(SIGNS[:8])}

    rows = [row(i, 79 - i, scores(0.1 * (i + 1))) for i in range(3)]
    rows += [row(9, 30, scores(0.45)), row(10, math.nan, scores(0.45)), row(11, 80, {"crows_feet": 1.0})]
    found = spread_of_oldest(rows, ATLAS, oldest=3)
    assert found.people == 3 and found.years == pytest.approx((77, 79))
    assert found.within.value == pytest.approx(0.2) and found.within.low == pytest.approx(0.1)
    assert found.across.value == pytest.approx(np.std([0.1, 0.2, 0.3])) and set(found.signs) == set(SIGNS[:8])
    assert found.means[SIGNS[0]] == pytest.approx(0.3)
    # Young people, those of unknown age and those with one grade come in only when the oldest run out, or not at all.
    assert spread_of_oldest(rows, ATLAS, oldest=150).people == 4


def test_a_person_counts_once() -> None:
    one = dict.fromkeys(SIGNS, 0.5)
    rows = [row(0, 70, one, "a"), row(1, 60, one, "a"), row(2, 50, one, "b")]
    found = spread_of_oldest(rows, ATLAS)
    assert found.people == 2 and found.within.value == 0 and found.years[0] == pytest.approx(50)
    with pytest.raises(DatasetError, match="1 people"):
        spread_of_oldest(rows[:2], ATLAS)


def test_signs_that_few_have_do_not_void_the_interval() -> None:
    # Most draws of these people have nobody with a grade of some sign.
    rows = [row(i, 70 - i, {sign: 0.1 * i for sign in (*SIGNS[:2], *SIGNS[2 + i // 2 : 4 + i // 2])}) for i in range(6)]
    found = spread_of_oldest(rows, ATLAS)
    assert 0 < found.across.low < found.across.value < found.across.high < 0.5
    with pytest.raises(DatasetError, match="no two of the 2 oldest"):
        spread_of_oldest([row(i, 70, dict.fromkeys(SIGNS[3 * i : 3 * i + 3], 0.5)) for i in range(2)], ATLAS)
