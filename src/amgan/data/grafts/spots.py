"""Spots and lines of a relief, apart from each other and from folds and pores: what is dark and small, or long."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from amgan.faces.light import LUMA
from amgan.faces.outlines import disc
from amgan.faces.rising import rising

# Radius of what a spot fits in, and length of what only a line is as long as, to a side of the face; and how wide lines
# are at most, as a radius, and how long at least.
_RADIUS, _LENGTH = 11 / 1024, 22 / 1024
_WIDTH, _LEAST = 5 / 1024, 15 / 1024
# Directions in which lines are looked for.
_DIRECTIONS = 12
# How dark a spot is, as a logarithm: from where on it is no pore, and surely.
_DARK = (0.035, 0.09)
# Share of what is dark at a place that is no line: from where on it is a spot, and surely.
_ROUND = (0.45, 0.7)
# Deviation of the blur by which spots are cut out softly, to a side of the face.
_SOFT = 1.2 / 1024

_Array = npt.NDArray[np.float32]


def spots_in(relief: _Array, size: int) -> _Array:
    """Where the spots of a relief are.

    Args:
        relief: (H, W, 3), of `amgan.data.grafts.relief.relief_of`.
        size: Side of the whole face, pixels.

    Returns:
        (H, W) float32 in 0..1.
    """
    dark, lines = _dark_and_long(relief, _RADIUS * size, _LENGTH * size)
    found = rising(dark, _DARK) * rising((dark - lines) / dark.clip(min=1e-3), _ROUND)
    return np.asarray(cv2.GaussianBlur(found, (0, 0), max(_SOFT * size, 0.3)), np.float32)


def lines_in(relief: _Array, size: int) -> _Array:
    """The lines of a relief, without its pores, spots, folds and shades.

    Args:
        relief: (H, W, 3), as for `spots_in`.
        size: Side of the whole face, pixels.

    Returns:
        (H, W) float32 from 0 on, how much darker than what is around each line is, as a logarithm.
    """
    _, lines = _dark_and_long(relief, _WIDTH * size, _LEAST * size)
    return np.asarray(cv2.GaussianBlur(lines, (0, 0), max(_SOFT * size, 0.3)), np.float32)


def _dark_and_long(relief: _Array, radius: float, length: float) -> tuple[_Array, _Array]:
    """(H, W) each: how dark what is narrower than a disc is, and of that what holds a straight piece so long."""
    light = np.asarray(relief @ LUMA, np.float32)
    dark = np.asarray(cv2.morphologyEx(light, cv2.MORPH_CLOSE, disc(max(round(radius), 2))) - light, np.float32)
    lines = np.maximum.reduce([cv2.morphologyEx(dark, cv2.MORPH_OPEN, rod) for rod in _rods(length)])
    return dark, np.asarray(lines, np.float32)


def _rods(length: float) -> list[npt.NDArray[np.uint8]]:
    """Straight pieces of a line in all directions, to open pictures by."""
    half = max(round(length / 2), 2)
    rods = []
    for angle in np.arange(_DIRECTIONS) * np.pi / _DIRECTIONS:
        x, y = round(half * np.cos(angle)), round(half * np.sin(angle))
        rod = np.zeros((2 * half + 1, 2 * half + 1), np.uint8)
        cv2.line(rod, (half - x, half - y), (half + x, half + y), 1)
        rods.append(rod)
    return rods
