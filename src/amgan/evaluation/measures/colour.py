"""Does the colour of the skin drift?"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Rgb = npt.NDArray[np.uint8]
# Deviation of the blur that takes spots and lines away, as a share of the picture's side.
SMOOTH = 1 / 64


def colour_change(before: Rgb, after: Rgb, skin: npt.NDArray[np.float32]) -> float:
    """Mean distance in the a*b* plane of CIELAB, spots and lines smoothed away.

    Args:
        before: (S, S, 3) aligned face.
        after: The same.
        skin: (S, S) in 0..1, what counts.

    Returns:
        CIELAB units; 2.3 is about the least difference that people notice.
    """

    def smooth(rgb: Rgb) -> npt.NDArray[np.float32]:
        lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        return np.asarray(cv2.GaussianBlur(lab[..., 1:], (0, 0), len(rgb) * SMOOTH), np.float32)

    distance = np.linalg.norm(smooth(after) - smooth(before), axis=2)
    return float((distance * skin).sum() / skin.sum())
