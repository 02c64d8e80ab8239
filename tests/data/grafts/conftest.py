import numpy as np
import pytest

from amgan.faces.align import align_face
from amgan.faces.detect import FaceDetector


@pytest.fixture(scope="session")
def face(astronaut: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The astronaut's aligned face (512, 512, 3), and its landmarks (478, 2)."""
    with FaceDetector() as detector:
        (found,) = detector.detect(astronaut)
    alignment = align_face(found.landmarks, 512)
    return alignment.crop(astronaut), alignment.to_aligned(found.landmarks)
