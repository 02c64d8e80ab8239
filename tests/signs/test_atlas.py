import json
from pathlib import Path

import pytest
import yaml

from amgan.errors import AtlasError
from amgan.signs.atlas import Atlas, load_atlas, parse_atlas, shipped_atlases, unit_atlas


def edited(tmp_path: Path, **changes: object) -> Path:
    content = unit_atlas().model_dump(mode="json") | changes
    path = tmp_path / "clinic.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


def written(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text)
    return folder / name


MEASURED = "quantiles: {faces: 9, ages: [30, 60], grades: {25: 20, 75: 40}}"


def test_unit_atlas_has_the_nine_signs_and_their_sides() -> None:
    atlas = unit_atlas()
    assert len(atlas.signs) == 9 and len(atlas.zones) == 14
    assert atlas.zones_of("crows_feet") == ("crows_feet.left", "crows_feet.right")
    assert atlas.zones_of("crows_feet.left") == ("crows_feet.left",)
    assert atlas.zones_of("forehead_wrinkles") == ("forehead_wrinkles",)


@pytest.mark.parametrize("name", ["freckles", "crows_feet.top", "forehead_wrinkles.left", "forehead_wrinkles.centre"])
def test_unknown_names_are_refused(name: str) -> None:
    with pytest.raises(AtlasError, match=name.partition(".")[0]):
        unit_atlas().zones_of(name)


def test_scale_goes_both_ways_and_may_fall() -> None:
    scale = unit_atlas().age.model_copy(update={"grades": (7.0, 1.0)})
    assert scale.normalise(4) == 0.5 and scale.grade(0.5) == 4
    assert scale.normalise(9) == 0 and scale.normalise(0) == 1


def test_a_new_sign_is_data(tmp_path: Path) -> None:
    signs = unit_atlas().model_dump(mode="json")["signs"]
    signs["chin_dimples"] = {"label": "Chin", "grades": [0, 4], "zones": {"centre": [[18, 200, 199]]}}
    assert load_atlas(edited(tmp_path, signs=signs)).zones_of("chin_dimples") == ("chin_dimples",)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"age": {"grades": [5, 5]}}, "age"),
        ({"age": {"grades": [18, float("inf")]}}, "age.*grades.1"),
        ({"signs": {"x": {"label": "X", "grades": [float("nan"), 1], "zones": {"centre": [[1, 2, 3]]}}}}, "signs.x"),
        (
            {"signs": {"x": {"label": "X", "grades": [0, 1], "zones": {"centre": [[1, 2, [3, 4, float("inf")]]]}}}},
            "zones.centre",
        ),
        ({"colour": 1}, "colour"),
        ({"signs": {"x": {"label": "X", "grades": [0, 1], "zones": {"left": [[1, 2, 3]]}}}}, "signs.x"),
        ({"signs": {"x": {"label": "X", "grades": [0, 1], "zones": {"centre": [[1, 2, 500]]}}}}, "zones.centre.0.2"),
        ({"signs": {"interface": {"label": "I", "grades": [0, 1], "zones": {}}}}, "signs.interface"),
        (
            {"age": {"grades": [18, 80], "quantiles": {"faces": 0, "ages": [1, 2], "grades": {0: 1, 9: 2}}}},
            "age.*faces",
        ),
    ],
)
def test_faults_name_file_and_field(tmp_path: Path, changes: dict[str, object], field: str) -> None:
    with pytest.raises(AtlasError, match=rf"clinic\.yaml.*{field}"):
        load_atlas(edited(tmp_path, **changes))


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("a: [")
    (tmp_path / "date.yaml").write_text("note: 2024-13-01")
    for name in ("broken.yaml", "date.yaml", "absent.yaml"):
        with pytest.raises(AtlasError, match=name):
            load_atlas(tmp_path / name)
    assert isinstance(unit_atlas(), Atlas)


