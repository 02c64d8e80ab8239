from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import torch

from amgan.data.draw import Draw
from amgan.data.grafts.graft import Grafts
from amgan.data.grafts.pattern import Giver, patterns_of
from amgan.data.grafts.window import Window
from amgan.data.patches import FacePatches
from amgan.data.store import Store, prepare
from amgan.errors import DatasetError
from amgan.maps.mesh import face_places, places_at
from amgan.maps.packing import pack_zones
from amgan.signs.atlas import unit_atlas
from amgan.signs.zones import zone_masks

ATLAS = unit_atlas()
SIZE = 512


@pytest.fixture(scope="module")
def store(face_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    return prepare(face_set, tmp_path_factory.mktemp("store"), ATLAS, size=SIZE)


def grafts_of(store: Store, spread: float = 0.9, patterns: np.ndarray | None = None) -> Grafts:
    """Of faces whose scores and ages rise with their number, from 0 to `spread`."""
    count = len(store.rows)
    scores = torch.linspace(0, spread, count)[:, None].repeat(1, len(ATLAS.zones))
    draw = Draw(ATLAS, scores, torch.linspace(0, spread, count))
    return Grafts(store, ATLAS, np.arange(count), draw, 2**26, patterns)


def pattern_grafts(store: Store) -> Grafts:
    last = Giver(store.rows[-1].name, 1.5)
    return grafts_of(store, patterns=patterns_of(store, ATLAS, [dict.fromkeys((*ATLAS.signs, "rest"), last)]))


def patches_of(store: Store, grafts: Grafts, **switches: Any) -> FacePatches:
    where = grafts.indices, grafts.draw, pack_zones(ATLAS), SIZE
    return FacePatches(store, ATLAS, *where, 0, grafts=grafts, **switches)


def window(store: Store, pick: int, x: int = 128, y: int = 128, side: int = 256) -> Window:
    masks = zone_masks(ATLAS, store.landmarks[pick], SIZE, 256)
    part = slice(y // 2, (y + side) // 2), slice(x // 2, (x + side) // 2)
    places = places_at(face_places(store.landmarks[pick], SIZE), SIZE)[:, y : y + side, x : x + side]
    return Window(x, y, side, masks.zones[:, *part], masks.head[part], masks.editable[part], places, places)


def test_lines_of_another_lie_where_the_mesh_says_with_and_without_places(store: Store) -> None:
    grafts, patch = grafts_of(store), window(store, 0)
    kept = grafts._places(len(store.rows) - 1, 0, SIZE, patch)
    asked = grafts._places(len(store.rows) - 1, 0, SIZE, replace(patch, places=None))
    assert kept.shape == asked.shape == (256, 256, 2)
    apart = np.abs(kept - asked).max(axis=2)
    assert np.median(apart) < 0.5 and apart.max() < 8  # pixels; eyes and lips have triangles of few


def test_those_are_drawn_who_have_lines_to_get_or_to_lose(store: Store) -> None:
    grafts = grafts_of(store)
    counts = np.bincount(grafts.faces(np.random.default_rng(0), 4000), minlength=len(store.rows))
    assert counts.min() > 0
    # The last can but lose, the first but get, those between both.
    lined = grafts.draw.scores[:, 0] > 0.35
    assert counts[-1] / counts.sum() == pytest.approx(0.4 / lined.sum(), rel=0.3)
    assert counts[lined][:-3].mean() > counts[0]


def test_who_has_lines_loses_them(store: Store) -> None:
    grafts, pick = grafts_of(store), len(store.rows) - 1
    patch, rng = window(store, pick), np.random.default_rng(0)
    before = store.images[pick][128:384, 128:384]
    changed = []
    for _ in range(20):
        (after, scores, age), on = grafts.drawn(rng, pick, store.images[pick], patch)
        own = grafts.draw.scores[pick]
        assert on and (scores <= own).all() and age <= grafts.draw.ages[pick]
        assert after.shape == before.shape
        # What share goes is the same in all that is chosen.
        shares = (1 - scores / own)[scores < own]
        assert shares.size and np.ptp(shares) < 1e-5 and 0.3 <= shares[0] <= 1
        changed.append(bool((after != before).any()))
    assert any(changed)


def test_faces_that_are_alike_have_nothing_to_give(store: Store) -> None:
    with pytest.raises(DatasetError, match="lines to give"):
        grafts_of(store, spread=0.05)


def test_a_graft_changes_its_zones_and_says_what_they_are_then(store: Store) -> None:
    grafts, rng = grafts_of(store), np.random.default_rng(1)
    patch, picture = window(store, 0), store.images[0]
    before = picture[128:384, 128:384]
    kinds = set()
    for _ in range(60):
        (after, scores, age), _ = grafts.drawn(rng, 0, picture, patch)
        assert after.shape == before.shape and after.dtype == np.uint8
        assert scores.shape == (len(ATLAS.zones),) and 0 <= scores.min() and scores.max() <= 1 and age >= 0
        changed = np.abs(after.astype(int) - before).max(axis=2) > 2
        raised = scores > grafts.draw.scores[0]
        kinds.add((bool(raised.any()), bool(age > 0)))
        if not age:
            # Nothing but what lies in a raised zone is another.
            zones = patch.zones[raised].max(axis=0, initial=0.0).repeat(2, axis=0).repeat(2, axis=1)
            assert not changed[zones < 0.01].any()
            assert changed.any() <= raised.any()
    assert {(True, True), (True, False)} <= kinds


def test_nothing_is_laid_where_nothing_may_change(store: Store) -> None:
    grafts, patch = grafts_of(store), window(store, 0)
    still = replace(patch, where=np.zeros_like(patch.where))
    before = store.images[0][128:384, 128:384]
    for of in (grafts, pattern_grafts(store)):
        rng = np.random.default_rng(0)
        # Hair may grey: it is no line.
        of.layers.kept.get(("hair", 0), lambda: np.zeros((512, 512), np.uint8))
        assert all((of.drawn(rng, 0, store.images[0], still)[0].after == before).all() for _ in range(10))


def test_lines_of_a_pattern_are_as_deep_as_the_map_rises(store: Store) -> None:
    grafts, patch = pattern_grafts(store), window(store, 0)
    assert grafts.patterns is not None and grafts.patterns.shape == (1, 1, SIZE, SIZE, 3)
    before, rng = store.images[0][128:384, 128:384].astype(np.float32), np.random.default_rng(0)
    grafts.layers.kept.get(("hair", 0), lambda: np.zeros((512, 512), np.uint8))
    rises, changes, put_on = [], [], []
    for _ in range(60):
        (after, scores, age), on = grafts.drawn(rng, 0, store.images[0], patch)
        put_on.append(on)
        rise = scores - grafts.draw.scores[0]
        if on and (rise > 0).all() and age:
            rises.append(float(rise.mean()))
            changes.append(float(np.abs(after - before).mean()))
    assert 10 < sum(put_on) < 50 and len(rises) > 5
    assert np.corrcoef(rises, changes)[0, 1] > 0.97


def test_a_pattern_is_put_on_alike_whoever_asks_for_it(store: Store) -> None:
    one, two = pattern_grafts(store), pattern_grafts(store)
    for seed in range(6):
        drawn = [of.drawn(np.random.default_rng(seed), 1, store.images[1], window(store, 1))[0] for of in (one, two)]
        assert (drawn[0].after == drawn[1].after).all() and (drawn[0].scores == drawn[1].scores).all()


def test_a_face_at_half_the_size_gets_the_same_lines(store: Store) -> None:
    grafts = pattern_grafts(store)
    places = places_at(face_places(store.landmarks[0], SIZE), SIZE)
    whole = replace(window(store, 0, 0, 0, SIZE), places=places, lines=places)
    between = (places[:, ::2, ::2] + places[:, 1::2, 1::2]) / 2
    half = Window(0, 0, SIZE // 2, whole.zones, whole.head, whole.where, between, between)
    small = np.asarray(cv2.resize(store.images[0], (SIZE // 2, SIZE // 2), interpolation=cv2.INTER_AREA), np.uint8)
    seed = next(seed for seed in range(50) if grafts.drawn(np.random.default_rng(seed), 0, store.images[0], whole)[1])
    large, tiny = (
        grafts.drawn(np.random.default_rng(seed), 0, picture, where)[0].after.astype(np.float32)
        for picture, where in ((store.images[0], whole), (small, half))
    )
    shrunk = cv2.resize(large, (SIZE // 2, SIZE // 2), interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk - small).mean() > 0.05
    assert np.abs(shrunk - tiny).mean() < 0.5 * np.abs(shrunk - small).mean()


def test_patches_are_pairs_in_both_directions(store: Store) -> None:
    grafts = grafts_of(store)
    patches = patches_of(store, grafts, recolour=False)
    batch = patches.batch(0, 24, 128)
    assert batch.wanted is not None and batch.wanted.shape == batch.image.shape
    change = (batch.wanted - batch.image).abs().mean(dim=(1, 2, 3))
    asked = (batch.target - batch.source).mean(dim=(1, 2, 3))
    assert (asked > 0.01).any() and (asked < -0.01).any() and (change > 0.005).sum() >= 4
    # Where nothing is asked for, nothing is changed.
    assert not change[(batch.target == batch.source).flatten(1).all(1)].any()
    again = patches.batch(0, 24, 128)
    assert again.wanted is not None and torch.equal(batch.wanted, again.wanted)


def test_patches_of_a_pattern_are_not_mirrored_and_know_their_place_on_the_face(store: Store) -> None:
    grafts = pattern_grafts(store)
    patches = patches_of(store, grafts, recolour=False, on_face=True)
    batch = patches.batch(0, 6, 128)
    assert batch.location.shape == (6, 2, 128, 128) and batch.location.abs().max() < 1.3
    # To the right and down on every one of them.
    assert (batch.location[:, 0, :, -1] > batch.location[:, 0, :, 0]).all()
    assert (batch.location[:, 1, -1] > batch.location[:, 1, 0]).all()
    assert torch.allclose(batch.centre, batch.location.mean(dim=(2, 3)), atol=1e-6)


def test_patches_of_several_patterns_get_lines_of_their_own(store: Store) -> None:
    last = Giver(store.rows[-1].name, 1.5)
    grafts = grafts_of(store, patterns=patterns_of(store, ATLAS, [dict.fromkeys((*ATLAS.signs, "rest"), last)] * 3))
    patches = patches_of(store, grafts, on_face=True, patterns=3)
    batch = patches.batch(0, 16, 128)
    assert batch.location.shape == (16, 3, 128, 128) and batch.centre.shape == (16, 2)
    assert set(batch.location[:, 2].flatten().tolist()) == {-1.0, 0.0, 1.0}
    assert np.ptp(batch.location[:, 2].numpy(), axis=(1, 2)).max() == 0
    # Half of them are the other way round; where a patch lies is not.
    rising = batch.location[:, 0, :, -1] > batch.location[:, 0, :, 0]
    assert rising.any() and not rising.all()


def test_hair_that_greys_by_itself_is_left_alone(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    greyed = list[float]()
    monkeypatch.setattr(
        "amgan.data.grafts.graft.evenly_greyed", lambda rgb, hair, amount, size: greyed.append(amount) or rgb
    )
    patterns = pattern_grafts(store)
    without = Grafts(store, ATLAS, patterns.indices, patterns.draw, 2**26, patterns.patterns, hair=False)
    asked = []
    for grafts in (patterns, without):
        greyed.clear()
        patches = patches_of(store, grafts, on_face=True)
        for step in range(4):
            patches.batch(step, 8, 128)
        asked.append(len(greyed))
    assert asked[0] > 0 and asked[1] == 0
