from pathlib import Path

import numpy as np
import pytest
import torch

from amgan.data.draw import Draw
from amgan.data.grafts.graft import Grafts, Window
from amgan.data.patches import FacePatches
from amgan.data.store import Store, prepare
from amgan.errors import DatasetError
from amgan.maps.packing import pack_zones
from amgan.signs.atlas import unit_atlas
from amgan.signs.zones import zone_masks

ATLAS = unit_atlas()
SIZE = 512


@pytest.fixture(scope="module")
def store(face_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    return prepare(face_set, tmp_path_factory.mktemp("store"), ATLAS, size=SIZE)


def grafts_of(store: Store, spread: float = 0.9) -> Grafts:
    """Of faces whose scores and ages rise with their number, from 0 to `spread`."""
    count = len(store.rows)
    scores = torch.linspace(0, spread, count)[:, None].repeat(1, len(ATLAS.zones))
    draw = Draw(ATLAS, scores, torch.linspace(0, spread, count))
    return Grafts(store, ATLAS, np.arange(count), draw, 2**26)


def window(store: Store, pick: int, x: int = 128, y: int = 128, side: int = 256) -> Window:
    masks = zone_masks(ATLAS, store.landmarks[pick], SIZE, 256)
    part = slice(y // 2, (y + side) // 2), slice(x // 2, (x + side) // 2)
    return Window(x, y, side, masks.zones[:, *part], masks.editable[part])


def test_those_are_drawn_to_whom_enough_others_can_give(store: Store) -> None:
    picks = grafts_of(store).faces(np.random.default_rng(0), 500)
    assert 0 in picks and max(picks) < len(store.rows) - 3


def test_faces_that_are_alike_have_nothing_to_give(store: Store) -> None:
    with pytest.raises(DatasetError, match="lines to give"):
        grafts_of(store, spread=0.05)


def test_a_graft_changes_its_zones_and_says_what_they_are_then(store: Store) -> None:
    grafts, rng = grafts_of(store), np.random.default_rng(1)
    patch, picture = window(store, 0), store.images[0]
    before = picture[128:384, 128:384]
    kinds = set()
    for _ in range(60):
        after, scores, age = grafts.drawn(rng, 0, picture, patch)
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
    still = Window(patch.x, patch.y, patch.side, patch.zones, np.zeros_like(patch.where))
    before = store.images[0][128:384, 128:384]
    rng = np.random.default_rng(0)
    assert all((grafts.drawn(rng, 0, store.images[0], still).after == before).all() for _ in range(10))


def test_patches_are_pairs_in_both_directions(store: Store) -> None:
    grafts = grafts_of(store)
    patches = FacePatches(
        store, ATLAS, grafts.indices, grafts.draw, pack_zones(ATLAS), SIZE, 0, recolour=False, grafts=grafts
    )
    batch = patches.batch(0, 24, 128)
    assert batch.wanted is not None and batch.wanted.shape == batch.image.shape
    change = (batch.wanted - batch.image).abs().mean(dim=(1, 2, 3))
    asked = (batch.target - batch.source).mean(dim=(1, 2, 3))
    assert (asked > 0.01).any() and (asked < -0.01).any() and (change > 0.005).sum() >= 4
    # Where nothing is asked for, nothing is changed.
    assert not change[(batch.target == batch.source).flatten(1).all(1)].any()
    again = patches.batch(0, 24, 128)
    assert again.wanted is not None and torch.equal(batch.wanted, again.wanted)
