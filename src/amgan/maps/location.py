"""Location maps (paper 3.4): two orthogonal linear gradients that tell a patch where on the face it lies."""

from __future__ import annotations

import torch
from torch import Tensor


def location_maps(tops: Tensor, lefts: Tensor, patch: tuple[int, int], size: tuple[int, int]) -> Tensor:
    """X and Y maps of patches, as cropped from those of the full image.

    Args:
        tops: (B,) upper edge of each patch, pixels.
        lefts: (B,) left edge of each patch, pixels.
        patch: Height and width of the patches.
        size: Height and width of the full image.

    Returns:
        (B, 2, h, w), X then Y, from -1 at the image's left or upper edge to 1 at the other.

    Example:
        >>> location_maps(torch.tensor([0]), torch.tensor([0]), (2, 2), (2, 2))[0, 0]
        tensor([[-0.5000,  0.5000],
                [-0.5000,  0.5000]])
    """
    x = (lefts[:, None] + torch.arange(patch[1]) + 0.5) / size[1] * 2 - 1
    y = (tops[:, None] + torch.arange(patch[0]) + 0.5) / size[0] * 2 - 1
    return torch.stack([x[:, None, :].expand(-1, patch[0], -1), y[:, :, None].expand(-1, -1, patch[1])], dim=1)
