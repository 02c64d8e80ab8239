import cv2
import numpy as np
import pytest

from amgan.maps.mesh import face_places, mean_face, mean_face_in, places_at, places_in, places_of, turned

RNG = np.random.default_rng(0)


@pytest.fixture
def landmarks() -> np.ndarray:
    """(478, 2) somewhere within a picture of 512 px."""
    return RNG.uniform(150, 360, (478, 2)).astype(np.float32)


def test_places_of_a_face_in_itself_are_themselves(landmarks: np.ndarray) -> None:
    xs, ys = np.arange(100, 400, 7, dtype=np.float32), np.arange(120, 390, 9, dtype=np.float32)
    places = places_in(landmarks, landmarks, 512, xs, ys)
    assert places.shape == (len(ys), len(xs), 2)
    assert np.allclose(places, np.stack(np.meshgrid(xs, ys), axis=-1), atol=1e-3)


def test_landmarks_fall_on_landmarks_and_the_border_lies_still(landmarks: np.ndarray) -> None:
    other = (landmarks - 256) * 1.1 + 256 + np.float32(6)
    for index in (30, 200, 400):
        x, y = landmarks[index]
        (found,) = places_in(other, landmarks, 512, np.array([x]), np.array([y]))[0]
        assert found == pytest.approx(other[index], abs=0.01)
    corner = np.array([0.0, 511.0], np.float32)
    found = places_in(other, landmarks, 512, corner, corner)
    # The corners lie between the face and a border a sixteenth beyond the picture.
    assert np.abs(found[[0, 1], [0, 1]] - [[0, 0], [511, 511]]).max() < 12


def test_there_by_the_mean_face_and_back_is_where_one_was() -> None:
    bent = mean_face_in(512) * np.array([1.05, 0.95], np.float32) + np.float32(8)
    face = np.concatenate([bent, np.zeros((10, 2), np.float32)])
    there, back = face_places(face, 512), places_of(face, 512)
    xs, ys = ((part + 1) * np.float32(64) - np.float32(0.5) for part in there)
    again = cv2.remap(back, xs, ys, cv2.INTER_LINEAR)[40:100, 40:90]
    steps = (np.arange(128, dtype=np.float32) + np.float32(0.5)) / 64 - 1
    here = np.stack(np.meshgrid(steps, steps), axis=-1)[40:100, 40:90]
    assert np.abs(again - here).max() * 256 < 1  # pixels of 512
    assert np.abs(there.transpose(1, 2, 0)[40:100, 40:90] - here).max() * 256 > 5


def test_a_face_that_looks_aside_has_its_nose_off_the_middle(landmarks: np.ndarray) -> None:
    landmarks[[234, 454, 1]] = [[100, 0], [300, 0], [200, 0]]
    assert turned(landmarks) == pytest.approx(0)
    landmarks[1] = [250, 0]
    assert turned(landmarks) == pytest.approx(0.25)


def test_the_mean_face_lies_on_itself() -> None:
    mean = mean_face()
    assert mean.shape == (468, 2) and 0.2 < mean.std() < 0.4
    landmarks = np.concatenate([(mean + 1) * 256 - 0.5, np.zeros((10, 2))]).astype(np.float32)
    places = places_at(face_places(landmarks, 512), 256)
    assert places.shape == (2, 256, 256) and places.dtype == np.float32
    across = (np.arange(256) + 0.5) / 128 - 1
    assert np.abs(places[0] - across).max() < 0.01 and np.abs(places[1] - across[:, None]).max() < 0.01


def test_a_landmark_lies_where_that_of_the_mean_face_does(landmarks: np.ndarray) -> None:
    moved = np.concatenate([(mean_face() * 0.9 + 1) * 256 + 7, np.zeros((10, 2))]).astype(np.float32)
    places = places_at(face_places(moved, 512), 512)
    for index in (1, 33, 263, 152, 10):
        x, y = moved[index].round().astype(int)
        assert np.abs(places[:, y, x] - mean_face()[index]).max() < 0.02


def test_places_are_brought_to_another_side(landmarks: np.ndarray) -> None:
    once = face_places(landmarks, 512)
    assert places_at(once, 128) is once and places_at(once, 200).shape == (2, 200, 200)
