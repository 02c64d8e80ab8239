"""Alignment as FFHQ does it, to any size, and its exact inverse.

The FFHQ crop is a square placed by the eyes and the mouth (Karras et al. 2019, appendix A), so photo and crop are
related by a similarity: one rotation, one scale, one shift. `Alignment` holds that similarity; cropping and pasting
back go through the same matrix.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

# MediaPipe landmarks; "left" and "right" as seen in the picture.
LEFT_EYE = (33, 246, 161, 160, 159, 158, 157, 173, 133, 155, 154, 153, 145, 144, 163, 7)
RIGHT_EYE = (263, 466, 388, 387, 386, 385, 384, 398, 362, 382, 381, 380, 374, 373, 390, 249)
MOUTH_LEFT, MOUTH_RIGHT = 61, 291
# From so many source pixels to one on a picture is averaged before it is warped; and how many of the averaged ones
# around a place a cubic warp looks at.
_SHRUNK, _TAPS = 1.25, 4


@dataclass(frozen=True)
class Alignment:
    """A square, aligned view of one face.

    Attributes:
        matrix: (2, 3) float64, aligned pixel coordinates → photo pixel coordinates (pixel centres at integers).
        size: Side of the aligned square, pixels.
    """

    matrix: npt.NDArray[np.float64]
    size: int

    @property
    def scale(self) -> float:
        """Photo pixels per aligned pixel."""
        return float(np.hypot(self.matrix[0, 0], self.matrix[1, 0]))

    @property
    def inverse(self) -> npt.NDArray[np.float64]:
        """(2, 3) float64, photo → aligned coordinates."""
        return np.asarray(cv2.invertAffineTransform(self.matrix), np.float64)

    def to_aligned(self, points: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Maps (N, 2) photo coordinates to aligned coordinates."""
        return (points @ self.inverse[:, :2].T + self.inverse[:, 2]).astype(np.float32)

    def to_photo(self, points: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
        """Maps (N, 2) aligned coordinates to photo coordinates."""
        return (points @ self.matrix[:, :2].T + self.matrix[:, 2]).astype(np.float32)

    def resized(self, size: int) -> Alignment:
        """The same square at another resolution."""
        factor = self.size / size
        matrix = self.matrix.copy()
        # Pixel centres are at integers, so the square's corner is at -0.5 in both resolutions.
        matrix[:, 2] += self.matrix[:, :2] @ np.full(2, 0.5 * factor - 0.5)
        matrix[:, :2] *= factor
        return Alignment(matrix, size)

    def padded(self, pixels: int) -> Alignment:
        """A square around the same middle with so many more pixels on every side."""
        matrix = self.matrix.copy()
        matrix[:, 2] -= matrix[:, :2] @ np.full(2, float(pixels))
        return Alignment(matrix, self.size + 2 * pixels)

    def within(self, left: float, top: float, factor: float = 1.0) -> Alignment:
        """The same square in a picture that was cut out of the photo.

        Args:
            left: Column of the photo where that picture begins.
            top: Row of the photo where it begins.
            factor: How many times it was enlarged then.
        """
        matrix = self.matrix.copy()
        # Pixel centres are at integers before and after.
        matrix[:, 2] = (matrix[:, 2] - (left, top) + 0.5) * factor - 0.5
        matrix[:, :2] *= factor
        return Alignment(matrix, self.size)

    def crop(self, rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """Cuts the aligned square out of a photo, anti-aliased; what lies outside the photo is mirrored.

        Args:
            rgb: (H, W, 3) uint8.

        Returns:
            (size, size, 3) uint8.
        """
        square = self
        if self.scale > _SHRUNK:
            # Of a large photo no more is averaged than the square is made of.
            left, top, right, bottom = self.window(rgb.shape[:2], margin=math.ceil(_TAPS * self.scale))
            if left < right and top < bottom:
                rgb, square = rgb[top:bottom, left:right], self.within(left, top)
        source, matrix = _shrunk(rgb, square.matrix, self.scale)
        flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
        out = cv2.warpAffine(source, matrix, (self.size, self.size), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
        return np.asarray(out, np.uint8)

    def paste(
        self, aligned: npt.NDArray[np.float32], shape: tuple[int, int], window: tuple[int, int, int, int]
    ) -> npt.NDArray[np.float32]:
        """Brings an aligned map into a window of the photo by the inverse transform; 0 outside the square.

        Args:
            aligned: (size, size) or (size, size, C) float32.
            shape: (H, W) of the photo.
            window: (left, top, right, bottom) in whole pixels, inside the photo.

        Returns:
            float32 of the window's height and width, and C if given.
        """
        left, top, right, bottom = window
        if not (0 <= left <= right <= shape[1] and 0 <= top <= bottom <= shape[0]):
            raise ValueError(f"window {window} is not inside a photo of {shape[1]}x{shape[0]}")
        # photo window → aligned is what an inverse-map warp wants; shrinking (aligned finer than photo) pre-filters.
        to_aligned = self.inverse.copy()
        to_aligned[:, 2] += to_aligned[:, :2] @ np.array([left, top], np.float64)
        source, matrix = _shrunk(aligned, to_aligned, 1 / self.scale)
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        out = cv2.warpAffine(source, matrix, (right - left, bottom - top), flags=flags, borderMode=cv2.BORDER_CONSTANT)
        return np.asarray(out, np.float32)

    def window(self, shape: tuple[int, int], margin: int = 0) -> tuple[int, int, int, int]:
        """The square's bounding box in a photo of `shape` (H, W), cut to the photo: (left, top, right, bottom).

        Args:
            shape: Height and width of the photo.
            margin: Pixels around.
        """
        edge = self.size - 0.5
        corners = self.to_photo(np.array([(-0.5, -0.5), (edge, -0.5), (edge, edge), (-0.5, edge)], np.float32))
        left, top = np.floor(corners.min(axis=0)).astype(int) - margin
        right, bottom = np.ceil(corners.max(axis=0)).astype(int) + 1 + margin
        left, right = (int(np.clip(v, 0, shape[1])) for v in (left, right))
        top, bottom = (int(np.clip(v, 0, shape[0])) for v in (top, bottom))
        return left, top, right, bottom


def align_face(landmarks: npt.NDArray[np.float32], size: int | None = None) -> Alignment:
    """Places the FFHQ square on a face.

    Args:
        landmarks: (478, 2) photo coordinates.
        size: Side of the aligned square in pixels; None keeps the photo's own scale (rounded to whole pixels).

    Returns:
        The alignment.
    """
    eyes = (landmarks[list(LEFT_EYE)].mean(axis=0) + landmarks[list(RIGHT_EYE)].mean(axis=0)) / 2
    eye_to_eye = landmarks[list(RIGHT_EYE)].mean(axis=0) - landmarks[list(LEFT_EYE)].mean(axis=0)
    mouth = (landmarks[MOUTH_LEFT] + landmarks[MOUTH_RIGHT]) / 2
    eye_to_mouth = mouth - eyes
    x = eye_to_eye - np.array([-eye_to_mouth[1], eye_to_mouth[0]])
    x /= np.hypot(*x)
    x *= max(np.hypot(*eye_to_eye) * 2.0, np.hypot(*eye_to_mouth) * 1.8)
    y = np.array([-x[1], x[0]])
    centre = eyes + eye_to_mouth * 0.1
    side = float(2 * np.hypot(*x))
    size = size if size is not None else max(round(side), 1)
    matrix = np.empty((2, 3), np.float64)
    matrix[:, 0], matrix[:, 1] = 2 * x / size, 2 * y / size
    corner = centre - x - y
    # The square ends half a pixel beyond its outer pixel centres.
    matrix[:, 2] = corner + matrix[:, :2] @ np.full(2, 0.5)
    return Alignment(matrix, size)


def at_side(rgb: npt.NDArray[np.uint8], side: int) -> npt.NDArray[np.uint8]:
    """A square picture at another side in pixels, averaged or cubic; untouched if it has that.

    Args:
        rgb: (S, S, 3) uint8.
        side: Side wanted.

    Returns:
        (side, side, 3) uint8.
    """
    if rgb.shape[:2] == (side, side):
        return rgb
    how = cv2.INTER_AREA if rgb.shape[0] > side else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(rgb, (side, side), interpolation=how), np.uint8)


def points_at(points: npt.NDArray[np.float32], size: int, side: int) -> npt.NDArray[np.float32]:
    """Points of a square picture when that is at another side; pixel centres are at integers in both.

    Args:
        points: (N, 2) float32.
        size: Side of the picture, pixels.
        side: Side that it is brought to.

    Returns:
        (N, 2) float32; untouched if it has that side.

    Example:
        >>> points_at(np.array([[0, 3]], np.float32), 4, 8).tolist()
        [[0.5, 6.5]]
    """
    return points if side == size else np.asarray((points + 0.5) * np.float32(side / size) - 0.5, np.float32)


def _shrunk(
    image: npt.NDArray[Any], matrix: npt.NDArray[np.float64], scale: float
) -> tuple[npt.NDArray[Any], npt.NDArray[np.float64]]:
    """Area-averages `image` before a warp that would skip pixels (`scale` source pixels per output pixel)."""
    if scale <= _SHRUNK:
        return image, matrix
    height, width = image.shape[:2]
    small = cv2.resize(image, (round(width / scale), round(height / scale)), interpolation=cv2.INTER_AREA)
    sx, sy = small.shape[1] / width, small.shape[0] / height
    out = matrix.copy()
    out[0] *= sx
    out[1] *= sy
    out[:, 2] += np.array([0.5 * sx - 0.5, 0.5 * sy - 0.5])
    return small, out
