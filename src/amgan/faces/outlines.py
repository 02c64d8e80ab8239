"""Outlines of what a face has, by its landmarks, and masks of them at one size."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from amgan.faces.align import LEFT_EYE, RIGHT_EYE, points_at

# Side of the masks, and all lengths here, in its pixels.
SIDE = 512
EYES = (LEFT_EYE, RIGHT_EYE)
LIPS = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291, 375, 321, 405, 314, 17, 84, 181, 91, 146)
NOSE = (195, 198, 420, 129, 358, 64, 294, 98, 327, 2)
BROWS = ((70, 63, 105, 66, 107, 55, 65, 52, 53, 46), (300, 293, 334, 296, 336, 285, 295, 282, 283, 276))


def to_masks(landmarks: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float32]:
    """Landmarks (478, 2) of a square of side `size` in the masks' pixels; pixel centres are at integers in both."""
    return points_at(landmarks, size, SIDE)


def filled(outline: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """A mask (512, 512), 255 within an outline (N, 2)."""
    mask = np.zeros((SIDE, SIDE), np.uint8)
    cv2.fillPoly(mask, [np.round(outline).astype(np.int32)], 255)
    return mask


def hull(points: npt.NDArray[np.float32], landmarks: Sequence[int], around: int) -> npt.NDArray[np.uint8]:
    """A mask (512, 512), 255 within the convex hull of some landmarks and so many pixels around it."""
    outline = np.asarray(cv2.convexHull(points[list(landmarks)]), np.float32)[:, 0]
    return np.asarray(cv2.dilate(filled(outline), disc(around)), np.uint8)


def eyes_of(landmarks: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float32]:
    """(512, 512) in 0..1, where the eyes of an aligned face of side `size` are, lids left out, with a soft edge."""
    points = to_masks(landmarks, size)
    found = np.maximum.reduce([filled(points[list(eye)]) for eye in EYES])
    return softened(found, 1.5)


def softened(mask: npt.NDArray[np.uint8], deviation: float) -> npt.NDArray[np.float32]:
    """A mask (H, W), of which 255 is all, in 0..1 and with an edge that is blurred by so much."""
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), deviation) / np.float32(255), np.float32)


def disc(radius: int) -> npt.NDArray[np.uint8]:
    """What to grow and shrink masks by."""
    return np.asarray(cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * radius + 1, 2 * radius + 1)), np.uint8)
