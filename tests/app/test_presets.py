from types import SimpleNamespace

import pytest

from amgan.app.presets import common_presets, figure_presets
from amgan.errors import AtlasError
from amgan.evaluation.figures.recombined import six_targets
from amgan.evaluation.figures.subjects import FigureOptions
from amgan.inference.request import Request
from amgan.models.bundle import load_bundle_schema
from amgan.signs.atlas import AGE, parse_atlas, unit_atlas
from amgan.signs.levels import OLD, YOUNG

ATLAS = unit_atlas()
OWN = dict.fromkeys((*ATLAS.zones, AGE), 0.5)


def changed(request: Request) -> dict[str, float]:
    return {zone: score for zone, score in request.targets(ATLAS, OWN).items() if score != OWN[zone]}


@pytest.mark.parametrize("preset", [*common_presets(ATLAS), *figure_presets(ATLAS)], ids=lambda p: p.title)
def test_a_model_can_do_every_preset(preset: object) -> None:
    preset.request.check(load_bundle_schema(), None)  # type: ignore[attr-defined]


def test_all_but_the_hair_leaves_the_age() -> None:
    (preset,) = (p for p in common_presets(ATLAS) if "hair" in p.title)
    assert changed(preset.request) == dict.fromkeys(ATLAS.zones, OLD)


def test_figure_9_is_as_in_the_paper() -> None:
    a, b, c, d, e, f = (changed(preset.request) for preset in figure_presets(ATLAS))
    right = {"under_eye_wrinkles.right", "nasolabial_fold.right", "lip_corner_wrinkles.right"}
    assert a == {}
    assert set(OWN) - set(b) == right and b[AGE] == pytest.approx(YOUNG) and b["crows_feet.right"] == YOUNG
    assert not set(c) & set(d) and set(c) | set(d) == set(ATLAS.zones)
    assert "forehead_wrinkles" in d and "lower_face_ptosis" in c
    assert e == {"under_eye_wrinkles.left": OLD, "under_eye_wrinkles.right": OLD}
    assert f == {"under_eye_wrinkles.right": OLD, "nasolabial_fold.left": OLD}


def test_figure_9_on_paper_asks_for_the_same() -> None:
    drawn = six_targets(ATLAS, SimpleNamespace(scores=OWN), FigureOptions(low=YOUNG, high=OLD))  # type: ignore[arg-type]
    assert drawn == [preset.request.targets(ATLAS, OWN) for preset in figure_presets(ATLAS)]


def test_an_atlas_without_their_signs_has_no_such_presets() -> None:
    content = ATLAS.model_dump()
    del content["signs"]["nasolabial_fold"]
    atlas = parse_atlas(content, "test")
    assert [preset.title[0] for preset in figure_presets(atlas)] == ["a", "c", "d"]
    with pytest.raises(AtlasError, match="nasolabial_fold"):
        six_targets(atlas, SimpleNamespace(scores=OWN), FigureOptions())  # type: ignore[arg-type]
