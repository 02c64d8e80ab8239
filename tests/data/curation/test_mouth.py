import cv2
import numpy as np
import pytest

from amgan.data.curation import mouth
from amgan.data.curation.mouth import mouth_open

SIZE = 512


@pytest.fixture
def landmarks() -> np.ndarray:
    """A mouth 100 px wide whose lips are 20 px apart, and some skin around it."""
    points = np.full((478, 2), 256, np.float32)
    upper, lower = mouth._INNER[1:10], mouth._INNER[11:]
    points[mouth._CORNERS[0]], points[mouth._CORNERS[1]] = (206, 300), (306, 300)
    for row, sign in ((upper, -1), (lower[::-1], 1)):
        for place, index in enumerate(row, start=1):
            points[index] = 206 + 10 * place, 300 + sign * 10 * np.sin(np.pi * place / 10)
    points[list(mouth._SKIN)] = [(150, 200), (360, 200), (180, 320), (330, 320), (256, 380)]
    return points


def drawn(landmarks: np.ndarray, level: int) -> np.ndarray:
    view = np.full((SIZE, SIZE, 3), 160, np.uint8)
    cv2.fillPoly(view, [landmarks[list(mouth._INNER)].astype(np.int32)], (level,) * 3)
    return view


def test_a_dark_gap_is_open_and_teeth_are_not(landmarks: np.ndarray) -> None:
    # Half an ellipse above and below: about 2/pi of 100 x 20 pixels, a 0.127th of 100 x 100.
    assert mouth_open(drawn(landmarks, 20), landmarks, smile=1) == pytest.approx(0.127, abs=0.02)
    assert mouth_open(drawn(landmarks, 200), landmarks, smile=1) == 0


def test_lips_apart_count_unless_a_smile_parts_them(landmarks: np.ndarray) -> None:
    teeth = drawn(landmarks, 200)
    assert mouth_open(teeth, landmarks, smile=0) == pytest.approx(0.25 * 0.2, abs=1e-4)
    assert mouth_open(teeth, landmarks, smile=0.25) == pytest.approx(0.25 * 0.1, abs=1e-4)
    assert mouth_open(teeth, landmarks, smile=0.5) == 0


def test_light_and_size_do_not_count(landmarks: np.ndarray) -> None:
    view = drawn(landmarks, 20)
    small = cv2.resize(view, (SIZE // 2, SIZE // 2), interpolation=cv2.INTER_AREA)
    expected = mouth_open(view, landmarks, smile=1)
    assert mouth_open(small, (landmarks + 0.5) / 2 - 0.5, smile=1) == pytest.approx(expected, abs=0.02)
    assert mouth_open((view * 0.4).astype(np.uint8), landmarks, smile=1) == pytest.approx(expected, abs=0.005)


def test_a_face_half_outside_the_picture_and_a_point_for_a_mouth(landmarks: np.ndarray) -> None:
    assert np.isfinite(mouth_open(drawn(landmarks, 20), landmarks - (250, 0), smile=0))
    assert np.isnan(mouth_open(drawn(landmarks, 20), np.full((478, 2), 256, np.float32), smile=0))
