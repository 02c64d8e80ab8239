import copy
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from amgan.data.ahead import made_ahead, side_by_side
from amgan.data.draw import Draw
from amgan.data.images import Keeping
from amgan.data.patches import MASK_BYTES, MASK_SIZE, Batch, FacePatches
from amgan.data.store import Store, prepare
from amgan.maps.arrays import grown
from amgan.maps.kinds import MapKind
from amgan.maps.mesh import face_places
from amgan.maps.packing import pack_zones
from amgan.maps.variants import varied
from amgan.signs.atlas import unit_atlas
from amgan.signs.zones import zone_masks

ATLAS = unit_atlas()
# Of grafts alone it is known what is wanted.
FIELDS = [name for name in Batch.__dataclass_fields__ if name not in ("wanted", "bare")]


def patches_of(
    store: Store, size: int = 512, cache: int = 2**30, maps: MapKind = "zones", on_face: bool = False
) -> FacePatches:
    rows = store.subset(lambda row: row.split == "train")
    random = torch.Generator().manual_seed(0)
    scores, ages = torch.rand(len(rows), len(ATLAS.zones), generator=random), torch.linspace(0.1, 0.9, len(rows))
    draw = Draw(ATLAS, scores, ages, alone=0.2)
    return FacePatches(store, ATLAS, rows, draw, pack_zones(ATLAS), size, 0, 0.3, maps, True, cache, on_face)


@pytest.fixture(scope="module")
def stores(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Store]:
    folder = tmp_path_factory.mktemp("stores")
    kinds: tuple[Keeping, ...] = ("raw", "webp")
    return {kind: prepare(dataset, folder, ATLAS, size=512, images=kind) for kind in kinds}


def same(one: Batch, two: Batch) -> bool:
    return all(torch.equal(getattr(one, name), getattr(two, name)) for name in FIELDS)


def other_side(zone: str) -> str:
    ends = {".left": ".right", ".right": ".left"}
    return next((zone.removesuffix(end) + other for end, other in ends.items() if zone.endswith(end)), zone)


def test_a_step_decides_its_batch(stores: dict[str, Store]) -> None:
    patches = patches_of(stores["raw"])
    one, two, other = patches.batch(5, 4, 64), patches.batch(5, 4, 64), patches.batch(6, 4, 64)
    assert same(one, two) and not torch.equal(one.image, other.image)
    assert one.image.shape == (4, 3, 64, 64) and one.target.shape == (4, 1, 64, 64)
    assert one.image.is_contiguous(memory_format=torch.channels_last)
    assert -1 <= one.image.min() and one.image.max() <= 1 and 0 <= one.target.min() and one.target.max() <= 1
    assert (one.location[..., -1] > one.location[..., 0])[:, 0].all()
    assert {getattr(one, name).dtype for name in FIELDS} == {torch.float32}
    # No two patches of a batch are drawn alike, nor the first one as the batch's faces are.
    assert len({tuple(centre) for centre in one.centre.tolist()}) == 4


def test_batches_are_the_same_however_faces_are_kept_and_whatever_the_cache_holds(stores: dict[str, Store]) -> None:
    for size in (512, 256):
        wanted = [patches_of(stores["raw"], size).batch(step, 3, 64) for step in range(2)]
        for kind, capacity in (("raw", 0), ("webp", 0), ("webp", 2**20), ("webp", 2**30)):
            patches = patches_of(stores[kind], size, capacity)
            for step, batch in enumerate(wanted):
                assert same(patches.batch(step, 3, 64), batch)
                assert patches.masks.used + patches.pictures.used <= capacity


def test_a_face_is_decoded_once_while_there_is_room(stores: dict[str, Store], monkeypatch: pytest.MonkeyPatch) -> None:
    images, decoded = stores["webp"].images, []
    whole = type(images).__getitem__
    monkeypatch.setattr(type(images), "__getitem__", lambda self, i: decoded.append(i) or whole(self, i))
    patches = patches_of(stores["webp"])
    for step in range(8):
        patches.batch(step, 4, 64)
    assert len(decoded) == len(set(decoded)) <= 10
    # Masks leave nearly all of the memory to pictures.
    assert patches.masks.capacity == len(patches.indices) * MASK_BYTES and patches.masks.used < patches.masks.capacity
    decoded.clear()
    bare = patches_of(stores["webp"], cache=0)
    for _ in range(2):
        bare.batch(0, 4, 64)
    assert len(decoded) == 8


