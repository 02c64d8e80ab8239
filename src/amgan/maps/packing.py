"""Which zones share a channel of the aging map (paper 3.3): one channel until zones overlap, then one more."""

from __future__ import annotations

import functools
import importlib.resources
import json

import numpy as np
import numpy.typing as npt

from amgan.signs.atlas import Atlas
from amgan.signs.zones import zone_masks

# Zones that share less than this part of the smaller one only touch at their blurred edges.
OVERLAP = 0.35


@functools.cache
def reference_landmarks() -> npt.NDArray[np.float32]:
    """(478, 2) mean landmarks of frontal training faces, in the FFHQ-aligned square scaled to 0..1."""
    text = (importlib.resources.files("amgan.maps") / "reference_face.json").read_text(encoding="utf-8")
    return np.asarray(json.loads(text), np.float32)


def pack_zones(atlas: Atlas) -> tuple[int, ...]:
    """Gives each zone the first channel where it does not overlap a zone before it.

    It is decided once, on the reference face, so that a channel means the same on every photo.

    Returns:
        The channel of each zone, in the atlas's order; the first is 0.
    """
    resolution = 256
    masks = zone_masks(atlas, reference_landmarks() * resolution, resolution, resolution).zones
    area = masks.sum(axis=(1, 2))
    channels: list[int] = []
    for index, mask in enumerate(masks):
        taken = {
            channels[other]
            for other in range(index)
            if np.minimum(mask, masks[other]).sum() > OVERLAP * min(area[index], area[other])
        }
        channels.append(next(channel for channel in range(len(masks)) if channel not in taken))
    return tuple(channels)
