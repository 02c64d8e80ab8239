import math
from collections.abc import Callable
from dataclasses import replace

from amgan.data.table import Row
from amgan.evaluation.protocol import DRAWN, LEVELS, OLDER, TALK, YOUNGER, Plan, groups_of, make_plans, swept
from amgan.evaluation.run import digest_of_grades, digest_of_plans
from amgan.signs.atlas import AGE, unit_atlas

ATLAS = unit_atlas()
MakeRows = Callable[[int], list[tuple[int, Row]]]


def test_halves_are_of_people_and_follow_the_seed(made_rows: MakeRows) -> None:
    rows = [(i, replace(row, identity=f"person-{i // 3}")) for i, row in made_rows(36)]
    plans = make_plans(rows, [row for _, row in rows], ATLAS, 0, 0, 0)
    half_of: dict[str, set[int]] = {}
    for plan in plans:
        half_of.setdefault(plan.row.identity, set()).add(plan.half)
    assert all(len(halves) == 1 for halves in half_of.values())
    assert sum(halves == {0} for halves in half_of.values()) == len(half_of) / 2
    again, other = (make_plans(rows, [row for _, row in rows], ATLAS, seed, 0, 0) for seed in (0, 1))
    assert plans == again and [p.half for p in plans] != [p.half for p in other]


def test_targets_are_the_labels_of_another_person_and_follow_the_ages(made_rows: MakeRows, plans: list[Plan]) -> None:
    rows = made_rows(36)
    by_name = {row.name: row for _, row in rows}
    for plan in plans:
        donor = by_name[plan.donor]
        assert donor.identity != plan.row.identity
        assert plan.drawn == dict.fromkeys((AGE, *ATLAS.zones), donor.age)
    ages, drawn = [row.age for _, row in rows], [plan.drawn[AGE] for plan in plans]
    assert abs(sum(ages) - sum(drawn)) / len(ages) < 0.05 and len(set(drawn)) > len(drawn) / 3


def test_faces_without_labels_are_asked_too_and_give_no_targets(made_rows: MakeRows) -> None:
    rows = made_rows(12)
    bare = [(i, replace(row, scores={}) if i % 2 else row) for i, row in rows]
    plans = make_plans(bare, [row for _, row in bare], ATLAS, 0, 0, 0)
    graded = {row.name for _, row in bare if row.scores}
    assert all(plan.donor in graded for plan in plans)
    nobody = make_plans(bare, [], ATLAS, 0, 0, 0)
    assert [aim.kind for aim in nobody[0].aims(ATLAS)] == [YOUNGER, OLDER]


def test_a_side_that_nobody_graded_takes_the_other(made_rows: MakeRows) -> None:
    rows = made_rows(2)
    right = {"crows_feet": 0.7, "under_eye_wrinkles": 0.2}
    one = replace(rows[1][1], scores={"crows_feet": 0.4, "nasolabial_fold": 0.5}, right=right)
    (plan, _) = make_plans([rows[0], (1, one)], [one], ATLAS, 0, 0, 0)
    wanted = {
        "crows_feet.left": 0.4,
        "crows_feet.right": 0.7,
        "nasolabial_fold.left": 0.5,
        "nasolabial_fold.right": 0.5,
        "under_eye_wrinkles.left": 0.2,
        "under_eye_wrinkles.right": 0.2,
    }
    assert plan.drawn == {AGE: one.age, **wanted}


def test_digests_tell_whatever_changes_a_measurement(plans: list[Plan]) -> None:
    first, *rest = plans
    row = first.row
    others = [
        replace(first, half=1 - first.half),
        replace(first, donor="somebody"),
        replace(first, drawn={**first.drawn, AGE: 0.123}),
        replace(first, sweeps=("crows_feet", "nasolabial_fold", "jowls")),
        replace(first, controlled=not first.controlled),
        replace(first, row=replace(row, age=0.123)),
        replace(first, row=replace(row, scores={**row.scores, "crows_feet": 0.123})),
        replace(first, row=replace(row, right={"crows_feet": 0.123})),
        replace(first, row=replace(row, identity="somebody")),
    ]
    digests = {digest_of_plans([one, *rest]) for one in (first, *others)}
    assert len(digests) == 1 + len(others) and digest_of_plans(plans) in digests
    rows = [plan.row for plan in plans]
    assert digest_of_grades(rows) != digest_of_grades(rows[1:]) != digest_of_grades([others[-3].row, *rows[2:]])


def test_each_sign_is_swept_alone_on_as_many_faces_as_asked(plans: list[Plan]) -> None:
    for sign in ATLAS.signs:
        of_sign = [plan for plan in plans if sign in plan.sweeps]
        assert len(of_sign) == 4
        aims = {aim.kind: aim.scores for aim in of_sign[0].aims(ATLAS)}
        for level in (*LEVELS, *TALK):
            assert aims[swept(sign, level)] == dict.fromkeys(ATLAS.zones_of(sign), level)
    assert [aim.kind for aim in plans[0].aims(ATLAS)][:3] == [YOUNGER, OLDER, DRAWN]


def test_groups(made_rows: MakeRows) -> None:
    row = made_rows(36)[0][1]
    assert groups_of(replace(row, age=0.6), ATLAS) == {"population": "asian", "sex": "female", "age": "50 and older"}
    assert groups_of(replace(row, age=math.nan, sex=""), ATLAS) == {"population": "asian"}
