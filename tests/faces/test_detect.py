from pathlib import Path

import numpy as np
import pytest

from amgan.errors import WeightsError
from amgan.faces.detect import N_LANDMARKS, FaceDetector, _angles, _tiles


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


def test_finds_faces_that_are_a_small_share_of_a_huge_photo_but_no_small_ones(astronaut: np.ndarray) -> None:
    photo = np.full((3000, 4000, 3), 90, np.uint8)
    for left, top in ((300, 400), (2700, 1900)):
        photo[top : top + 512, left : left + 512] = astronaut
    with FaceDetector() as detector:
        assert len(detector.detect(photo)) == 2


def test_tiles_get_no_smaller_than_it_takes() -> None:
    assert _tiles(500) == [] and _tiles(1000) == [600] and _tiles(2400) == [1440, 720]
    assert _tiles(6000) == [3600, 1800, 900] and _tiles(12000) == [7200, 3600, 1800, 900]


@pytest.mark.parametrize("scale", [1.0, 12.0])
def test_angles_have_the_signs_that_are_documented(scale: float) -> None:
    def turned(axis: int, degrees: float) -> np.ndarray:
        """A pose turned by the right hand about x, y or z: x to the right, y up, z to the viewer."""
        a, b = (k for k in range(3) if k != axis)
        if axis == 1:
            a, b = b, a
        pose = np.eye(4)
        cos, sin = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
        pose[a, a] = pose[b, b] = cos
        pose[a, b], pose[b, a] = -sin, sin
        pose[:3, :3] *= scale
        return pose

    # Turned about the vertical the nose moves right; about x, down; about z against the clock.
    assert _angles(turned(1, 20)) == pytest.approx((20, 0, 0), abs=1e-6)
    assert _angles(turned(0, 20)) == pytest.approx((0, 20, 0), abs=1e-6)
    assert _angles(turned(2, 20)) == pytest.approx((0, 0, -20), abs=1e-6)


def test_missing_model_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"absent\.task"):
        FaceDetector(tmp_path / "absent.task")
    (tmp_path / "wrong.task").write_bytes(b"no model" * 100)
    with pytest.raises(WeightsError, match=r"wrong\.task"):
        FaceDetector(tmp_path / "wrong.task")