@pytest.mark.parametrize("on_face", [False, True])
def test_masks_and_places_of_all_faces_are_made_once(stores: dict[str, Store], on_face: bool) -> None:
    patches = patches_of(stores["raw"], on_face=on_face)
    made = []
    for number in range(3):
        for step in range(20 * number, 20 * number + 20):
            patches.batch(step, 8, 64)
        made.append(patches.masks.made)
    assert made == [len(patches.indices) * (1 + on_face)] * 3


@pytest.mark.parametrize("workers", [1, 3])
def test_batches_are_the_same_whatever_the_workers(stores: dict[str, Store], workers: int) -> None:
    wanted = [patches_of(stores["raw"]).batch(step, 3, 128) for step in range(6)]
    patches = patches_of(stores["webp"], cache=2 * 2**20)
    made = made_ahead(lambda step: patches.batch(step, 3, 128), range(6), workers)
    assert all(same(one, two) for one, two in zip(made, wanted, strict=True))


def test_batches_are_the_same_if_their_patches_are_made_side_by_side(stores: dict[str, Store]) -> None:
    one, other = (patches_of(stores["webp"], cache=2 * 2**20) for _ in range(2))
    with side_by_side(3) as pool:
        assert all(same(one.batch(step, 3, 128), other.batch(step, 3, 128, each=pool.map)) for step in range(6))


def test_a_part_of_a_batch_is_that_part(stores: dict[str, Store]) -> None:
    patches = patches_of(stores["raw"])
    whole = patches.batch(7, 5, 64)
    parts = [patches.batch(7, 5, 64, slice(rank, None, 2)) for rank in (0, 1)]
    for name in FIELDS:
        together = torch.empty_like(getattr(whole, name))
        for rank, part in enumerate(parts):
            together[rank::2] = getattr(part, name)
        assert torch.equal(together, getattr(whole, name)), name


@pytest.mark.parametrize(("maps", "channels"), [("zones", 1), ("scores", len(ATLAS.zones) + 1), ("age", 1)])
def test_maps_of_every_kind(stores: dict[str, Store], maps: MapKind, channels: int) -> None:
    batch = patches_of(stores["raw"], maps=maps).batch(0, 2, 64)
    assert batch.source.shape == batch.target.shape == (2, channels, 64, 64)
    if maps != "zones":
        assert torch.equal(batch.source, batch.source[..., :1, :1].expand_as(batch.source))
        assert batch.zoned.min() == 1


def test_scores_of_a_mirrored_patch_change_sides(stores: dict[str, Store]) -> None:
    """As a map of zones does: what is asked of the left of a face is asked of its right in the mirror."""
    side = 256
    uniform, plain, drawn = (patches_of(stores["raw"], side, maps=kind) for kind in ("scores", "age", "zones"))
    for patches in (uniform, plain, drawn):
        patches.degraded, patches.recolour = 0.0, False
    batch, seen = uniform.batch(0, 12, side), set[bool]()
    # What is drawn is the same for every kind of map.
    for other in (plain.batch(0, 12, side), drawn.batch(0, 12, side)):
        assert all(torch.equal(getattr(batch, name), getattr(other, name)) for name in ("image", "location", "skin"))
    picks = uniform.draw.faces(np.random.default_rng((0, 0)), 12)
    for number, pick in enumerate(picks):
        face = cv2.resize(stores["raw"].images[uniform.indices[pick]], (side, side), interpolation=cv2.INTER_AREA)
        shown = ((batch.image[number].permute(1, 2, 0).numpy() + 1) * 127.5).round().astype(np.uint8)
        mirrored = not np.array_equal(shown, face)
        seen.add(mirrored)
        known = dict(zip(ATLAS.zones, uniform.draw.scores[pick].tolist(), strict=True))
        wanted = [known[other_side(zone) if mirrored else zone] for zone in ATLAS.zones]
        assert batch.source[number, :-1, 0, 0].tolist() == pytest.approx(wanted)
        assert batch.source[number, -1, 0, 0] == uniform.draw.ages[pick]
    assert seen == {True, False}


def test_a_mirrored_patch_is_asked_for_the_other_side(
    stores: dict[str, Store], monkeypatch: pytest.MonkeyPatch
) -> None:
    patches, asked = patches_of(stores["raw"], 256, maps="scores"), np.arange(len(ATLAS.zones), dtype=np.float32) / 32
    monkeypatch.setattr(patches.draw, "target", lambda rng, pick, zones: (asked, np.float32(0.5)))
    turned = asked[[ATLAS.zones.index(zone) for zone in map(other_side, ATLAS.zones)]].tolist()
    found = {tuple(scores[:-1]) for scores in patches.batch(0, 12, 64).target[..., 0, 0].tolist()}
    assert found == {tuple(asked.tolist()), tuple(turned)}


