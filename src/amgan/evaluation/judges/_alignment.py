"""Five-point face alignment with dlib, shared by the judges whose networks were trained on its crops."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from amgan.errors import NoFaceError, PhotoError

from ._packaged import missing

Box = tuple[float, float, float, float]
# The detector looks through a window of 80 px and its time grows with the pixels. At 800 px a face of a tenth of the
# picture is found, in 50 ms; only if there is none does it look at more.
DETECT_SIDE = 800
# The landmark model was trained on the boxes of dlib's detector, squares from the brows to the chin. Measured on
# frontal photos: their side is this part of the geometric mean of the width and height of a face's box (hairline or
# mid-forehead to chin, ear to ear), and the middles agree. It forgives: other sides of 0.85 to 1.1 heights move the
# points by 0.2 % of the face.
SQUARE_SIDE = 0.97
# Of several boxes the largest is the main face, if the detector is at least this sure of it beside its surest one.
SURE = 0.5


def load_dlib() -> Any:
    """The module ``dlib``.

    Raises:
        MissingExtraError: It is not installed.
    """
    try:
        import dlib
    except ModuleNotFoundError as error:
        raise missing("dlib-bin") from error
    return dlib


def check_rgb(rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The picture as a contiguous (H, W, 3) uint8 array, which is what dlib reads.

    Raises:
        PhotoError: Another shape or type; floats in particular are not guessed at.
    """
    if rgb.dtype != np.uint8 or rgb.ndim != 3 or rgb.shape[2] != 3 or 0 in rgb.shape:
        raise PhotoError(f"a judge reads (H, W, 3) uint8 RGB pictures, not {rgb.shape} {rgb.dtype}; convert it first")
    return np.ascontiguousarray(rgb)


class FivePointAligner:
    """Finds the corners of the eyes and the base of the nose, and cuts the upright face crops dlib's networks read.

    Args:
        model: The file ``shape_predictor_5_face_landmarks.dat``.

    Raises:
        MissingExtraError: dlib is not installed.
    """

    def __init__(self, model: Path) -> None:
        self._dlib = load_dlib()
        self._points = self._dlib.shape_predictor(str(model))
        self._detector = self._dlib.get_frontal_face_detector()

    def landmarks(self, rgb: npt.NDArray[np.uint8], box: Box | None = None) -> Any:
        """The five points of one face, as dlib's ``full_object_detection``.

        Args:
            rgb: (H, W, 3) uint8, contiguous (`check_rgb`).
            box: (left, top, right, bottom) of the face in pixels; by default the largest face found.

        Raises:
            NoFaceError: No box was given and no face found, or the box is empty or beside the picture.
        """
        return self._points(rgb, self._detect(rgb) if box is None else self._square(rgb, box))

    def chip(self, rgb: npt.NDArray[np.uint8], landmarks: Any, side: int, padding: float) -> npt.NDArray[np.uint8]:
        """The upright crop (side, side, 3) around a face; `padding` is the margin as a part of the face's width."""
        details = self._dlib.get_face_chip_details(landmarks, side, padding)
        return np.ascontiguousarray(self._dlib.extract_image_chip(rgb, details))

    def _square(self, rgb: npt.NDArray[np.uint8], box: Box) -> Any:
        left, top, right, bottom = box
        height, width = rgb.shape[:2]
        # Written so that a NaN fails too.
        if not (left < right and top < bottom and right > 0 and bottom > 0 and left < width and top < height):
            raise NoFaceError(f"the face box {box} is empty or outside of the {width}x{height} picture; give another")
        half = SQUARE_SIDE * math.sqrt((right - left) * (bottom - top)) / 2
        x, y = (left + right) / 2, (top + bottom) / 2
        return self._dlib.rectangle(round(x - half), round(y - half), round(x + half), round(y + half))

    def _detect(self, rgb: npt.NDArray[np.uint8]) -> Any:
        height, width = rgb.shape[:2]
        scale = min(1.0, DETECT_SIDE / max(height, width))
        small = rgb
        if scale < 1:
            small = self._dlib.resize_image(rgb, max(1, round(height * scale)), max(1, round(width * scale)))
        # Doubling the small picture finds faces of 40 px, and costs four times as much: only when there is no larger.
        boxes, scores, _ = self._detector.run(small, 0, 0.0)
        if not boxes:
            boxes, scores, _ = self._detector.run(small, 1, 0.0)
        if not boxes:
            raise NoFaceError("dlib's detector found no frontal face in the picture; give the face's box")
        # Now and then a large patch of cloth scores just above zero, a face between 1 and 3: size alone misleads.
        sure = [box for box, score in zip(boxes, scores, strict=True) if score >= SURE * max(scores)]
        found = max(sure, key=lambda box: box.width() * box.height())
        sides = (found.left(), found.top(), found.right(), found.bottom())
        return self._dlib.rectangle(*(round(side / scale) for side in sides))
