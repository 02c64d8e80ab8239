"""Single strands on the forehead, too thin for the parser: what is thin, much darker than skin, and hangs from hair."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from amgan.faces.light import light_in, logarithms
from amgan.faces.outlines import BROWS, disc
from amgan.faces.rising import rising

# Of a face of 1024 px: radius of what a strand is narrower than, of what the hair around is looked at in, how far above
# the brows strands are looked for no longer, and over how many pixels less and less: a strand that ends would be cut.
_NARROW, _AROUND, _OFF_BROWS, _FADE = 12, 40, 14, 40
# How much darker than the skin around a pixel of a strand is, as logarithms of light: from where on, and all of it;
# hardly a wrinkle is so dark. And the same of the hair that strands hang from, or nothing could be told.
_TAKEN, _DARKER = (0.2, 0.6), (0.1, 0.3)
# From which share on the parser's hair is what strands hang from, and from which on a strand leads further.
_HAIR, _LEADS = 0.5, 0.25
# Between what is surely skin and surely hair: how far apart the two must be, squared, for a pixel to be told by them,
# from where on and surely; and at which share of the way from the one to the other it is no skin any more, and hair.
_APART, _BETWEEN = (0.1, 0.4), (0.15, 0.6)
# Landmarks of the root of the nose and of its base; how far above it, times the distance of the two, hair hangs surely
# and grows surely; and over which share of the brows' width that begins.
_ROOT, _BASE, _GROWS, _SIDE = 9, 2, (0.55, 0.8), 0.1

_Array = npt.NDArray[np.float32]


def fringe(
    rgb: npt.NDArray[np.uint8], landmarks: npt.NDArray[np.float32], mask: _Array, hair: _Array, skin: _Array
) -> _Array:
    """A mask of hair in which, above the brows, single strands stand out from the skin that is seen between them.

    Args:
        rgb: (S, S, 3) uint8, aligned.
        landmarks: (478, 2) in its pixels.
        mask: (S, S) in 0..1, how much of each pixel is hair as far as is known.
        hair: (R, R) in 0..1, where the parser saw hair.
        skin: (R, R) in 0..1, and skin.

    Returns:
        (S, S) float32 in 0..1; as it was where hair is hardly darker than skin.
    """
    size = len(rgb)
    unit = size / 1024
    below = int(np.clip(min(landmarks[list(brow), 1].min() for brow in BROWS) - _OFF_BROWS * unit, 0, size))
    if below < 8:
        return mask
    whole = [cv2.resize(part, (size, size), interpolation=cv2.INTER_LINEAR)[:below] for part in (hair, skin)]
    known, bare = (np.asarray(part, np.float32) for part in whole)
    logs = np.asarray(cv2.GaussianBlur(logarithms(rgb[:below]), (0, 0), max(0.7 * unit, 0.3)), np.float32)
    radius = max(round(_NARROW * unit), 2)
    # The skin without what is narrow and dark on it.
    light = light_in(logs)
    under = cv2.GaussianBlur(cv2.morphologyEx(light, cv2.MORPH_CLOSE, disc(radius)), (0, 0), radius / 3)
    hairs, plain = (_around(logs, part, _AROUND * unit) for part in (known, bare))
    share = rising(under - light, _TAKEN) * rising(under - light_in(hairs), _DARKER) * (bare + known).clip(max=1)
    _, labels = cv2.connectedComponents(((share > _LEADS) | (known > _HAIR)).astype(np.uint8))
    attached = np.unique(labels[known > _HAIR])
    strands = share * np.isin(labels, attached[attached > 0])
    way = hairs - plain
    length = (way**2).sum(axis=2)
    told = rising(length, _APART) * hanging(landmarks, size, size)[:below]
    like = rising(((logs - plain) * way).sum(axis=2) / length.clip(min=1e-6), _BETWEEN)
    sought = rising(below - np.arange(below, dtype=np.float32), (0.0, _FADE * unit))[:, None]
    found = mask.copy()
    found[:below] += sought * (np.maximum(mask[:below] * (1 - told * (1 - like)), strands) - mask[:below])
    return found


def _around(logs: _Array, part: _Array, blur: float) -> _Array:
    """(H, W, 3), the colours around each place of what a part (H, W) in 0..1 is sure of."""
    height, width = part.shape
    small = (max(width // 4, 1), max(height // 4, 1))
    weight = np.asarray(cv2.resize(part, small, interpolation=cv2.INTER_AREA), np.float32)[..., None] ** 4
    weight += np.float32(1e-4)
    coarse = cv2.resize(logs, small, interpolation=cv2.INTER_AREA)
    blurred = cv2.GaussianBlur(np.dstack([coarse * weight, weight]), (0, 0), blur / 4)
    found = np.asarray(blurred[..., :3] / blurred[..., 3:], np.float32)
    return np.asarray(cv2.resize(found, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)


def hanging(landmarks: npt.NDArray[np.float32], size: int, side: int) -> _Array:
    """How surely hair at each place hangs down over the forehead, instead of growing there.

    Args:
        landmarks: (478, 2) in pixels of an aligned face.
        size: Side of that, pixels.
        side: Side of what is returned.

    Returns:
        (side, side) float32 in 0..1; 0 from where hair begins to grow on and upwards, and beside the brows.
    """
    points = (landmarks + np.float32(0.5)) * np.float32(side / size)
    # Hair begins about as far above the root of the nose as that is above the base.
    root, base = points[_ROOT, 1], points[_BASE, 1]
    places = np.arange(side, dtype=np.float32) + np.float32(0.5)
    above = (root - places) / max(base - root, np.float32(1))
    left, right = (points[list(brow), 0] for brow in BROWS)
    inner = np.minimum(places - left.min(), right.max() - places) / max(right.max() - left.min(), np.float32(1))
    return rising(-above, (-_GROWS[1], -_GROWS[0]))[:, None] * rising(inner, (0.0, _SIDE))[None]
