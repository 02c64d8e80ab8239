import numpy as np

from amgan.inference.ager import Ager
from amgan.inference.views import GAIN, difference
from amgan.maps.mesh import face_places, places_at


def test_a_difference_is_grey_where_nothing_changed() -> None:
    before = np.full((2, 2, 3), 100, np.uint8)
    after = before.copy()
    after[0, 0], after[1, 1] = 103, 0
    assert difference(before, after)[..., 0].tolist() == [[128 + 3 * GAIN, 128], [128, 0]]


def test_what_is_the_same_whatever_is_asked_is_found_once(ager: Ager, astronaut: np.ndarray) -> None:
    (face,) = ager.analyze(astronaut)
    assert face.hair is face.hair and face.hair.head.shape == face.wide.rgb.shape[:2]
    assert np.array_equal(face.places(96), places_at(face_places(face.landmarks, len(face.rgb)), 96))
    # Another size has hair of its own.
    half = face.resized(astronaut, 512)
    assert half.hair.head.shape == half.wide.rgb.shape[:2] != face.hair.head.shape
