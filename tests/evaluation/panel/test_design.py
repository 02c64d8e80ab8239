import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amgan.data.table import Row
from amgan.evaluation.panel.design import (
    calibration_candidates,
    chosen_examples,
    is_clear,
    is_young,
    matched,
    one_photo_a_person,
    spread_over_sheets,
)
from amgan.signs.atlas import unit_atlas

ATLAS = unit_atlas()
ZONE = "crows_feet.left"


def row(name: str, grade: float = math.nan, age: float = math.nan, identity: str = "", covered: bool = False) -> Row:
    scores = {} if math.isnan(grade) else {"crows_feet": grade / 100}
    occluded = frozenset({ZONE}) if covered else frozenset()
    normalised = ATLAS.age.normalise(age) if not math.isnan(age) else age
    return Row(Path(name), name, identity or name, "val", normalised, scores, "", occluded=occluded)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 40), st.integers(1, 4), st.integers(1, 12), st.integers(0, 5))
def test_no_sheet_has_two_versions_of_a_face(faces: int, versions: int, per_sheet: int, seed: int) -> None:
    sheets = spread_over_sheets(faces, versions, per_sheet, np.random.default_rng(seed))
    places = [place for sheet in sheets for place in sheet]
    assert sorted(places) == [(face, version) for face in range(faces) for version in range(versions)]
    for sheet in sheets:
        assert len({face for face, _ in sheet}) == len(sheet) <= per_sheet
    sizes = [len(sheet) for sheet in sheets]
    assert max(sizes) - min(sizes) <= 1


def test_sheets_have_about_as_many_of_each_version_and_follow_the_seed() -> None:
    sheets = spread_over_sheets(30, 3, 9, np.random.default_rng(0))
    assert len(sheets) == 10
    for sheet in sheets:
        assert all(1 <= count <= 5 for count in Counter(version for _, version in sheet).values())
    assert sheets == spread_over_sheets(30, 3, 9, np.random.default_rng(0))
    assert sheets != spread_over_sheets(30, 3, 9, np.random.default_rng(1))
    # Neither faces nor versions are in order.
    assert [place for sheet in sheets for place in sheet] != sorted(place for sheet in sheets for place in sheet)


def test_a_person_is_in_a_study_once() -> None:
    faces = [(i, row(f"{i}.png", identity=f"person-{i // 3}")) for i in range(9)]
    drawn = [one_photo_a_person(faces, np.random.default_rng(seed)) for seed in range(20)]
    assert all(len({r.identity for _, r in of}) == len(of) == 3 for of in drawn)
    assert {i for of in drawn for i, _ in of} == set(range(9))


def test_nobody_comes_sooner_for_having_more_photos() -> None:
    # One of ten people has most of the photos.
    faces = [(i, row(f"{i}.png", identity=f"person-{max(i - 20, 0)}")) for i in range(30)]
    drawn = [one_photo_a_person(faces, np.random.default_rng(seed)) for seed in range(400)]
    first = Counter(of[0][1].identity for of in drawn)
    assert len(first) == 10 and max(first.values()) < 80
    # Any of that person's photos.
    assert len({i for of in drawn for i, r in of if r.identity == "person-0"}) == 21


def test_calibration_shows_people_outside_of_the_study_near_the_grades() -> None:
    rows = [(i, row(f"{i}.png", grade)) for i, grade in enumerate([0, 3, 19, 20, 45, 60, 60, 60, 90])]
    rows += [(9, row("covered.png", 80, covered=True)), (10, row("ungraded.png"))]
    near = calibration_candidates(rows, ZONE, frozenset({"3.png"}), np.random.default_rng(0))
    assert {level: sorted(i for i, _ in of) for level, of in near.items()} == {
        **{0: [0, 1], 20: [2], 40: [4], 60: [5, 6, 7], 80: [], 100: []}
    }
    # Someone whose photo does not count gives way to the next.
    chosen = chosen_examples(near, frozenset(range(11)) - {5})
    assert [i for i, _ in chosen][:4] == [0, 1, 2, 4] and {i for i, _ in chosen[4:]} == {6, 7}


@pytest.mark.parametrize(("age", "grade", "young", "clear"), [(30, 60, 1, 0), (50, 40, 0, 1), (70, 39, 0, 0)])
def test_who_is_young_and_who_is_old(age: float, grade: float, young: int, clear: int) -> None:
    assert is_young(row("a", grade, age), ATLAS) == bool(young)
    assert is_clear(row("a", grade, age), ZONE, ATLAS) == bool(clear)
    assert not is_clear(row("a", grade, age, covered=True), ZONE, ATLAS)
    assert not is_young(row("a", grade), ATLAS) and not is_clear(row("a", grade), ZONE, ATLAS)


def test_pairs_are_of_one_kind_of_photo_and_nobody_is_in_two() -> None:
    real = [(i, row(f"{folder}/{i}.png", identity=f"p{i % 5}")) for i, folder in enumerate("aabbbaa")]
    made = [row("b/x.png"), row("b/y.png"), row("c/z.png"), row("a/w.png"), row("a/v.png"), row("a/u.png")]
    found = matched(made, real, np.random.default_rng(0))
    assert len(found) == 5 and len({r.identity for _, r in found}) == 5
    assert all(r.name.startswith("b/") for _, r in found[:2])
