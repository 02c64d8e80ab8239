"""Hair and skin of a real face."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from amgan.faces.parsing import SIDE, FaceParser

from .aligned import aligned_face


@pytest.fixture(scope="module")
def face(astronaut: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The aligned picture, and its landmarks in the parser's."""
    return aligned_face(astronaut, SIDE)


def at(share: np.ndarray, point: np.ndarray) -> float:
    x, y = (int(value) for value in point)
    return float(share[y, x])


def test_cheeks_are_skin_and_what_is_above_the_forehead_is_hair(face: tuple[np.ndarray, np.ndarray]) -> None:
    rgb, landmarks = face
    parts = FaceParser().parse(rgb)
    assert parts.hair.shape == parts.skin.shape == (SIDE, SIDE)
    assert (parts.hair + parts.skin).max() <= 1.05 and min(parts.hair.min(), parts.skin.min()) >= 0
    for cheek in (50, 280, 4, 152):
        assert at(parts.skin, landmarks[cheek]) > 0.9 and at(parts.hair, landmarks[cheek]) < 0.1
    crown = landmarks[10] + 1.2 * (landmarks[10] - landmarks[9])
    assert at(parts.hair, crown) > 0.9 and at(parts.skin, crown) < 0.1
    # What is behind her is neither.
    corners = np.ix_([0, 0, SIDE - 1, SIDE - 1], [0, SIDE - 1, 0, SIDE - 1])
    assert parts.skin[corners].max() < 0.1


def test_any_size_finds_the_same(face: tuple[np.ndarray, np.ndarray]) -> None:
    rgb, _ = face
    parser = FaceParser()
    twice = rgb.repeat(2, axis=0).repeat(2, axis=1)
    assert np.abs(parser.parse(twice).hair - parser.parse(rgb).hair).max() < 1e-3


def test_threads_share_a_parser(face: tuple[np.ndarray, np.ndarray]) -> None:
    rgb, _ = face
    parser = FaceParser()
    pictures = [rgb, rgb[:, ::-1].copy()] * 8
    alone = [parser.parse(picture).hair for picture in pictures[:2]]
    with ThreadPoolExecutor(4) as pool:
        for index, parts in enumerate(pool.map(parser.parse, pictures)):
            assert np.array_equal(parts.hair, alone[index % 2])
