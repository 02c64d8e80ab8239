"""What the aging map holds: the paper's zones (3.3), or less, for its two ablations (5.4, 5.5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from amgan.maps.aging import aging_map
from amgan.maps.arrays import ArrayT, library

# "zones" is the method. "scores" gives every score, and the age, as a uniform map of its own: the network is told what
# is wanted and not where ("without aging maps"). "age" gives the age alone, as one uniform map.
MapKind = Literal["zones", "scores", "age"]


def count_channels(kind: MapKind, channels: Sequence[int]) -> int:
    """Channels of a map of this kind.

    Args:
        kind: What the map holds.
        channels: The channel of each zone, from `pack_zones`.

    Example:
        >>> [count_channels(kind, [0, 0, 1]) for kind in ("zones", "scores", "age")]
        [2, 4, 1]
    """
    return {"zones": max(channels) + 1, "scores": len(channels) + 1, "age": 1}[kind]


def draw_map(
    kind: MapKind, zones: ArrayT, head: ArrayT, scores: ArrayT, age: ArrayT, channels: Sequence[int]
) -> ArrayT:
    """Draws the map of any kind; arguments are those of `amgan.maps.aging.aging_map`, errors too for "zones".

    Returns:
        (B, C, H, W) in 0..1, with `count_channels` channels. Uniform maps fill the picture, its background too.
    """
    if kind == "zones":
        return aging_map(zones, head, scores, age, channels)
    lib = library(age)
    values: ArrayT = age[:, None] if kind == "age" else lib.concatenate([scores, age[:, None]], 1)
    drawn: ArrayT = lib.broadcast_to(values[:, :, None, None], (*values.shape, *zones.shape[-2:]))
    return drawn


def in_any_zone(kind: MapKind, zones: ArrayT) -> ArrayT:
    """Where a map of this kind asks for a sign.

    Args:
        kind: What the map holds.
        zones: (..., Z, H, W) in 0..1, the zones.

    Returns:
        (..., H, W) in 0..1, 1 in any zone; everywhere if the map knows no places.

    Example:
        >>> import numpy as np
        >>> zones = np.array([[[1.0, 0.0]], [[0.0, 0.0]]], np.float32)
        >>> in_any_zone("zones", zones).tolist(), in_any_zone("age", zones).tolist()
        ([[1.0, 0.0]], [[1.0, 1.0]])
    """
    lib = library(zones)
    found: ArrayT = lib.amax(zones, -3) if kind == "zones" else lib.ones_like(zones[..., 0, :, :])
    return found
