from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from amgan.data.curation import measure
from amgan.data.curation.measure import PhotoMeasurer, read_pixels
from amgan.errors import PhotoError
from amgan.faces import photo


@pytest.fixture(scope="module")
def measurer() -> Iterator[PhotoMeasurer]:
    with PhotoMeasurer() as made:
        yield made


def test_one_face(measurer: PhotoMeasurer, astronaut: np.ndarray) -> None:
    measured, face = measurer.measure(astronaut)
    assert face is not None and (measured.width, measured.height, measured.faces) == (512, 512, 1)
    assert 90 < measured.side < 120 and measured.second_side == 0
    assert abs(measured.yaw) < 5 and measured.smile > 0.7 and measured.mouth_open < 0.05
    assert measured.glasses < 0.1 and measured.cheeks_covered < 0.2


def test_sharpness_is_lost_by_blur_and_not_by_light(measurer: PhotoMeasurer, astronaut: np.ndarray) -> None:
    def sharpness(rgb: np.ndarray) -> float:
        return measurer.measure(np.clip(rgb, 0, 255).astype(np.uint8))[0].sharpness

    original = sharpness(astronaut)
    noise = np.random.default_rng(0).normal(0, 3, astronaut.shape)
    assert sharpness(cv2.GaussianBlur(astronaut, (0, 0), 1.5)) < original - 0.15
    assert sharpness(astronaut * 0.4) == pytest.approx(original, abs=0.02)
    assert sharpness(60 + astronaut * 0.5) == pytest.approx(original, abs=0.02)
    assert sharpness(astronaut + noise) == pytest.approx(original, abs=0.06)


def test_an_even_face_has_no_sharpness() -> None:
    landmarks = np.full((478, 2), 256, np.float32)
    landmarks[list(measure._OUTLINE)] = 256 + 100 * np.array(
        [(np.sin(a), -np.cos(a)) for a in np.linspace(0, 2 * np.pi, 36, endpoint=False)], np.float32
    )
    assert np.isnan(measure.sharpness(np.full((512, 512, 3), 90, np.uint8), landmarks))


def test_a_fringe_and_glasses_are_seen(measurer: PhotoMeasurer, astronaut: np.ndarray) -> None:
    before, face = measurer.measure(astronaut)
    assert face is not None
    framed = astronaut.copy()
    for eye in (468, 473):  # the irises
        x, y = (int(v) for v in face.landmarks[eye])
        cv2.circle(framed, (x, y), 15, (20, 20, 20), 2)
    assert measurer.measure(framed)[0].glasses > before.glasses + 0.3
    hair = astronaut.copy()
    left, right, brow, top = face.landmarks[54][0], face.landmarks[284][0], face.landmarks[9][1], face.landmarks[10][1]
    strands = np.random.default_rng(0).integers(20, 120, int(right - left))[None, :, None]
    hair[int(top) - 15 : int(brow), int(left) : int(left) + strands.shape[1]] = strands
    assert measurer.measure(hair)[0].forehead_covered > max(before.forehead_covered, 0.5)


def test_two_faces_and_none(measurer: PhotoMeasurer, astronaut: np.ndarray) -> None:
    both = measurer.measure(np.concatenate([astronaut, astronaut[:, ::-1]], axis=1))[0]
    assert both.faces == 2 and both.second_side > 0.8 * both.side
    measured, face = measurer.measure(astronaut[300:, :200])
    assert face is None and measured.faces == 0 and np.isnan(measured.side) and measured.width == 200


def test_what_cannot_be_aligned_is_unreadable(
    tmp_path: Path, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "photo.png"
    Image.fromarray(astronaut).save(path)
    assert read_pixels(path).shape == (512, 512, 3)
    monkeypatch.setattr(photo, "MAX_SIDE", 500)
    with pytest.raises(PhotoError, match=r"photo\.png"):
        read_pixels(path)
