"""A real face, aligned."""

import numpy as np

from amgan.faces.align import align_face
from amgan.faces.detect import FaceDetector


def aligned_face(photo: np.ndarray, side: int) -> tuple[np.ndarray, np.ndarray]:
    """The one face of a photo (side, side, 3) uint8, and its landmarks (478, 2) there."""
    with FaceDetector() as detector:
        (found,) = detector.detect(photo)
    alignment = align_face(found.landmarks, side)
    return alignment.crop(photo), alignment.to_aligned(found.landmarks)