def test_an_atlas_says_only_what_is_new_to_it(tmp_path: Path) -> None:
    text = f"""
extends: unit
name: clinic
age: {{{MEASURED}}}
signs:
  crows_feet: {{grades: [0, 5], note: Of our own., zones: {{left: null, right: null, centre: [[1, 2, 3]]}}}}
  cheek_pigmentation: null
"""
    atlas, unit = load_atlas(written(tmp_path, "clinic.yaml", text)), unit_atlas()
    assert atlas.name == "clinic" and atlas.description == ""
    assert atlas.zones_of("crows_feet") == ("crows_feet",) and atlas.signs["crows_feet"].grades == (0, 5)
    assert set(unit.signs) - set(atlas.signs) == {"cheek_pigmentation"}
    assert atlas.signs["nasolabial_fold"] == unit.signs["nasolabial_fold"] and atlas.head == unit.head
    assert atlas.age.percentile(50) == pytest.approx(unit.age.normalise(30))


def test_quantiles_are_never_mixed_nor_kept_for_other_grades(tmp_path: Path) -> None:
    base = f"{{extends: unit, name: base, age: {{{MEASURED}}}, signs: {{crows_feet: {{{MEASURED}}}}}}}"
    written(tmp_path, "base.yaml", base)
    ages = "{faces: 3, ages: [20, 50], grades: {0: 20, 50: 35}}"
    text = f"{{extends: base.yaml, name: heir, age: {{quantiles: {ages}}}, signs: {{crows_feet: {{grades: [0, 9]}}}}}}"
    heir = load_atlas(written(tmp_path, "heir.yaml", text))
    assert heir.age.quantiles is not None and heir.age.quantiles.grades == {0: 20, 50: 35}
    assert heir.signs["crows_feet"].quantiles is None


@pytest.mark.parametrize(
    ("extends", "fault"),
    [
        ("heir.yaml", r"heir\.yaml: extends: a cycle: heir\.yaml extends heir\.yaml"),
        ("middle.yaml", r"heir\.yaml: extends: .*middle\.yaml: extends: a cycle"),
        ("absent.yaml", r"heir\.yaml: extends: .*absent\.yaml: cannot read"),
        ("martian", r"heir\.yaml: extends: no atlas 'martian'; there are: .*unit"),
        ("faulty.yaml", r"heir\.yaml: extends: .*faulty\.yaml: colour"),
        ("[1]", r"heir\.yaml: extends"),
    ],
)
def test_faults_of_what_is_extended_name_both_files(tmp_path: Path, extends: str, fault: str) -> None:
    written(tmp_path, "middle.yaml", "{extends: heir.yaml, name: middle}")
    written(tmp_path, "faulty.yaml", "{extends: unit, name: faulty, colour: 1}")
    with pytest.raises(AtlasError, match=fault):
        load_atlas(written(tmp_path, "heir.yaml", f"{{extends: {extends}, name: heir}}"))


def test_a_name_does_not_pass_on(tmp_path: Path) -> None:
    with pytest.raises(AtlasError, match=r"clinic\.yaml: name: Field required"):
        load_atlas(written(tmp_path, "clinic.yaml", "extends: unit"))


@pytest.mark.parametrize("name", sorted({*shipped_atlases()} - {"unit"}))
def test_shipped_populations_are_unit_with_quantiles(name: str) -> None:
    atlas, unit = load_atlas(name), unit_atlas()
    assert atlas.name == name and name in atlas.description and atlas.zones == unit.zones
    for sign in ("age", *atlas.signs):
        scale = atlas.scale_for(sign, unit)
        assert scale.quantiles is not None and scale.quantiles.faces >= 10
        low, middle, high = (scale.percentile(percent) for percent in (0, 50, 100))
        assert 0 <= low < middle < high <= 1
    # As a model.json holds it.
    assert parse_atlas(json.loads(json.dumps(atlas.model_dump(mode="json"))), "model.json") == atlas


def test_scores_pass_between_atlases_of_the_same_grades_alone(tmp_path: Path) -> None:
    text = "{extends: unit, name: clinic, signs: {crows_feet: {grades: [0, 9]}, cheek_pigmentation: null}}"
    clinic = load_atlas(written(tmp_path, "clinic.yaml", text))
    assert clinic.scale_for("nasolabial_fold.left", unit_atlas()) == clinic.signs["nasolabial_fold"]
    with pytest.raises(AtlasError, match=r"'clinic'.*crows_feet: 0 to 9 and 0 to 100"):
        clinic.scale_for("crows_feet.left", unit_atlas())
    with pytest.raises(AtlasError, match=r"'clinic' has no sign cheek_pigmentation"):
        clinic.scale_for("cheek_pigmentation.left", unit_atlas())
