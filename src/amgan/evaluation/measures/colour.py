"""Does the colour of the skin drift?"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Rgb = npt.NDArray[np.uint8]
# Deviation of the blur that takes spots and lines away, as a share of the picture's side.
SMOOTH = 1 / 64
# What is blurred so widely is as well blurred at a quarter of the size, in a fiftieth of the time.
_SHRINK = 4


def colour_change(before: Rgb, after: Rgb, skin: npt.NDArray[np.float32]) -> float:
    """Mean distance in the a*b* plane of CIELAB, spots and lines smoothed away.

    Args:
        before: (S, S, 3) aligned face, S divisible by 4.
        after: The same.
        skin: (S, S) in 0..1, what counts.

    Returns:
        CIELAB units; 2.3 is about the least difference that people notice.
    """

    def smooth(rgb: Rgb) -> npt.NDArray[np.float32]:
        lab = np.asarray(cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB), np.float32)
        return np.asarray(cv2.GaussianBlur(shrunk(lab[..., 1:]), (0, 0), len(rgb) / _SHRINK * SMOOTH), np.float32)

    def shrunk(values: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        side = len(values) // _SHRINK
        return np.asarray(cv2.resize(values, (side, side), interpolation=cv2.INTER_AREA), np.float32)

    distance, counts = np.linalg.norm(smooth(after) - smooth(before), axis=2), shrunk(skin)
    return float((distance * counts).sum() / counts.sum())
