"""Location maps (paper 3.4): two orthogonal linear gradients that tell a patch where on the face it lies."""

from __future__ import annotations

from amgan.maps.arrays import ArrayT, library


def location_maps(tops: ArrayT, lefts: ArrayT, patch: tuple[int, int], size: tuple[int, int]) -> ArrayT:
    """X and Y maps of patches, as cropped from those of the full image.

    Args:
        tops: (B,) upper edge of each patch, pixels; a tensor, or an array of float32.
        lefts: (B,) left edge of each patch, pixels.
        patch: Height and width of the patches.
        size: Height and width of the full image.

    Returns:
        (B, 2, h, w), X then Y, from -1 at the image's left or upper edge to 1 at the other.

    Example:
        >>> import torch
        >>> location_maps(torch.tensor([0]), torch.tensor([0]), (2, 2), (2, 2))[0, 0]
        tensor([[-0.5000,  0.5000],
                [-0.5000,  0.5000]])
    """
    lib = library(tops)
    x = (lefts[:, None] + lib.arange(patch[1], dtype=lib.float32) + 0.5) / size[1] * 2 - 1
    y = (tops[:, None] + lib.arange(patch[0], dtype=lib.float32) + 0.5) / size[0] * 2 - 1
    shape = (len(tops), *patch)
    maps: ArrayT = lib.stack([lib.broadcast_to(x[:, None, :], shape), lib.broadcast_to(y[:, :, None], shape)], 1)
    return maps
