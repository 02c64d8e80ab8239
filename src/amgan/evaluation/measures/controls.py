"""Pictures that look younger or older to a judge and are not: what they score is no aging."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Rgb = npt.NDArray[np.uint8]
# Deviation of the blur as a share of the aligned face's side: 2 px of 1024, about as strong as aging changes detail.
SIGMA = 2 / 1024


def controls(rgb: Rgb, side: float) -> dict[str, Rgb]:
    """A blurred and a sharpened original.

    Args:
        rgb: (H, W, 3) uint8.
        side: Of the aligned face in it, pixels.

    Returns:
        ``blurred`` and ``sharpened``, of the same size.
    """
    soft = cv2.GaussianBlur(rgb, (0, 0), SIGMA * side)
    sharp = cv2.addWeighted(rgb, 2.0, soft, -1.0, 0)
    return {"blurred": np.asarray(soft, np.uint8), "sharpened": np.asarray(sharp, np.uint8)}
