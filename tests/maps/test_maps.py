import numpy as np
import pytest
import torch

from amgan.errors import AtlasError
from amgan.maps.aging import aging_map
from amgan.maps.location import location_maps
from amgan.maps.packing import pack_zones, reference_landmarks
from amgan.maps.targets import Percentile, painted_map, target_scores
from amgan.signs.atlas import Atlas, load_atlas, parse_atlas, unit_atlas
from amgan.signs.zones import zone_masks


def with_forehead_spots() -> Atlas:
    content = unit_atlas().model_dump(mode="json")
    content["signs"]["forehead_pigmentation"] = content["signs"]["forehead_wrinkles"] | {"label": "Spots"}
    return parse_atlas(content, "test")


def test_the_nine_signs_share_one_channel_and_an_overlapping_one_gets_the_next() -> None:
    assert set(pack_zones(unit_atlas())) == {0}
    atlas = with_forehead_spots()
    channels = dict(zip(atlas.zones, pack_zones(atlas), strict=True))
    assert channels.pop("forehead_pigmentation") == 1 and set(channels.values()) == {0}


def test_map_of_a_face_says_each_zones_score() -> None:
    atlas = unit_atlas()
    masks = zone_masks(atlas, reference_landmarks() * 256, 256)
    scores = torch.linspace(0, 1, len(atlas.zones))[None]
    zones, head = torch.from_numpy(masks.zones)[None], torch.from_numpy(masks.head)[None]
    found = aging_map(zones, head, scores, torch.tensor([0.4]), pack_zones(atlas))[0, 0]
    for index, mask in enumerate(masks.zones):
        core = torch.from_numpy(mask > 0.98)
        assert core.any() and torch.allclose(found[core].median(), scores[0, index], atol=0.03)
    assert found[masks.head == 0].abs().max() == 0
    only_age = torch.from_numpy((masks.zones.max(axis=0) == 0) & (masks.head > 0.999))
    assert torch.allclose(found[only_age], torch.tensor(0.4), atol=1e-3)
    assert 0 <= found.min() and found.max() <= 1


def test_map_is_linear_in_its_scores() -> None:
    torch.manual_seed(0)
    zones, head = torch.rand(1, 3, 8, 8), torch.rand(1, 8, 8)
    a, b = torch.rand(1, 3), torch.rand(1, 3)
    low, high, half = (
        aging_map(zones, head, s, torch.tensor([t]), (0, 1, 0)) for s, t in ((a, 0.2), (b, 0.8), ((a + b) / 2, 0.5))
    )
    assert torch.allclose(half, (low + high) / 2, atol=1e-6)


def test_location_maps_of_a_patch_are_a_crop_of_the_whole() -> None:
    zero = torch.zeros(1, dtype=torch.long)
    whole = location_maps(zero, zero, (64, 96), (64, 96))
    patch = location_maps(torch.tensor([16]), torch.tensor([40]), (32, 24), (64, 96))
    assert torch.allclose(patch, whole[:, :, 16:48, 40:64], atol=1e-6)
    assert torch.allclose(whole.flip(-1)[:, 0], -whole[:, 0], atol=1e-6)


OWN = {zone: 0.2 for zone in unit_atlas().zones} | {"age": 0.3}


def test_what_is_not_named_keeps_its_own_score() -> None:
    target = target_scores(unit_atlas(), OWN, signs={"nasolabial_fold.right": 0.9})
    assert target == OWN | {"nasolabial_fold.right": 0.9}


def test_the_specific_wins_over_the_general() -> None:
    target = target_scores(unit_atlas(), OWN, age=18, every=0.5, signs={"crows_feet.left": 1, "crows_feet": 0})
    assert target["age"] == 0 and target["crows_feet.left"] == 1 and target["crows_feet.right"] == 0
    assert target["forehead_wrinkles"] == 0.5


@pytest.mark.parametrize(
    "request_", [{"age": 12}, {"every": 1.2}, {"signs": {"crows_feet": -0.1}}, {"signs": {"freckles": 0.5}}]
)
def test_bad_requests_are_refused(request_: dict) -> None:
    with pytest.raises(AtlasError):
        target_scores(unit_atlas(), OWN, **request_)


def test_a_percentile_is_the_score_of_that_many_in_the_population() -> None:
    white, atlas = load_atlas("white"), unit_atlas()
    signs = {"crows_feet.left": Percentile(80), "crows_feet": 0.1}
    target = target_scores(atlas, OWN, signs=signs, population=white)
    assert target == OWN | {"crows_feet.left": white.signs["crows_feet"].percentile(80), "crows_feet.right": 0.1}
    everything = target_scores(atlas, OWN, every=Percentile(20), population=white)
    assert everything == {zone: white.scale(zone).percentile(20) for zone in OWN}


@pytest.mark.parametrize(
    ("population", "percent", "fault"),
    [
        (None, 80, "crows_feet=80%.*population.*asian"),
        (load_atlas("white"), 120, "crows_feet=120%.*'white', crows_feet.left.*0 to 100"),
        (unit_atlas(), 80, "crows_feet=80%.*'unit', crows_feet.left: no quantiles"),
    ],
)
def test_bad_percentiles_are_refused(population: Atlas | None, percent: float, fault: str) -> None:
    with pytest.raises(AtlasError, match=fault):
        target_scores(unit_atlas(), OWN, signs={"crows_feet": Percentile(percent)}, population=population)


def test_transparent_paint_keeps_the_map() -> None:
    own = np.full((2, 4, 4), 0.3, np.float32)
    opacity = np.zeros((4, 4), np.float32)
    opacity[0] = 1
    out = painted_map(own, np.ones((4, 4), np.float32) * opacity, opacity)
    assert (out[:, 0] == 1).all() and np.allclose(out[:, 1:], 0.3)
