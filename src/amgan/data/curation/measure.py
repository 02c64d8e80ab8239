"""Everything curation measures on one photo; a limit is set on none of it here."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
import numpy.typing as npt

from amgan.data.curation.mouth import mouth_open
from amgan.data.curation.occlusion import FACE_SIZE, OcclusionDetector, load_detector
from amgan.errors import PhotoError
from amgan.faces.align import align_face
from amgan.faces.detect import Face, FaceDetector
from amgan.faces.photo import read_photo

# Sharpness is measured on every face at this size, so that a large face and a small one compare.
SHARP_SIZE = 512
# Outline of the face, MediaPipe landmarks in order: what is behind it may be sharp while the face is not.
_OUTLINE: tuple[int, ...] = (10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377)
_OUTLINE += (152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109)


@dataclass(frozen=True)
class Measured:
    """The numbers of one photo, about its largest face; NaN where there is none.

    Attributes:
        error: Why the photo cannot be read, "" if it can.
        width: Of the upright photo, pixels; 0 if it cannot be read.
        height: As above.
        faces: How many were found.
        side: Longer side of the box around the landmarks, pixels of the photo.
        second_side: That of the second largest face; 0 if there is none.
        yaw: Head turned to the picture's right is positive, degrees.
        pitch: Head tilted down is positive, degrees.
        roll: Head leaning clockwise in the picture is positive, degrees.
        mouth_open: See `mouth_open`.
        smile: Mean of both ``mouthSmile``, 0..1.
        brow_raise: Mean of ``browInnerUp`` and both ``browOuterUp``, the inner one as heavy as the outer two, 0..1.
        sharpness: See `sharpness`.
        forehead_covered: Probability that hair, hat or cloth is over it, 0..1.
        cheeks_covered: The same of the more covered cheek, 0..1; dark glasses count.
        glasses: Probability of glasses of any kind, 0..1.
    """

    error: str = ""
    width: int = 0
    height: int = 0
    faces: int = 0
    side: float = math.nan
    second_side: float = 0.0
    yaw: float = math.nan
    pitch: float = math.nan
    roll: float = math.nan
    mouth_open: float = math.nan
    smile: float = math.nan
    brow_raise: float = math.nan
    sharpness: float = math.nan
    forehead_covered: float = math.nan
    cheeks_covered: float = math.nan
    glasses: float = math.nan


class PhotoMeasurer:
    """Measures photos; use as a context manager, since a C++ graph behind it must be closed.

    Args:
        occlusion: What tells covers; by default with the packaged weights.

    Raises:
        WeightsError: A model file is missing or damaged.
        MissingExtraError: The package that carries the face model is not installed.
    """

    def __init__(self, occlusion: OcclusionDetector | None = None) -> None:
        self._occlusion = load_detector() if occlusion is None else occlusion
        self._detector = FaceDetector()

    def __enter__(self) -> PhotoMeasurer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._detector.close()

    def measure(self, rgb: npt.NDArray[np.uint8]) -> tuple[Measured, Face | None]:
        """Measures one photo.

        Args:
            rgb: (H, W, 3) uint8.

        Returns:
            The numbers and the largest face, if there is one; `align_face` on its landmarks gives the aligned face.
        """
        height, width = rgb.shape[:2]
        faces = self._detector.detect(rgb)
        if not faces:
            return Measured(width=width, height=height), None
        face = faces[0]
        shapes = face.blendshapes
        alignment = align_face(face.landmarks, SHARP_SIZE)
        view = alignment.crop(rgb)
        small = np.asarray(cv2.resize(view, (FACE_SIZE, FACE_SIZE), interpolation=cv2.INTER_AREA), np.uint8)
        smile = (shapes["mouthSmileLeft"] + shapes["mouthSmileRight"]) / 2
        covers = self._occlusion.measure(small, alignment.resized(FACE_SIZE).to_aligned(face.landmarks))
        measured = Measured(
            width=width,
            height=height,
            faces=len(faces),
            side=longer_side(face),
            second_side=max((longer_side(other) for other in faces[1:]), default=0.0),
            yaw=face.yaw,
            pitch=face.pitch,
            roll=face.roll,
            mouth_open=mouth_open(view, alignment.to_aligned(face.landmarks), smile),
            smile=smile,
            brow_raise=shapes["browInnerUp"] / 2 + (shapes["browOuterUpLeft"] + shapes["browOuterUpRight"]) / 4,
            sharpness=sharpness(view, alignment.to_aligned(face.landmarks)),
            forehead_covered=covers["forehead"],
            cheeks_covered=covers["cheeks"],
            glasses=covers["glasses"],
        )
        return measured, face


def read_pixels(path: Path) -> npt.NDArray[np.uint8]:
    """Upright sRGB pixels of a photo, (H, W, 3) uint8.

    Raises:
        PhotoError: It cannot be read, or is too large to be aligned.
    """
    try:
        with warnings.catch_warnings():
            # They are about EXIF and colour profiles, which aligned faces do not have.
            warnings.simplefilter("ignore")
            return read_photo(path).rgb
    except MemoryError as error:
        raise PhotoError(f"{path}: does not fit into memory; make it smaller first") from error


def longer_side(face: Face) -> float:
    """Longer side of the box around a face's landmarks, pixels of the photo."""
    left, top, right, bottom = face.box
    return max(right - left, bottom - top)


def sharpness(view: npt.NDArray[np.uint8], landmarks: npt.NDArray[np.float32]) -> float:
    """How strong detail of 1-2 pixels is beside detail of 2-4 pixels, within the face.

    A quotient of two bands of one picture does not depend on exposure or contrast. Pixel noise is outside both bands.
    Sharp photos are at 0.6-0.8; a blur with a deviation of 3 pixels on a face of 1024 brings them to about 0.5.

    Args:
        view: (512, 512, 3) uint8, aligned face.
        landmarks: (478, 2) in the pixels of `view`.

    Returns:
        From about 0.3 (strong blur) to 0.9; NaN if the face has no pixel or is of one colour.
    """
    mask = np.zeros(view.shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(landmarks[list(_OUTLINE)]).astype(np.int32)], 1)
    # A little inside, since the outline itself stands against the background.
    inside = cv2.erode(mask, np.ones((9, 9), np.uint8)) > 0
    grey = cv2.cvtColor(view, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine, middle, coarse = (cv2.GaussianBlur(grey, (0, 0), sigma) for sigma in (1.0, 2.0, 4.0))
    bands = (np.subtract(fine, middle)[inside], np.subtract(middle, coarse)[inside])
    fine_energy, coarse_energy = (float(np.square(band).sum()) for band in bands)
    # Far below the rounding to grey levels: a face of one colour, and the arithmetic's own noise.
    if coarse_energy <= 1e-4 * inside.sum():
        return math.nan
    return math.sqrt(fine_energy / coarse_energy)
