"""Beards and brows, hair on skin: what is darker there than the face's own cheeks and, in beards, as uneven as hair."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from amgan.faces.light import DARK, LUMA
from amgan.faces.outlines import BROWS, LIPS, SIDE, disc, filled, hull, softened, to_masks
from amgan.faces.rising import rising

# Where beards grow: below the nose, out to the jaw, up to the ears; and the nose, whose nostrils are dark too.
LOWER_FACE = (2, 327, 411, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 187, 98)
_SIDES = ((411, 454, 323, 361), (187, 132, 93, 234))
_NOSE = (2, 97, 326, 98, 327, 94, 19, 1, 129, 358)
# How far around lips, nose, brows and the jaw, pixels.
_OFF_LIPS, _OFF_NOSE, _AROUND_BROWS, _UNDER_JAW = 5, 4, 2, 14
# Landmarks of both cheeks above the beard, and half the side of the square that is looked at there.
_CHEEKS, _SPOT = (50, 280, 101, 330, 117, 346, 118, 347, 36, 266), 4
# How much darker than cheeks, as logarithms of light: from where on, and all of it.
_BEARD, _BROW = (0.3, 0.75), (0.35, 0.9)
# How much brows count beside a beard: hairs of theirs that are grey are single ones, and skin shows between them.
_OF_BROWS = 0.5
# How uneven a beard is, as logarithms of light; shade is smooth. And the blurs that part the two.
_UNEVEN, _STRAND, _OVER = (0.025, 0.055), 2.0, 5.0
# What share of the lower face is beard on the side that has less of it: below the first none is meant, from the second
# on it is one. Shade lies on one side.
_GROWN = (0.1, 0.25)
# Light, of 255, from which on hair is told from what is black.
_SEEN = (6.0, 22.0)

_Array = npt.NDArray[np.float32]


def whiskers(rgb: npt.NDArray[np.uint8], landmarks: npt.NDArray[np.float32]) -> _Array:
    """Where a beard and brows are.

    Args:
        rgb: (S, S, 3) uint8, aligned.
        landmarks: (478, 2) in its pixels.

    Returns:
        (512, 512) float32 in 0..1.
    """
    small = cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    points = to_masks(landmarks, rgb.shape[0])
    light = np.log(small @ LUMA / np.float32(255) + np.float32(DARK))
    darker = _cheeks(light, points) - cv2.GaussianBlur(light, (0, 0), 1.5)
    brows = brows_of(landmarks, rgb.shape[0])
    found = np.maximum(_beard(light, darker, points), _OF_BROWS * rising(darker, _BROW) * brows)
    return np.asarray(cv2.GaussianBlur(found * rising(small @ LUMA, _SEEN), (0, 0), 1.5), np.float32)


def brows_of(landmarks: npt.NDArray[np.float32], size: int) -> _Array:
    """(512, 512) in 0..1, where the brows of an aligned face of side `size` are, with the skin between their hairs."""
    points = to_masks(landmarks, size)
    found = np.maximum.reduce([hull(points, brow, _AROUND_BROWS) for brow in BROWS])
    return softened(found, 1.5)


def _beard(light: _Array, darker: _Array, points: _Array) -> _Array:
    """(512, 512) in 0..1; all 0 on a face without one."""
    lower = filled(points[list(LOWER_FACE)])
    whole = cv2.dilate(np.maximum.reduce([lower, *(filled(points[list(side)]) for side in _SIDES)]), disc(_UNDER_JAW))
    bare = (hull(points, LIPS, _OFF_LIPS) == 0) & (hull(points, _NOSE, _OFF_NOSE) == 0)
    uneven = cv2.GaussianBlur(np.abs(light - cv2.GaussianBlur(light, (0, 0), _STRAND)), (0, 0), _OVER)
    found = rising(darker, _BEARD) * rising(uneven, _UNEVEN) * bare * (whole > 0)
    # Hair beside the face is dark and uneven too: whether there is a beard says what is certainly face.
    region = bare & (lower > 0)
    # Parted where the nose and the chin say, since a head may lean.
    (x, y), (below_x, below_y) = points[2], points[152]
    rows, columns = np.mgrid[:SIDE, :SIDE].astype(np.float32)
    left = (columns - x) * (below_y - y) < (rows - y) * (below_x - x)
    grown = min(float(found[region & side].mean()) if (region & side).any() else 0.0 for side in (left, ~left))
    return np.asarray(found * rising(np.float32(grown), _GROWN), np.float32)


def _cheeks(light: _Array, points: _Array) -> float:
    """The light of a face's cheeks."""
    spots = []
    for index in _CHEEKS:
        x, y = (int(value) for value in points[index].clip(_SPOT, SIDE - 1 - _SPOT))
        spots.append(light[y - _SPOT : y + _SPOT + 1, x - _SPOT : x + _SPOT + 1].mean())
    return float(np.median(spots))
