"""What NumPy and PyTorch call differently, so that a formula is written once for both.

Training wants gradients and so PyTorch; a photo can be aged with NumPy alone (docs/export.md). All arrays here are
(B, C, H, W), and what a function gets decides what it computes with and gives back.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, TypeVar

import cv2
import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor

ArrayT = TypeVar("ArrayT", "Tensor", "npt.NDArray[np.float32]")
"""A tensor or a NumPy array; of several arguments all are the one or all are the other."""


def library(array: Any) -> Any:
    """``numpy`` or ``torch``, for the functions whose names and first arguments are the same in both."""
    return np if isinstance(array, np.ndarray) else sys.modules["torch"]


def grown(maps: ArrayT, size: tuple[int, int]) -> ArrayT:
    """Brings maps to another height and width by bilinear interpolation, the edges of the outer pixels in line.

    Example:
        >>> grown(np.array([[[[0.0, 1.0]]]], np.float32), (1, 4)).tolist()
        [[[[0.0, 0.25, 0.75, 1.0]]]]
    """
    if not isinstance(maps, np.ndarray):
        return library(maps).nn.functional.interpolate(maps, size=size, mode="bilinear", align_corners=False)
    height, width = size
    # Without copying what is one alone, as it mostly is.
    large = [_resized(one, (width, height)) for one in maps]
    return large[0][None] if len(large) == 1 else np.stack(large)


def grown_part(mask: npt.NDArray[Any], size: int, rows: slice, columns: slice) -> npt.NDArray[Any]:
    """What `grown` makes of a square at some rows and columns, without making the rest.

    Args:
        mask: (R, R), of any type.
        size: Side that it is brought to.
        rows: Of that, from where to where.
        columns: Likewise.

    Returns:
        (h, w), of the same type.

    Example:
        >>> grown_part(np.array([[0.0, 1.0], [0.0, 1.0]], np.float32), 4, slice(0, 1), slice(1, 3)).tolist()
        [[0.25, 0.75]]
    """
    cell = size // len(mask)
    if cell * len(mask) == size:
        # The pixels of it that are seen, and those beside: to enlarge them takes a fifth of the time.
        top, left = (max(part.start // cell - 1, 0) for part in (rows, columns))
        bottom, right = (-(-part.stop // cell) + 1 for part in (rows, columns))
        inner = mask[top:bottom, left:right]
        large = cv2.resize(inner, None, fx=cell, fy=cell, interpolation=cv2.INTER_LINEAR)
        return large[
            rows.start - cell * top : rows.stop - cell * top, columns.start - cell * left : columns.stop - cell * left
        ]
    ys, xs = (
        (np.arange(part.start, part.stop, dtype=np.float32) + np.float32(0.5)) * np.float32(len(mask) / size)
        - np.float32(0.5)
        for part in (rows, columns)
    )
    x_map, y_map = np.meshgrid(xs, ys)
    return cv2.remap(mask, x_map, y_map, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def pooled(maps: ArrayT, cells: int) -> ArrayT:
    """Means over `cells` by `cells` parts that cover the maps and may share pixels where the sides do not divide."""
    if not isinstance(maps, np.ndarray):
        return library(maps).nn.functional.adaptive_avg_pool2d(maps, cells)
    rows, columns = (_means(side, cells) for side in maps.shape[-2:])
    return np.asarray(rows @ np.ascontiguousarray(maps) @ columns.T, np.float32)


def smoothed(maps: ArrayT) -> ArrayT:
    """Means over each pixel and those of its eight neighbours that there are."""
    if not isinstance(maps, np.ndarray):
        return library(maps).nn.functional.avg_pool2d(maps, 3, 1, 1, count_include_pad=False)
    rows, columns = (_neighbours(side) for side in maps.shape[-2:])
    return np.asarray(rows @ np.ascontiguousarray(maps) @ columns.T, np.float32)


def _resized(maps: npt.NDArray[np.float32], size: tuple[int, int]) -> npt.NDArray[np.float32]:
    """(C, H, W) to (C, height, width), channels last in memory as pictures are."""
    last = np.ascontiguousarray(maps.transpose(1, 2, 0))
    out = cv2.resize(last, size, interpolation=cv2.INTER_LINEAR).reshape(size[1], size[0], -1)
    return np.asarray(out, np.float32).transpose(2, 0, 1)


def _means(side: int, cells: int) -> npt.NDArray[np.float32]:
    """(cells, side), what each pixel of a line counts in each cell."""
    starts = np.arange(cells) * side // cells
    ends = -(-(np.arange(cells) + 1) * side // cells)
    pixels = np.arange(side)
    inside = (pixels >= starts[:, None]) & (pixels < ends[:, None])
    return np.asarray(inside / (ends - starts)[:, None], np.float32)


def _neighbours(side: int) -> npt.NDArray[np.float32]:
    """(side, side), what each pixel of a line counts in the mean around each other one."""
    near = np.abs(np.subtract.outer(np.arange(side), np.arange(side))) <= 1
    return np.asarray(near / near.sum(axis=1, keepdims=True), np.float32)
