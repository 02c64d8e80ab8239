from pathlib import Path

import numpy as np
import pytest

from amgan.errors import WeightsError
from amgan.faces.detect import N_LANDMARKS, FaceDetector


def test_finds_the_astronaut(astronaut: np.ndarray) -> None:
    with FaceDetector() as detector:
        (face,) = detector.detect(astronaut)
    assert face.landmarks.shape == (N_LANDMARKS, 2)
    left, top, right, bottom = face.box
    assert 150 < left < right < 290 and 50 < top < bottom < 210
    assert set(face.blendshapes) >= {"jawOpen", "mouthSmileLeft"} and abs(face.roll) < 20


def test_finds_small_faces_of_a_large_photo(astronaut: np.ndarray) -> None:
    photo = np.full((1600, 2400, 3), 90, np.uint8)
    for left, top in ((100, 100), (1700, 900)):
        photo[top : top + 512, left : left + 512] = astronaut
    with FaceDetector() as detector:
        assert len(detector.detect(photo)) == 2
        assert detector.detect(np.full((300, 300, 3), 90, np.uint8)) == []


def test_missing_model_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"absent\.task"):
        FaceDetector(tmp_path / "absent.task")
    (tmp_path / "wrong.task").write_bytes(b"no model" * 100)
    with pytest.raises(WeightsError, match=r"wrong\.task"):
        FaceDetector(tmp_path / "wrong.task")
