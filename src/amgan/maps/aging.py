"""The aging map (paper 3.3): zones filled with their scores, age elsewhere on the head, 0 behind it."""

from __future__ import annotations

from collections.abc import Sequence

from amgan.maps.arrays import ArrayT, library


def aging_map(zones: ArrayT, head: ArrayT, scores: ArrayT, age: ArrayT, channels: Sequence[int]) -> ArrayT:
    """Draws aging maps, of tensors or of arrays. Linear in the scores, so a map can be faded into another.

    Args:
        zones: (B, Z, H, W) in 0..1, the blurred masks of all zones.
        head: (B, H, W) in 0..1, face and hair.
        scores: (B, Z) in 0..1, one score a zone.
        age: (B,) in 0..1.
        channels: The channel of each zone, from `pack_zones`.

    Returns:
        (B, C, H, W) in 0..1, with C one more than the highest channel.

    Raises:
        ValueError: The number of zones, scores and channels differ.

    Example:
        >>> import torch
        >>> zones = torch.zeros(1, 1, 2, 2); zones[0, 0, 0] = 1
        >>> aging_map(zones, torch.ones(1, 2, 2), torch.tensor([[0.9]]), torch.tensor([0.2]), [0])[0, 0]
        tensor([[0.9000, 0.9000],
                [0.2000, 0.2000]])
    """
    if not zones.shape[1] == scores.shape[1] == len(channels):
        raise ValueError(f"{zones.shape[1]} zones, {scores.shape[1]} scores and {len(channels)} channels")
    filled = zones * scores[:, :, None, None]
    maps = []
    for channel in range(max(channels) + 1):
        members = [index for index, c in enumerate(channels) if c == channel]
        cover, values = zones[:, members].sum(1), filled[:, members].sum(1)
        # Where blurred edges meet, the sum can pass 1: then the mean of the zones, else age fills the rest.
        excess = cover.clip(min=1.0)
        maps.append(head * (values / excess + (1 - cover / excess) * age[:, None, None]))
    drawn: ArrayT = library(zones).stack(maps, 1)
    return drawn
