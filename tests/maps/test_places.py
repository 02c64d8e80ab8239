from amgan.maps.places import PLACES, signs_by_place
from amgan.signs.atlas import parse_atlas, unit_atlas


def test_every_sign_has_one_place() -> None:
    places = signs_by_place(unit_atlas())
    assert tuple(places) == PLACES
    assert sorted(sign for signs in places.values() for sign in signs) == sorted(unit_atlas().signs)
    assert places["Eyes"] == ["under_eye_wrinkles", "crows_feet"]
    assert "lower_face_ptosis" in places["Mouth and jaw"] and "nasolabial_fold" in places["Cheeks"]


def test_a_new_sign_finds_its_place() -> None:
    content = unit_atlas().model_dump()
    # Beside the chin's tip.
    content["signs"]["chin_dimples"] = {"label": "Dimples", "grades": [0, 5], "zones": {"centre": [[152, 148, 377]]}}
    assert "chin_dimples" in signs_by_place(parse_atlas(content, "test"))["Mouth and jaw"]
