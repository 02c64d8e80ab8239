from pathlib import Path

import pytest
import yaml

from amgan.errors import AtlasError
from amgan.signs.atlas import Atlas, load_atlas, unit_atlas


def edited(tmp_path: Path, **changes: object) -> Path:
    content = unit_atlas().model_dump(mode="json") | changes
    path = tmp_path / "clinic.yaml"
    path.write_text(yaml.safe_dump(content))
    return path


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
        ({"colour": 1}, "colour"),
        ({"signs": {"x": {"label": "X", "grades": [0, 1], "zones": {"left": [[1, 2, 3]]}}}}, "signs.x"),
        ({"signs": {"x": {"label": "X", "grades": [0, 1], "zones": {"centre": [[1, 2, 500]]}}}}, "zones.centre.0.2"),
    ],
)
def test_faults_name_file_and_field(tmp_path: Path, changes: dict[str, object], field: str) -> None:
    with pytest.raises(AtlasError, match=rf"clinic\.yaml.*{field}"):
        load_atlas(edited(tmp_path, **changes))


def test_unreadable_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("a: [")
    for name in ("broken.yaml", "absent.yaml"):
        with pytest.raises(AtlasError, match=name):
            load_atlas(tmp_path / name)
    assert isinstance(unit_atlas(), Atlas)
