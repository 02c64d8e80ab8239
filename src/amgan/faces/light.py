"""The light of a picture, as logarithms: what makes a place darker then is the same in the sun and in the shade."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

# Added before the logarithm, pictures being 0..1: in the dark it would blow up noise, and the dark would get all light.
DARK = 0.06
# How much each colour counts in the light of a pixel.
LUMA = np.array([0.299, 0.587, 0.114], np.float32)
# The logarithm of each of the 256 levels of a colour: looked up, it takes a tenth of the time.
_LOGS = np.log(np.arange(256, dtype=np.float32) / np.float32(255) + np.float32(DARK))[None]


def logarithms(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Logarithms (H, W, 3) of what a picture (H, W, 3) shows, with `DARK` added; sums of them are products of light.

    Example:
        >>> [f"{one:.3f}" for one in logarithms(np.array([[[0, 128, 255]]], np.uint8))[0, 0]]
        ['-2.813', '-0.576', '0.058']
    """
    return np.asarray(cv2.LUT(rgb, _LOGS), np.float32)


def light_in(logs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Their mean over the colours, (H, W, 3) to (H, W), as much of each as it counts in the light of a pixel."""
    return np.asarray(cv2.transform(logs, LUMA[None]), np.float32)


def luma_of(picture: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Light of each pixel of a picture (H, W, 3) that goes from -1 to 1, as (H, W) in 0..1.

    Example:
        >>> luma_of(np.array([[[-1, -1, -1], [1, 1, 1]]], np.float32)).round(3).tolist()
        [[0.0, 1.0]]
    """
    return np.asarray((cv2.transform(picture, LUMA[None]) + 1) / 2, np.float32)
