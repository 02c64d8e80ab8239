"""The colour of a face's skin, by spots of it that are surely skin."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from amgan.faces.outlines import SIDE, disc
from amgan.signs.atlas import Polygon

# Between brow and eye, on the nose and on both cheeks: skin on nearly every face.
_SURELY_SKIN = (50, 280, 205, 425, 101, 330, 9, 151, 4)
_SPOT = 14
# The outline of the face; the mesh ends mid-forehead, so the upper edge is extrapolated towards the hairline.
OUTLINE: Polygon = [
    *((10, 9, 0.75), (338, 336, 0.75), (297, 296, 0.75), (332, 334, 0.7), (284, 6, 0.2)),
    *(251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132),
    *(93, 234, 127, 162, 21),
    *((54, 6, 0.2), (103, 105, 0.7), (67, 66, 0.75), (109, 107, 0.75)),
]
# Of the colours of what is surely skin the outermost fifth is left out: a highlight, a lock.
TYPICAL = 0.8
# Least variance of skin in CIELAB (8 bits a channel): light differs over a face more than its hue.
_SPREAD = (260.0, 14.0, 14.0)
# Squared Mahalanobis distance from there on which a colour is another.
_FARTHEST = 9.0


def of_skin_colour(rgb: npt.NDArray[np.uint8], points: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Where the colour (512, 512) is near that of what is surely skin, 255 for that."""
    lab = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), np.float32)
    return without_specks(near_in_colour(lab, lab[surely_skin(points)], TYPICAL, _SPREAD))


def surely_skin(points: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """(512, 512), some spots that are."""
    spots = np.zeros((SIDE, SIDE), np.uint8)
    for index in _SURELY_SKIN:
        x, y = (int(v) for v in points[index])
        cv2.circle(spots, (x, y), _SPOT, 255, -1)
    return spots > 0


def without_specks(found: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """A mask of 255 without holes of pores, moles and lines, which are skin, and without single hairs' worth of it."""
    closed = cv2.morphologyEx(np.where(found, 255, 0).astype(np.uint8), cv2.MORPH_CLOSE, disc(3))
    return np.asarray(cv2.morphologyEx(closed, cv2.MORPH_OPEN, disc(3)), np.uint8)


def near_in_colour(
    colours: npt.NDArray[np.float32], known: npt.NDArray[np.float32], typical: float, spread: tuple[float, ...]
) -> npt.NDArray[np.bool_]:
    """Where colours are near to most of the known ones.

    Args:
        colours: (H, W, C).
        known: (N, C).
        typical: Share of them that counts; the outermost are left out.
        spread: Least variance of each channel.
    """
    away = np.abs(known - np.median(known, axis=0)).sum(axis=1)
    known = known[away <= np.quantile(away, typical)]
    inverse = np.linalg.inv(np.cov(known.T) + np.diag(spread)).astype(np.float32)
    difference = colours - known.mean(axis=0)
    return np.asarray(((difference @ inverse) * difference).sum(axis=2) < _FARTHEST, np.bool_)
