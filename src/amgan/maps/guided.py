"""The guided filter (He, Sun, Tang 2010): a coarse mask is brought to the edges of a photo.

OpenCV has it in its contrib modules alone, and which of its wheels is installed is not for us to say: packages that
are needed here require different ones, which overwrite each other.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
# Upper triangle of a symmetric matrix of three rows.
_PAIRS = ((0, 0), (0, 1), (0, 2), (1, 1), (1, 2), (2, 2))


def guided(guide: npt.NDArray[np.uint8], mask: Array, radius: int, edge: float) -> Array:
    """What fits a mask best around each place and is there a linear function of a picture's colours.

    It is computed at half the size, and only the functions are enlarged, as in the fast guided filter (He, Sun 2015).

    Args:
        guide: (H, W, 3) uint8.
        mask: (H, W).
        radius: Half the side of what is around a place, pixels of the guide.
        edge: Variance, of colours in 0..1, from which on colours count as different.

    Returns:
        (H, W) float32; about in the mask's range.

    Example:
        >>> guide = np.zeros((32, 32, 3), np.uint8)
        >>> guide[:, 16:] = 200
        >>> coarse = cv2.blur(guide[..., 0].astype(np.float32) / 200, (9, 9))
        >>> [f"{share:.1f}" for share in guided(guide, coarse, 6, 1e-4)[16, 14:18]]
        ['0.2', '0.2', '0.8', '0.8']
    """
    height, width = mask.shape
    half = (max(width // 2, 1), max(height // 2, 1))
    small = cv2.resize(guide, half, interpolation=cv2.INTER_AREA).astype(np.float32) / np.float32(255)
    target = np.asarray(cv2.resize(mask, half, interpolation=cv2.INTER_AREA), np.float32)
    side = 2 * max(round(radius / 2), 1) + 1

    def mean(values: Array) -> Array:
        return np.asarray(cv2.blur(values, (side, side)), np.float32)

    colours, middle = mean(small), mean(target)
    spread = mean(np.stack([small[..., a] * small[..., b] for a, b in _PAIRS], axis=-1))
    spread -= np.stack([colours[..., a] * colours[..., b] for a, b in _PAIRS], axis=-1)
    spread[..., [0, 3, 5]] += np.float32(edge)
    shared = mean(small * target[..., None]) - colours * middle[..., None]
    slopes = _solved(spread, shared)
    offset = middle - (slopes * colours).sum(axis=-1)
    functions = cv2.resize(mean(np.dstack([slopes, offset])), (width, height), interpolation=cv2.INTER_LINEAR)
    return np.asarray(
        np.einsum("hwc,hwc->hw", functions[..., :3], guide, dtype=np.float32) / np.float32(255) + functions[..., 3],
        np.float32,
    )


def _solved(matrix: Array, right: Array) -> Array:
    """Solves A x = b at each place, A symmetric: (H, W, 6) as `_PAIRS` has it, b and x (H, W, 3); by Cramer's rule."""
    rr, rg, rb, gg, gb, bb = np.moveaxis(matrix, -1, 0)
    # Cofactors, which are symmetric too.
    c_rr, c_rg, c_rb = gg * bb - gb * gb, rb * gb - rg * bb, rg * gb - rb * gg
    c_gg, c_gb, c_bb = rr * bb - rb * rb, rb * rg - rr * gb, rr * gg - rg * rg
    r, g, b = np.moveaxis(right, -1, 0)
    found = np.stack(
        [c_rr * r + c_rg * g + c_rb * b, c_rg * r + c_gg * g + c_gb * b, c_rb * r + c_gb * g + c_bb * b], axis=-1
    )
    return np.asarray(found / (rr * c_rr + rg * c_rg + rb * c_rb)[..., None], np.float32)
