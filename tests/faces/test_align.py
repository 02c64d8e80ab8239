import numpy as np
import pytest

from amgan.faces.align import Alignment, align_face
from amgan.faces.detect import FaceDetector
from amgan.maps.packing import reference_landmarks


def rotated(points: np.ndarray, degrees: float, scale: float, shift: tuple[float, float]) -> np.ndarray:
    a = np.radians(degrees)
    matrix = scale * np.array([[np.cos(a), -np.sin(a)], [np.sin(a), np.cos(a)]])
    return (points @ matrix.T + shift).astype(np.float32)


@pytest.mark.parametrize("degrees", [0, 17, -40])
def test_alignment_undoes_rotation_scale_and_shift(degrees: float) -> None:
    reference = reference_landmarks() * 1024
    photo = rotated(reference, degrees, 0.6, (700, 300))
    alignment = align_face(photo, 1024)
    straight = align_face(reference, 1024)
    assert np.allclose(alignment.to_aligned(photo), straight.to_aligned(reference), atol=0.05)
    assert alignment.scale == pytest.approx(0.6 * straight.scale, rel=1e-3)


def test_inverse_is_exact() -> None:
    alignment = align_face(rotated(reference_landmarks() * 1024, 25, 1.3, (50, 80)), 700)
    points = np.random.default_rng(0).uniform(0, 700, (100, 2)).astype(np.float32)
    assert np.allclose(alignment.to_aligned(alignment.to_photo(points)), points, atol=1e-2)


def test_own_scale_is_one() -> None:
    alignment = align_face(rotated(reference_landmarks() * 1024, 0, 0.7, (0, 0)))
    assert alignment.scale == pytest.approx(1, abs=0.002)


def test_resized_shows_the_same_square() -> None:
    alignment = align_face(rotated(reference_landmarks() * 1024, 10, 0.5, (200, 100)), 512)
    corner = np.array([[-0.5, -0.5]], np.float32)
    assert np.allclose(alignment.resized(128).to_photo(corner), alignment.to_photo(corner), atol=1e-3)


def test_within_a_part_of_the_photo_lies_the_same_square() -> None:
    alignment = Alignment(np.array([[2.0, 0.5, 30.0], [-0.5, 2.0, 40.0]]), 16)
    corners = np.array([[-0.5, -0.5], [15.5, -0.5], [3.0, 7.0]], np.float32)
    # Corners of pixels, not their centres, are what an enlargement multiplies.
    expected = (alignment.to_photo(corners) + 0.5 - (10, 20)) * 3 - 0.5
    np.testing.assert_allclose(alignment.within(10, 20, 3).to_photo(corners), expected, atol=1e-4)


def test_paste_brings_back_what_crop_took(astronaut: np.ndarray) -> None:
    with FaceDetector() as detector:
        (face,) = detector.detect(astronaut)
    alignment = align_face(face.landmarks)
    window = left, top, right, bottom = alignment.window(astronaut.shape[:2])
    crop = alignment.crop(astronaut).astype(np.float32)
    back = alignment.paste(crop, astronaut.shape[:2], window)
    inside = alignment.paste(np.ones(crop.shape[:2], np.float32), astronaut.shape[:2], window) > 0.999
    error = np.abs(back - astronaut[top:bottom, left:right])[inside]
    assert error.mean() < 2.5  # two interpolations; half a pixel of shift makes it 4
    with pytest.raises(ValueError, match="not inside"):
        alignment.paste(crop, astronaut.shape[:2], (0, 0, 513, 10))


def test_crop_is_antialiased() -> None:
    # Alternate black and white columns: a crop that skips pixels would show stripes, an average is grey.
    photo = np.zeros((2048, 2048, 3), np.uint8)
    photo[:, ::2] = 255
    crop = align_face(reference_landmarks() * 2048, 128).crop(photo)
    assert crop[32:96, 32:96].std() < 8 and 120 < crop[32:96, 32:96].mean() < 135


def test_a_crop_of_a_large_photo_lies_where_that_of_a_small_part_of_it_does() -> None:
    down, across = np.mgrid[:1500, :2000].astype(np.float32)
    ramp = np.stack([across / 8, down / 8, 127 + 100 * np.sin(across / 60)], axis=2)
    photo = np.rint(ramp).astype(np.uint8)
    for corner in ((700.0, 500.0), (-300.0, 1100.0), (1700.0, -200.0)):
        matrix = np.array([[2.0, 0.3, corner[0]], [-0.3, 2.0, corner[1]]])
        found = Alignment(matrix, 256).crop(photo).astype(np.float32)
        points = np.stack(np.meshgrid(*[np.arange(256, dtype=np.float32)] * 2), axis=-1).reshape(-1, 2)
        x, y = Alignment(matrix, 256).to_photo(points).T.reshape(2, 256, 256)
        inside = (x > 10) & (x < 1989) & (y > 10) & (y < 1489)
        wanted = np.stack([x / 8, y / 8, 127 + 100 * np.sin(x / 60)], axis=2)
        assert inside.any() and np.abs(found - wanted)[inside].max() < 1.5
