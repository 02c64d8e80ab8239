"""Batches of patches with their maps: what one training step sees.

Everything about a patch is a function of (seed, step, its number in the batch): a step gives the same batch whatever
came before, so a resumed run goes on exactly; and a process that wants a part of a batch makes just that part.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from amgan.data.augment import degrade, jitter
from amgan.data.cache import ArrayCache
from amgan.data.draw import Draw
from amgan.data.grafts.graft import Grafts
from amgan.data.grafts.window import Window
from amgan.data.masks import Masks, pack_masks
from amgan.data.store import Store
from amgan.faces.align import at_side
from amgan.maps.arrays import grown_part
from amgan.maps.kinds import MapKind, count_channels, draw_map, in_any_zone
from amgan.maps.location import location_maps
from amgan.maps.mesh import LOCATED, face_places
from amgan.maps.sides import across
from amgan.maps.variants import varied, which_pattern
from amgan.signs.atlas import Atlas
from amgan.signs.zones import zone_masks

# Zone masks are kept at this resolution; their edges are blurred, so more would show nothing new.
MASK_SIZE = 256
# What the masks of a face take, as they are and compressed, and what its places on the mean face do.
MASK_BYTES, PACKED_BYTES, PLACES_BYTES = 224 * 2**10, 64 * 2**10, 128 * 2**10
# Share of the patches of grafts that lie anywhere on the head.
_OF_HEAD = 0.35
# Sets of lines that are drawn from.
_VARIANTS = 2**31
# Grey levels in -1..1.
_LEVELS = np.arange(256, dtype=np.float32) / np.float32(127.5) - 1


@dataclass(frozen=True)
class Batch:
    """One batch.

    Attributes:
        image: (B, 3, P, P) in -1..1.
        source: (B, C, P, P) aging map of the photo as it is.
        target: (B, C, P, P) aging map asked for.
        location: (B, 2, P, P); or (B, 3, P, P) with the pattern of lines (`amgan.maps.variants`).
        editable: (B, 1, P, P) in 0..1, where the picture may change.
        skin: (B, 1, P, P) in 0..1, the face without hair.
        zoned: (B, 1, P, P) in 0..1, 1 in the zone of any sign; everywhere if the map is no map of zones.
        centre: (B, 2) x and y of the patch's centre in -1..1.
        wanted: (B, 3, P, P) in -1..1, what the target asks for, where that is known: of grafts.
        bare: (B, 1, P, P) in 0..1, where skin is bare, likewise.
    """

    image: Tensor
    source: Tensor
    target: Tensor
    location: Tensor
    editable: Tensor
    skin: Tensor
    zoned: Tensor
    centre: Tensor
    wanted: Tensor | None = None
    bare: Tensor | None = None


class _Patch(NamedTuple):
    """One patch, as a `Batch` has them: pictures (P, P, 3), maps (C, P, P), its centre (2,).

    It is drawn into the batch's own memory: to copy it there took a seventh of its time.
    """

    image: npt.NDArray[np.float32]
    source: npt.NDArray[np.float32]
    target: npt.NDArray[np.float32]
    location: npt.NDArray[np.float32]
    editable: npt.NDArray[np.float32]
    skin: npt.NDArray[np.float32]
    zoned: npt.NDArray[np.float32]
    centre: npt.NDArray[np.float32]
    wanted: npt.NDArray[np.float32] | None = None
    bare: npt.NDArray[np.float32] | None = None

    @property
    def maps(self) -> list[npt.NDArray[np.float32]]:
        """(P, P) each, those that are drawn by the masks, in this order: source, target, editable, skin, zoned."""
        return [*self.source, *self.target, *self.editable, *self.skin, *self.zoned]


class FacePatches:
    """Draws batches of patches from a store. Threads may share one.

    Args:
        store: Prepared faces.
        atlas: Zones.
        indices: Rows of the store to draw from.
        draw: Who of them is drawn, and what is asked.
        channels: The channel of each zone, from `pack_zones`.
        image_size: The faces are shrunk to this side, a multiple of `MASK_SIZE`.
        seed: Base seed.
        degraded: Share of the patches that `degrade` makes blurred, noisy or blocky.
        maps: What the aging maps hold.
        recolour: Whether `jitter` gives every patch another colour and light.
        cache_bytes: What decoded and shrunk pictures and masks may take of the memory.
        on_face: Whether location maps give places on the mean face (`amgan.maps.mesh`) rather than in the picture.
        patterns: How many patterns of lines there are; with more than one each patch gets lines of its own.
        grafts: Makes of every patch a pair, with a graft and without; the targets are then what the grafts made.
    """

    def __init__(
        self,
        store: Store,
        atlas: Atlas,
        indices: npt.NDArray[np.int64],
        draw: Draw,
        channels: tuple[int, ...],
        image_size: int,
        seed: int,
        degraded: float = 0.0,
        maps: MapKind = "zones",
        recolour: bool = True,
        cache_bytes: int = 2**30,
        on_face: bool = False,
        patterns: int = 1,
        grafts: Grafts | None = None,
    ) -> None:
        self.on_face, self.patterns, self.grafts = on_face, patterns, grafts
        # A pattern has a left side and a right one.
        self.mirrors = patterns == 1 and (grafts is None or grafts.patterns is None)
        self.store, self.atlas, self.indices, self.draw, self.channels = store, atlas, indices, draw, channels
        self.image_size, self.seed = image_size, seed
        self._across = across(atlas.zones)
        self.degraded, self.maps, self.recolour = degraded, maps, recolour
        # Apart from each other: a picture would push out fifty masks, each of which takes as long to make.
        of_all, of_all_packed = (len(indices) * (each + on_face * PLACES_BYTES) for each in (MASK_BYTES, PACKED_BYTES))
        # To unpack them takes a twelfth of a patch's time, which those of few faces need not.
        self._packed = of_all > cache_bytes // 2
        for_masks = min(cache_bytes // 2, of_all_packed if self._packed else of_all)
        self.masks, self.pictures = ArrayCache(for_masks), ArrayCache(cache_bytes - for_masks)

    def at(self, image_size: int) -> FacePatches:
        """The same faces at another size; what is kept in memory is shared."""
        other = copy.copy(self)
        other.image_size = image_size
        return other

    def batch(
        self,
        step: int,
        batch_size: int,
        patch: int,
        part: slice = slice(None),
        each: Callable[..., Iterable[Any]] = map,
    ) -> Batch:
        """The batch of one step.

        Args:
            step: Number of the step.
            batch_size: Patches in it.
            patch: Side of a patch, pixels; whole cells of the masks.
            part: Which of its patches are wanted, where several processes share a batch.
            each: Makes the patches, one by one as `map` does or several at once (`amgan.data.ahead.side_by_side`).
        """
        of_whom = self.draw if self.grafts is None else self.grafts
        picks = of_whom.faces(np.random.default_rng((self.seed, step)), batch_size)

        numbers = range(batch_size)[part]
        arrays = {name: np.empty((len(numbers), *shape), np.float32) for name, shape in self._shapes(patch).items()}

        def make(place: int) -> None:
            # From 1 on, since numpy takes a trailing 0 of a seed for nothing.
            rng = np.random.default_rng((self.seed, step, numbers[place] + 1))
            into = _Patch(**{name: array[place] for name, array in arrays.items()})
            self._draw(into, int(picks[numbers[place]]), rng, patch)

        for _ in each(make, range(len(numbers))):
            pass
        found = {name: torch.from_numpy(array) for name, array in arrays.items()}
        for pictures in {"image", "wanted"} & found.keys():
            # (B, P, P, 3) in memory is channels-last.
            found[pictures] = found[pictures].permute(0, 3, 1, 2)
        return Batch(**found)

    def _shapes(self, side: int) -> dict[str, tuple[int, ...]]:
        """What a patch of this side consists of, and the shape of each."""
        picture, channels = (side, side, 3), count_channels(self.maps, self.channels)
        counts = {"source": channels, "target": channels, "location": 2 + (self.patterns > 1)}
        counts |= dict.fromkeys(("editable", "skin", "zoned"), 1)
        found = {"image": picture, **{name: (count, side, side) for name, count in counts.items()}, "centre": (2,)}
        return found if self.grafts is None else found | {"wanted": picture, "bare": (1, side, side)}

    def _draw(self, into: _Patch, pick: int, rng: np.random.Generator, side: int) -> None:
        """Draws a patch of a face."""
        cell = self.image_size // MASK_SIZE
        cells = side // cell
        masks = self._masks(pick)
        # Grafts are of skin, but for grey hair, of which a patch of skin shows little.
        on_skin = self.grafts is not None and not (self.grafts.hair and rng.random() < _OF_HEAD)
        top, left = _place(rng, masks.mask(-1 if on_skin else -3), cells)
        x, y = left * cell, top * cell
        whole = self._picture(pick)
        before = whole[y : y + side, x : x + side]
        mask = masks.part(top, left, cells)
        zones, (head, editable, skin) = mask[:-3], mask[-3:]
        zoned = in_any_zone(self.maps, zones)
        # Where the patch lies is one thing, where its lines come from another.
        number = int(rng.integers(_VARIANTS)) if self.patterns > 1 else None
        places = self._locate(into.location, pick, y, x, number)
        into.centre[:] = places.mean(axis=(1, 2))
        after, own = before, (self.draw.scores[pick], np.float32(self.draw.ages[pick]))
        if self.grafts is None:
            asked = self.draw.target(rng, pick, zones)
        else:
            on_mean, lines = (places, into.location[:2]) if self.on_face else (None, None)
            pattern = which_pattern(number or 0, self.patterns)
            window = Window(x, y, side, zones, head, editable, on_mean, lines, pattern)
            graft, put_on = self.grafts.drawn(rng, pick, whole, window)
            after, asked = graft.after, (graft.scores, graft.age)
            assert into.bare is not None
            into.bare[0] = self.grafts.layers.bare(pick, self.image_size, *window.patch)
            if not put_on:
                before, after, own, asked = after, before, asked, own
        # Drawn before the pictures change, since larger patches draw more noise.
        mirrored = rng.random() < 0.5 and self.mirrors
        if mirrored and self.maps == "scores":
            # A map of zones is mirrored by its pixels; here the channels say what is left and what is right.
            own, asked = ((scores[self._across], age) for scores, age in (own, asked))
        for small, large in zip(
            [*np.concatenate(self._drawn(zones, head, own, asked)), editable, skin, zoned], into.maps, strict=True
        ):
            cv2.resize(small, (side, side), dst=large, interpolation=cv2.INTER_LINEAR)
        state = rng.bit_generator.state
        self._change(into.image, before, rng)
        if into.wanted is not None:
            # Both with the same light, grain and blocks.
            rng.bit_generator.state = state
            self._change(into.wanted, after, rng)
        if mirrored:
            _mirror(into)

    def _change(self, into: npt.NDArray[np.float32], rgb: npt.NDArray[np.uint8], rng: np.random.Generator) -> None:
        """Draws a patch (P, P, 3) in -1..1, in another light and as a worse photo would show it."""
        if rng.random() < self.degraded:
            rgb = degrade(rgb, rng)
        if self.recolour:
            into[:] = jitter(rgb, rng)
        else:
            cv2.LUT(rgb, _LEVELS, dst=into)

    def _drawn(
        self, zones: npt.NDArray[np.float32], head: npt.NDArray[np.float32], *faces: tuple[Any, np.float32]
    ) -> npt.NDArray[np.float32]:
        """The maps (N, C, h, w) of one face with some scores and ages; see `draw_map`."""
        scores, ages = (np.array(each, np.float32) for each in zip(*faces, strict=True))
        return draw_map(self.maps, zones[None], head[None], scores, ages, self.channels)

    def _locate(
        self, into: npt.NDArray[np.float32], pick: int, y: int, x: int, number: int | None
    ) -> npt.NDArray[np.float32]:
        """Draws location maps (L, P, P), of a set of lines if one has a number; (2, P, P), where the patch lies."""
        size, side = self.image_size, into.shape[-1]
        if not self.on_face:
            corner = np.array([y], np.float32), np.array([x], np.float32)
            places = location_maps(*corner, (side, side), (size, size))[0]
            into[:] = places if number is None else varied(places, number, self.patterns)
            return places
        index = self.indices[pick]
        places = self.masks.get(("places", pick), lambda: face_places(self.store.landmarks[index], self.store.size))
        cell = size // LOCATED
        top, left = (max(first // cell - 1, 0) for first in (y, x))
        bottom, right = ((first + side - 1) // cell + 2 for first in (y, x))
        near = places[:, top:bottom, left:right]
        rows, columns = (slice(first, first + side) for first in (y - cell * top, x - cell * left))

        def grow(maps: npt.NDArray[np.float32], into: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
            for small, large in zip(maps, into, strict=True):
                large[:] = grown_part(small, cell * len(small), rows, columns)
            return into

        if number is None:
            return grow(near, into)
        # Lines are bent in long waves, so that where they come from need not be worked out for every pixel.
        grow(varied(near, number, self.patterns), into)
        return grow(near, np.empty((2, side, side), np.float32))

    def _picture(self, pick: int) -> npt.NDArray[np.uint8]:
        """A face (S, S, 3) at `image_size`."""
        images, index, size = self.store.images, int(self.indices[pick]), self.image_size

        # What is mapped lies in the system's own cache already.
        ready = size == self.store.size and isinstance(images, np.ndarray)
        return images[index] if ready else self.pictures.get((size, pick), lambda: at_side(images[index], size))

    def _masks(self, pick: int) -> Masks:
        """Zones, head, editable and skin of a face."""

        def make() -> npt.NDArray[np.uint8]:
            found = zone_masks(self.atlas, self.store.landmarks[self.indices[pick]], self.store.size, MASK_SIZE)
            stack = np.concatenate([found.zones, found.head[None], found.editable[None], found.skin[None]])
            return pack_masks(np.round(stack * 255).astype(np.uint8), self._packed)

        return Masks(self.masks.get(pick, make), len(self.atlas.zones) + 3, MASK_SIZE)


def _mirror(patch: _Patch) -> None:
    """Mirrors a patch in place; it lies on the other side of the face then."""
    for array in (*patch.maps, *patch.location, *(() if patch.bare is None else patch.bare)):
        array[:] = array[:, ::-1].copy()
    for picture in (patch.image, patch.wanted):
        if picture is not None:
            picture[:] = picture[:, ::-1].copy()
    # Its X map must go on rising to the right.
    patch.location[0] *= -1
    patch.centre[0] *= -1


def _place(rng: np.random.Generator, head: npt.NDArray[np.uint8], cells: int) -> tuple[int, int]:
    """Upper left corner, in mask cells, of a patch, a quarter of it of the face, whose mask `head` is, if possible."""
    room = MASK_SIZE - cells + 1
    for _ in range(50):
        top, left = (int(v) for v in rng.integers(0, room, 2))
        if head[top : top + cells, left : left + cells].mean() >= 0.25 * 255:
            return top, left
    return room // 2, room // 2
