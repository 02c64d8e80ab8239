"""What covers a face: hair, hat or cloth on the forehead, the same or dark glasses on the cheeks, and glasses.

As in the paper (4.2) a histogram of oriented gradients (HOG) is taken of a window that the landmarks place, and a
logistic regression tells covered from bare: strands, brims and frames leave long edges where skin has none. The
weights were fitted by ``python -m amgan.data.curation.fit_occlusion`` and are a few kilobytes beside this file; they
are under CC BY-NC-SA 4.0, as part of the photos that they were fitted on is.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError
from safetensors.numpy import load_file

from amgan.errors import WeightsError, in_one_line
from amgan.signs.atlas import Polygon
from amgan.signs.zones import polygon_points

# Side of the aligned face that windows are cut from: a fringe is seen at 256 px, single hairs need not be.
FACE_SIZE = 256
WEIGHTS = "occlusion.safetensors"
# Contrast is evened out over blocks of 3x3 cells: over the usual 2x2 the bare skin's noise counts as much as hair.
_CELL, _BLOCK, _BINS = 8, 24, 9

Cover = Literal["forehead", "cheeks", "glasses"]
COVERS: tuple[Cover, ...] = ("forehead", "cheeks", "glasses")


@dataclass(frozen=True)
class Window:
    """A rectangle around some landmarks, stretched to one size for all faces.

    Attributes:
        points: What it encloses, vertices as in an atlas.
        size: (width, height) it is brought to, pixels; multiples of 8.
        mirrored: Whether it is flipped, so that one classifier serves both sides.
    """

    points: Polygon
    size: tuple[int, int]
    mirrored: bool = False


# From the brows to above the hairline, so that a hat's brim is seen; the mesh ends below, so the top is extrapolated.
_FOREHEAD: Polygon = [54, 68, 284, 298, 9, (10, 9, 1.0)]
# From the temple to the corner of the mouth and the nose: crow's feet and the spotted part of the cheek.
_LEFT_CHEEK: Polygon = [156, 113, 139, 34, 227, 116, 123, 147, 187, 205, 36, 142]
_RIGHT_CHEEK: Polygon = [383, 342, 368, 264, 447, 345, 352, 376, 411, 425, 266, 371]
# Both eyes with the brows and as far down as lenses reach.
_EYES: Polygon = [127, 356, 105, 334, 50, 280]

WINDOWS: Mapping[Cover, tuple[Window, ...]] = {
    "forehead": (Window(_FOREHEAD, (96, 48)),),
    "cheeks": (Window(_LEFT_CHEEK, (64, 64)), Window(_RIGHT_CHEEK, (64, 64), mirrored=True)),
    "glasses": (Window(_EYES, (112, 48)),),
}


def describe(
    face: npt.NDArray[np.uint8], landmarks: npt.NDArray[np.float32], window: Window
) -> npt.NDArray[np.float32]:
    """HOG descriptor of one window.

    Args:
        face: (256, 256, 3) uint8, aligned.
        landmarks: (478, 2) in the pixels of `face`.
        window: Where to look.

    Returns:
        (D,) float32.
    """
    points = polygon_points(window.points, landmarks)
    low, high = points.min(axis=0), points.max(axis=0)
    width, height = window.size
    step = (high - low) / (width, height)
    matrix = np.array([[step[0], 0, low[0] + 0.5 * step[0] - 0.5], [0, step[1], low[1] + 0.5 * step[1] - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    cut = cv2.warpAffine(face, matrix, window.size, flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    grey = cv2.cvtColor(cut, cv2.COLOR_RGB2GRAY)
    if window.mirrored:
        grey = cv2.flip(grey, 1)
    hog = cv2.HOGDescriptor(window.size, (_BLOCK, _BLOCK), (_CELL, _CELL), (_CELL, _CELL), _BINS)
    return np.asarray(hog.compute(grey), np.float32).ravel()


@dataclass(frozen=True, eq=False)
class Classifier:
    """A logistic regression on the descriptor of a window.

    Attributes:
        weights: (D,) float32.
        bias: Log odds at a descriptor of zeros.
    """

    weights: npt.NDArray[np.float32]
    bias: float

    def probability(self, descriptors: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Probability (N,) in 0..1 of (N, D) descriptors that the window is covered."""
        # The logistic function by way of tanh, which cannot overflow.
        return np.asarray(0.5 + 0.5 * np.tanh(0.5 * (descriptors @ self.weights + self.bias)), np.float32)


class OcclusionDetector:
    """Tells what covers a face.

    Args:
        classifiers: One for each of `COVERS`.
    """

    def __init__(self, classifiers: Mapping[Cover, Classifier]) -> None:
        self.classifiers = dict(classifiers)

    def measure(self, face: npt.NDArray[np.uint8], landmarks: npt.NDArray[np.float32]) -> dict[Cover, float]:
        """Probability in 0..1 of each cover; of the two cheeks the more covered one counts.

        Args:
            face: (256, 256, 3) uint8, aligned.
            landmarks: (478, 2) in the pixels of `face`.
        """
        found = {}
        for cover in COVERS:
            descriptors = np.stack([describe(face, landmarks, window) for window in WINDOWS[cover]])
            found[cover] = float(self.classifiers[cover].probability(descriptors).max())
        return found


def load_detector(path: Path | None = None) -> OcclusionDetector:
    """Reads fitted weights.

    Args:
        path: A file written by `fit_occlusion`; None for the one that comes with the package.

    Raises:
        WeightsError: The file is missing, damaged or does not fit the windows.
    """
    if path is None:
        with importlib.resources.as_file(importlib.resources.files(__package__ or "") / WEIGHTS) as packaged:
            return load_detector(packaged)
    try:
        arrays = load_file(path)
        pairs = {cover: (arrays[f"{cover}.weights"], arrays[f"{cover}.bias"]) for cover in COVERS}
    except (OSError, SafetensorError, KeyError) as error:
        reason = f"cannot read the occlusion weights ({in_one_line(error, None)})"
        raise WeightsError(f"{path}: {reason}; fit them with python -m amgan.data.curation.fit_occlusion") from error
    for cover, (weights, bias) in pairs.items():
        if weights.shape != (descriptor_length(cover),) or bias.shape != (1,):
            raise WeightsError(f"{path}: {cover}.weights were fitted for another window; fit them again")
    return OcclusionDetector({c: Classifier(w.astype(np.float32), float(b[0])) for c, (w, b) in pairs.items()})


def descriptor_length(cover: Cover) -> int:
    """Numbers in the descriptor of one window: the directions in each cell of each overlapping block."""
    width, height = WINDOWS[cover][0].size
    return _BINS * (_BLOCK // _CELL) ** 2 * ((width - _BLOCK) // _CELL + 1) * ((height - _BLOCK) // _CELL + 1)
