import pytest

from amgan.maps.sides import halved
from amgan.maps.targets import target_scores
from amgan.signs.atlas import AGE, unit_atlas

OWN = {zone: 0.2 for zone in unit_atlas().zones} | {AGE: 0.3}


def test_a_half_that_is_named_leaves_the_other_at_the_faces_own() -> None:
    scores = target_scores(unit_atlas(), OWN, signs={"forehead_wrinkles.left": 0.8})
    left, right, whole = (scores[f"forehead_wrinkles{side}"] for side in (".left", ".right", ""))
    assert (left, right, whole) == (0.8, 0.2, 0.5)
    assert halved(scores) == {"forehead_wrinkles"}
    assert {name: score for name, score in scores.items() if "forehead" not in name} == {
        name: score for name, score in OWN.items() if "forehead" not in name
    }


def test_the_whole_sign_is_the_other_half_whatever_the_order() -> None:
    for asked in (("lower_face_ptosis", "lower_face_ptosis.right"), ("lower_face_ptosis.right", "lower_face_ptosis")):
        levels = {"lower_face_ptosis": 0.4, "lower_face_ptosis.right": 1.0}
        scores = target_scores(unit_atlas(), OWN, signs={name: levels[name] for name in asked})
        assert scores["lower_face_ptosis.left"] == 0.4 and scores["lower_face_ptosis"] == pytest.approx(0.7)


def test_zones_with_a_side_of_their_own_are_no_halves() -> None:
    assert halved(target_scores(unit_atlas(), OWN, signs={"crows_feet.left": 0.8})) == set()
