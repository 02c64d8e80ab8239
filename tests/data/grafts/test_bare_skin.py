import cv2
import numpy as np

from amgan.data.grafts.bare_skin import bare_skin
from amgan.faces.outlines import SIDE

Face = tuple[np.ndarray, np.ndarray]


def at(landmarks: np.ndarray, index: int, size: int = 512) -> tuple[int, int]:
    """Row and column of a landmark in a mask."""
    x, y = (landmarks[index] + 0.5) * SIDE / size - 0.5
    return round(float(y)), round(float(x))


def test_cheeks_and_forehead_are_bare_and_eyes_lips_brows_and_background_are_not(face: Face) -> None:
    rgb, landmarks = face
    bare = bare_skin(rgb, landmarks)
    assert bare.shape == (SIDE, SIDE) and bare.dtype == np.uint8
    assert all(bare[at(landmarks, index)] > 200 for index in (50, 280, 9, 4))
    assert all(bare[at(landmarks, index)] == 0 for index in (159, 386, 13, 105, 334))
    assert not bare[:20].any() and not bare[:, :20].any()
    assert 0.1 < (bare > 127).mean() < 0.4


def test_what_has_another_colour_is_not_bare(face: Face) -> None:
    rgb, landmarks = face
    x, y = (int(v) for v in landmarks[205])
    covered = cv2.circle(rgb.copy(), (x, y), 25, (30, 60, 160), -1)
    row, column = at(landmarks, 205)
    assert bare_skin(rgb, landmarks)[row, column] > 200
    assert bare_skin(covered, landmarks)[row, column] == 0


def test_skin_in_shade_is_skin_and_what_is_black_or_green_there_is_not(face: Face) -> None:
    rgb, landmarks = face
    x, y = (int(v) for v in landmarks[205])
    row, column = at(landmarks, 205)
    spot = cv2.circle(np.zeros(rgb.shape[:2], np.float32), (x, y), 25, 1.0, -1)
    weight = cv2.GaussianBlur(spot, (0, 0), 4)[..., None]
    # Light that comes out of folds is redder.
    shade = np.exp(np.log(0.5) * weight * np.array([0.84, 1.05, 1.13], np.float32))
    shaded = (rgb * shade).astype(np.uint8)
    assert bare_skin(shaded, landmarks)[row, column] > 200
    for other in (0.3 * shaded, shaded * (0.7, 1.2, 0.7)):
        covered = (weight * other + (1 - weight) * rgb).astype(np.uint8)
        assert bare_skin(covered, landmarks)[row, column] == 0


def test_it_does_not_depend_on_the_size_of_the_picture(face: Face) -> None:
    rgb, landmarks = face
    large = cv2.resize(rgb, (1024, 1024), interpolation=cv2.INTER_CUBIC)
    one, two = bare_skin(rgb, landmarks), bare_skin(large, (landmarks + 0.5) * 2 - 0.5)
    assert np.abs(one.astype(int) - two).mean() < 255 * 0.02