@pytest.mark.parametrize("size", [512, 256])
def test_lines_are_bent_as_they_are_in_use(
    stores: dict[str, Store], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, numbers = stores["raw"], []
    monkeypatch.setattr(
        "amgan.data.patches.varied", lambda maps, number, of: numbers.append(number) or varied(maps, number, of)
    )
    patches = patches_of(store, size, on_face=True)
    patches.patterns, patches.mirrors = 3, False
    # One batch is of whole faces; of patches it is known where they lie.
    cell = size // MASK_SIZE
    whole, parts = patches.batch(0, 4, size), patches.batch(1, 4, 64)
    rows = [patches.indices[patches.draw.faces(np.random.default_rng((0, step)), 4)] for step in (0, 1)]
    for number, (row, line) in enumerate(zip(np.concatenate(rows), numbers, strict=True)):
        places = face_places(store.landmarks[row], store.size)
        wanted = grown(np.concatenate([varied(places, line, 3), places])[None], (size, size))[0]
        if number < 4:
            assert np.abs(whole.location[number].numpy() - wanted[:3]).max() < 1e-6
            continue
        windows = np.lib.stride_tricks.sliding_window_view(wanted, (64, 64), (1, 2))[:, ::cell, ::cell]
        away = np.abs(windows[3:].mean(axis=(-2, -1)) - parts.centre[number - 4].numpy()[:, None, None]).sum(axis=0)
        y, x = np.unravel_index(away.argmin(), away.shape)
        assert np.abs(parts.location[number - 4].numpy() - windows[:3, y, x]).max() < 1e-6


def test_pictures_and_maps_lie_on_each_other_at_every_size(stores: dict[str, Store]) -> None:
    """Patches that are the whole face, so that they can be compared with masks made at their own size."""
    store = stores["raw"]
    for size in (256, 512):
        patches = patches_of(store, size)
        patches.degraded, patches.recolour = 0.0, False
        batch = patches.batch(0, 3, size)
        picks = patches.draw.faces(np.random.default_rng((0, 0)), 3)
        for number, pick in enumerate(picks):
            row = patches.indices[pick]
            face = cv2.resize(store.images[row], (size, size), interpolation=cv2.INTER_AREA)
            shown = ((batch.image[number].permute(1, 2, 0).numpy() + 1) * 127.5).round().astype(np.uint8)
            mirrored = not np.array_equal(shown, face)
            assert np.array_equal(shown[:, ::-1] if mirrored else shown, face)
            skin = zone_masks(ATLAS, store.landmarks[row], store.size, size).skin
            found = batch.skin[number, 0].numpy()
            # As coarse as a cell is, a mask is no further off than its blurred edge is wide.
            assert np.abs((found[:, ::-1] if mirrored else found) - skin).max() < 0.1
            rising = torch.linspace(-1 + 1 / size, 1 - 1 / size, size)
            assert torch.allclose(batch.location[number], torch.stack(torch.meshgrid(rising, rising, indexing="xy")))


def test_masks_are_fine_enough_for_faces_of_2048(stores: dict[str, Store]) -> None:
    """A cell is 8 pixels there: edges that are blurred over 3 cells show no stairs."""
    store = stores["raw"]
    found = zone_masks(ATLAS, store.landmarks[0], store.size, MASK_SIZE)
    for mask in (*found.zones[:4], found.skin, found.head):
        smooth = cv2.resize(mask, (2048, 2048), interpolation=cv2.INTER_CUBIC)
        assert np.abs(grown(mask[None, None], (2048, 2048))[0, 0] - smooth).max() < 0.02


def test_another_size_shares_the_memory(stores: dict[str, Store]) -> None:
    patches = patches_of(stores["raw"])
    half = patches.at(256)
    a, b = patches.batch(0, 8, 64), half.batch(0, 8, 32)
    assert (half.masks, half.pictures) == (patches.masks, patches.pictures)
    assert (patches.image_size, half.image_size) == (512, 256)
    # A patch of half the size shows the same share of the face.
    assert torch.allclose(a.centre, b.centre, atol=1e-5)
    clear, blurred = (copy.copy(patches) for _ in range(2))
    clear.degraded, blurred.degraded = 0.0, 1.0
    assert not torch.equal(clear.batch(0, 4, 64).image, blurred.batch(0, 4, 64).image)
