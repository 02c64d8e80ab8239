"""Where a face shows bare skin: no hair, glasses, brows, eyes or lips."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from amgan.faces.outlines import BROWS, EYES, LIPS, SIDE, disc, filled, hull, to_masks
from amgan.signs.atlas import Polygon
from amgan.signs.zones import polygon_points

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
# What is no skin, each with how far around it is left out.
_HOLES = (*((eye, 3) for eye in EYES), (LIPS, 2), *((brow, 5) for brow in BROWS))
# Of the colours of what is surely skin the outermost fifth is left out: a highlight, a lock.
_TYPICAL = 0.8
# Least variance of skin in CIELAB (8 bits a channel): light differs over a face more than its hue.
_SPREAD = (260.0, 14.0, 14.0)
# Squared Mahalanobis distance from there on which a colour is another.
_FARTHEST = 9.0


def bare_skin(rgb: npt.NDArray[np.uint8], landmarks: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Where skin is bare, by its colour and the landmarks.

    Args:
        rgb: (S, S, 3) uint8, aligned.
        landmarks: (478, 2) in its pixels.

    Returns:
        (512, 512) uint8, 255 for bare skin; soft edges that lie within it.
    """
    shrunk = cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    small = np.asarray(cv2.GaussianBlur(shrunk, (0, 0), 2), np.uint8)
    points = to_masks(landmarks, rgb.shape[0])
    inside = cv2.erode(filled(polygon_points(OUTLINE, points)), disc(5))
    found = of_skin_colour(small, points) & np.asarray(inside, np.uint8)
    for hole, around in _HOLES:
        found &= ~hull(points, hole, around)
    return np.asarray(cv2.GaussianBlur(cv2.erode(found, disc(3)), (0, 0), 2), np.uint8)


def of_skin_colour(rgb: npt.NDArray[np.uint8], points: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Where the colour (512, 512) is near that of what is surely skin, 255 for that."""
    lab = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), np.float32)
    spots = np.zeros(lab.shape[:2], np.uint8)
    for index in _SURELY_SKIN:
        x, y = (int(v) for v in points[index])
        cv2.circle(spots, (x, y), _SPOT, 255, -1)
    found = np.where(near_in_colour(lab, lab[spots > 0], _TYPICAL, _SPREAD), 255, 0).astype(np.uint8)
    # Pores, moles and lines are skin; single hairs are not much of it.
    closed = cv2.morphologyEx(found, cv2.MORPH_CLOSE, disc(3))
    return np.asarray(cv2.morphologyEx(closed, cv2.MORPH_OPEN, disc(3)), np.uint8)


def near_in_colour(
    lab: npt.NDArray[np.float32], known: npt.NDArray[np.float32], typical: float, spread: tuple[float, float, float]
) -> npt.NDArray[np.bool_]:
    """Where colours are near to most of the known ones.

    Args:
        lab: (H, W, 3), CIELAB of 8 bits a channel.
        known: (N, 3).
        typical: Share of them that counts; the outermost are left out.
        spread: Least variance of each channel.
    """
    away = np.abs(known - np.median(known, axis=0)).sum(axis=1)
    known = known[away <= np.quantile(away, typical)]
    inverse = np.linalg.inv(np.cov(known.T) + np.diag(spread)).astype(np.float32)
    difference = lab - known.mean(axis=0)
    return np.asarray(((difference @ inverse) * difference).sum(axis=2) < _FARTHEST, np.bool_)
