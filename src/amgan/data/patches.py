"""Batches of patches with their maps: what one training step sees (METHOD 1, 3, 4).

Everything is a function of (seed, step): the same step gives the same batch, whatever came before, so a resumed run
goes on exactly.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from amgan.data.store import SIZE, Store
from amgan.maps.kinds import MapKind, draw_map
from amgan.maps.location import location_maps
from amgan.signs.atlas import Atlas
from amgan.signs.zones import zone_masks

# Zone masks are kept at this resolution; their edges are blurred, so more would show nothing new.
MASK_SIZE = 256
# Share of a patch from which a zone counts as shown.
LEAST_COVER = 0.04


@dataclass(frozen=True)
class Batch:
    """One batch.

    Attributes:
        image: (B, 3, P, P) in -1..1.
        source: (B, C, P, P) aging map of the photo as it is.
        target: (B, C, P, P) aging map asked for.
        location: (B, 2, P, P).
        editable: (B, 1, P, P) in 0..1, where the picture may change.
        skin: (B, 1, P, P) in 0..1, the face without hair.
        zoned: (B, 1, P, P) in 0..1, 1 in the zone of any sign; everywhere if the map is no map of zones.
        centre: (B, 2) x and y of the patch's centre in -1..1.
    """

    image: Tensor
    source: Tensor
    target: Tensor
    location: Tensor
    editable: Tensor
    skin: Tensor
    zoned: Tensor
    centre: Tensor


class FacePatches:
    """Draws batches of patches from a store.

    Args:
        store: Prepared faces.
        atlas: Zones.
        indices: Rows of the store to draw from.
        scores: (N, Z) zone scores of all rows of the store.
        ages: (N,) normalised ages of all rows.
        channels: The channel of each zone, from `pack_zones`.
        image_size: The faces are shrunk to this side (1024, 512 or 256).
        seed: Base seed.
        degraded: Share of the patches that `degrade` makes blurred, noisy or blocky.
        maps: What the aging maps hold.
        recolour: Whether `jitter` gives every patch another colour and light.
        alone: Share of the targets that ask for one sign alone.
    """

    def __init__(
        self,
        store: Store,
        atlas: Atlas,
        indices: npt.NDArray[np.int64],
        scores: Tensor,
        ages: Tensor,
        channels: tuple[int, ...],
        image_size: int,
        seed: int,
        degraded: float = 0.0,
        maps: MapKind = "zones",
        recolour: bool = True,
        alone: float = 0.0,
    ) -> None:
        self.store, self.indices, self.channels, self.seed = store, indices, channels, seed
        self.degraded, self.maps, self.recolour, self.alone = degraded, maps, recolour, alone
        self.of_sign = {sign: [atlas.zones.index(zone) for zone in atlas.zones_of(sign)] for sign in atlas.signs}
        self.scores, self.ages = scores[indices], ages[indices]
        self._shrink(image_size)
        masks = []
        for index in indices:
            found = zone_masks(atlas, store.landmarks[index], SIZE, MASK_SIZE)
            stack = np.concatenate([found.zones, found.head[None], found.editable[None], found.skin[None]])
            masks.append(np.round(stack * 255).astype(np.uint8))
        self.masks = np.stack(masks)
        # The old are few: every age is drawn about equally often, as far as a factor of ten allows.
        counts, edges = np.histogram(self.ages.numpy(), bins=10, range=(0, 1))
        density = counts[np.clip(np.digitize(self.ages.numpy(), edges) - 1, 0, 9)].astype(np.float64)
        weight = 1 / np.maximum(density, density.max() / 10)
        self.weight = weight / weight.sum()

    def at(self, image_size: int) -> FacePatches:
        """The same faces at another size; masks and scores are shared."""
        other = copy.copy(self)
        other._shrink(image_size)
        return other

    def _shrink(self, image_size: int) -> None:
        self.image_size = image_size
        if image_size == SIZE:
            self.images: npt.NDArray[np.uint8] = self.store.images
            self.rows = self.indices
        else:
            shrink = (image_size, image_size)
            small = [cv2.resize(self.store.images[i], shrink, interpolation=cv2.INTER_AREA) for i in self.indices]
            self.images, self.rows = np.stack(small).astype(np.uint8), np.arange(len(self.indices))

    def batch(self, step: int, batch_size: int, patch: int) -> Batch:
        """The batch of one step.

        Args:
            step: Number of the step.
            batch_size: Patches in it.
            patch: Side of a patch, pixels.
        """
        rng = np.random.default_rng((self.seed, step))
        picks = rng.choice(len(self.rows), batch_size, p=self.weight)
        cell = self.image_size // MASK_SIZE
        cells = patch // cell
        places = [self._place(rng, pick, cells) for pick in picks]
        tops, lefts = (torch.tensor([p[axis] * cell for p in places]) for axis in (0, 1))

        images, masks = [], []
        for pick, (top, left) in zip(picks, places, strict=True):
            y, x = top * cell, left * cell
            crop = self.images[self.rows[pick], y : y + patch, x : x + patch]
            images.append(degrade(crop, rng) if rng.random() < self.degraded else crop)
            masks.append(self.masks[pick, :, top : top + cells, left : left + cells])
        image = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 127.5 - 1
        mask = torch.from_numpy(np.stack(masks)).float() / 255
        zones, head, editable, skin = mask[:, :-3], mask[:, -3], mask[:, -2:-1], mask[:, -1:]

        source_scores, source_age = self.scores[picks], self.ages[picks]
        target_scores, target_age = self._targets(rng, picks, zones)
        source = draw_map(self.maps, zones, head, source_scores, source_age, self.channels)
        target = draw_map(self.maps, zones, head, target_scores, target_age, self.channels)
        location = location_maps(tops, lefts, (patch, patch), (self.image_size, self.image_size))

        flip = torch.from_numpy(rng.random(batch_size) < 0.5)
        zoned = zones.amax(dim=1, keepdim=True) if self.maps == "zones" else torch.ones_like(skin)
        parts = [image, *(_grown(m, patch) for m in (source, target, editable, skin, zoned)), location]
        image, source, target, editable, skin, zoned, location = (
            torch.where(flip[:, None, None, None], part.flip(-1), part) for part in parts
        )
        # A flipped patch lies on the other side of the face: its X map must go on rising to the right.
        location = torch.where(flip[:, None, None, None], location * torch.tensor([-1.0, 1.0])[:, None, None], location)
        image = jitter(image, rng) if self.recolour else image
        channels_last = torch.channels_last
        return Batch(
            image.contiguous(memory_format=channels_last),
            source,
            target,
            location,
            editable,
            skin,
            zoned,
            location.mean(dim=(2, 3)),
        )

    def _place(self, rng: np.random.Generator, pick: int, cells: int) -> tuple[int, int]:
        """Upper left corner, in mask cells, of a patch with at least a quarter of face."""
        head = self.masks[pick, -3]
        room = MASK_SIZE - cells + 1
        for _ in range(50):
            top, left = (int(v) for v in rng.integers(0, room, 2))
            if head[top : top + cells, left : left + cells].mean() >= 0.25 * 255:
                return top, left
        return room // 2, room // 2

    def _targets(self, rng: np.random.Generator, picks: npt.NDArray[np.int64], zones: Tensor) -> tuple[Tensor, Tensor]:
        """Target scores: a share `alone` of one sign, of the rest half another person's, 30% mixed, 20% at random.

        Mixed are own and other by zone. One sign, or one side of it, is any score where all else stays as it is; a sign
        that shows in the patch, if any does. The other person is drawn over ages as the faces are, so that the critic
        sees no more old skin among the real patches than among those made.

        Of those at random half have one score everywhere, as someone who asks for "all signs at 0.9" has.
        """
        others = rng.choice(len(self.rows), len(picks), p=self.weight)
        scores, ages = self.scores[others].clone(), self.ages[others].clone()
        for index, pick in enumerate(picks):
            if self.alone and rng.random() < self.alone:
                scores[index], ages[index] = self._one_sign(rng, zones[index], self.scores[pick]), self.ages[pick]
                continue
            kind = rng.random()
            if kind < 0.2:
                even = torch.full_like(scores[index], float(rng.random()))
                scores[index] = even if rng.random() < 0.5 else torch.from_numpy(rng.random(len(even))).float()
                ages[index] = even[0]
            elif kind < 0.5:
                own = torch.from_numpy(rng.random(scores.shape[1]) < 0.5)
                scores[index] = torch.where(own, self.scores[pick], scores[index])
                if rng.random() < 0.5:
                    ages[index] = self.ages[pick]
        return scores, ages

    def _one_sign(self, rng: np.random.Generator, zones: Tensor, own: Tensor) -> Tensor:
        """A face's own scores (Z,) but for one sign, or one side of it, among those of the patch's zones (Z, h, w)."""
        cover = zones.mean(dim=(1, 2))
        shown = [sign for sign, places in self.of_sign.items() if cover[places].max() > LEAST_COVER]
        sign = rng.choice(shown or list(self.of_sign))
        places = self.of_sign[sign] if rng.random() < 0.7 else [rng.choice(self.of_sign[sign])]
        scores = own.clone()
        scores[places] = float(rng.random())
        return scores


def degrade(rgb: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """A patch as a small, noisy or compressed photo would show it.

    Args:
        rgb: (P, P, 3) uint8.
        rng: Source of randomness.

    Returns:
        The same shape: shrunk up to three times and enlarged, with noise, and saved as JPEG of quality 40 to 95.
    """
    side = rgb.shape[0]
    small = round(side / rng.uniform(1, 3))
    rgb = np.asarray(cv2.resize(rgb, (small, small), interpolation=cv2.INTER_AREA), np.uint8)
    grain = rng.normal(0, rng.uniform(0, 8), (small, small, 1 if rng.random() < 0.5 else 3))
    # OpenCV's codec takes blue first.
    bgr = (rgb + grain).clip(0, 255).astype(np.uint8)[..., ::-1]
    _, packed = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 96))])
    rgb = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]
    return np.asarray(cv2.resize(rgb, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)


def jitter(image: Tensor, rng: np.random.Generator) -> Tensor:
    """Random colour, light and saturation of each picture, so that no skin colour can stand for age.

    Args:
        image: (B, 3, H, W) in -1..1.
        rng: Source of randomness.

    Returns:
        The same shape and range.
    """

    def draw(*shape: int, sd: float) -> Tensor:
        return torch.from_numpy(rng.normal(0, sd, (len(image), *shape))).float()

    unit = ((image + 1) / 2).clamp(1e-3, 1)
    unit = unit ** torch.exp(draw(1, 1, 1, sd=0.15))
    unit = unit * torch.exp(draw(3, 1, 1, sd=0.12)) + draw(1, 1, 1, sd=0.05)
    mean = unit.mean(dim=(1, 2, 3), keepdim=True)
    unit = mean + (unit - mean) * torch.exp(draw(1, 1, 1, sd=0.12))
    saturation = torch.from_numpy(rng.uniform(0.4, 1.5, (len(image), 1, 1, 1))).float()
    saturation[torch.from_numpy(rng.random(len(image)) < 0.1)] = 0
    luma = (unit * torch.tensor([0.299, 0.587, 0.114])[:, None, None]).sum(dim=1, keepdim=True)
    return (luma + (unit - luma) * saturation).clamp(0, 1) * 2 - 1


def _grown(maps: Tensor, size: int) -> Tensor:
    return F.interpolate(maps, size=(size, size), mode="bilinear", align_corners=False)
