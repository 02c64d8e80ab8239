"""How far a mouth is open: what is dark between the lips, and lips that part without a smile.

The blendshape ``jawOpen`` of MediaPipe does not tell it: on portraits it is high for broad smiles with the rows of
teeth together and near 0 for people who speak (``benchmarks/results/mouths.md``).
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

# MediaPipe landmarks: the inner edge of the lips in order, its corners, its middle above and below.
_INNER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308, 324, 318, 402, 317, 14, 87, 178, 88, 95)
_CORNERS, _MIDDLE = (78, 308), (13, 14)
# Skin that no lip, beard or shadow of the nose hides on all of: cheeks, beside the mouth, chin.
_SKIN = (50, 280, 205, 425, 200)
# Every mouth is brought to this width, pixels, in a window so large.
_WIDTH, _WINDOW = 128, (192, 144)
# What is darker than this share of the skin is no tooth, lip or tongue but the hollow behind them.
_DARK = 0.35
# Lips that part without a smile are those of someone who speaks; in a smile they part from closed teeth. A smile of
# half its strength is one.
_APART, _SMILE = 0.25, 0.5


def mouth_open(view: npt.NDArray[np.uint8], landmarks: npt.NDArray[np.float32], smile: float) -> float:
    """How far the mouth is open, in squares of its own width.

    Args:
        view: (S, S, 3) uint8, aligned face.
        landmarks: (478, 2) in the pixels of `view`.
        smile: Mean of both ``mouthSmile``, 0..1.

    Returns:
        The dark area between the lips, and a quarter of their gap if nobody smiles: 0 for closed lips, about 0.02 for
        a smile that shows closed teeth, above 0.05 for someone who speaks or laughs aloud. NaN if the mouth is a point.
    """
    left, right = (landmarks[i] for i in _CORNERS)
    width = float(np.linalg.norm(right - left))
    if width < 1:
        return float("nan")
    scale = _WIDTH / width
    shift = np.array(_WINDOW) / 2 - (left + right) / 2 * scale
    matrix = np.array([[scale, 0, shift[0]], [0, scale, shift[1]]])
    grey = cv2.cvtColor(cv2.warpAffine(view, matrix, _WINDOW, flags=cv2.INTER_AREA), cv2.COLOR_RGB2GRAY)
    inside = np.zeros(grey.shape, np.uint8)
    cv2.fillPoly(inside, [np.round(landmarks[list(_INNER)] * scale + shift).astype(np.int32)], 1)
    dark = float(((grey < _DARK * _skin_level(view, landmarks)) & (inside > 0)).sum()) / _WIDTH**2
    apart = float(np.linalg.norm(landmarks[_MIDDLE[0]] - landmarks[_MIDDLE[1]])) / width
    return dark + _APART * apart * max(1 - smile / _SMILE, 0)


def _skin_level(view: npt.NDArray[np.uint8], landmarks: npt.NDArray[np.float32]) -> float:
    """Grey level of the skin: the median of some places, each an average over a 64th of the picture's side."""
    grey = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY)
    half = max(view.shape[0] // 128, 1)
    places = np.clip(np.round(landmarks[list(_SKIN)]).astype(int), half, view.shape[0] - half)
    return float(np.median([grey[y - half : y + half, x - half : x + half].mean() for x, y in places]))
