"""The network of hair and skin learns, and ships as what OpenCV reads."""

import cv2
import numpy as np
import pytest
import torch

from amgan.errors import WeightsError
from amgan.faces.parsing import CLASSES, SIDE
from amgan.training.fit_parsing import as_onnx, entropy, fit, overlaps, taught, varied
from amgan.training.parsing_network import ParsingNetwork


@pytest.fixture(scope="module")
def heads() -> tuple[np.ndarray, np.ndarray]:
    """Eight pictures: dark hair above, light skin below, green beside; the shares of hair, of skin and of both."""
    random = np.random.default_rng(0)
    pictures = np.full((8, SIDE, SIDE, 3), (40, 160, 60), np.uint8)
    shares = np.zeros((8, SIDE, SIDE, 3), np.float32)
    for index in range(8):
        left, top = random.integers(30, 70, 2)
        for part, colour, rows in (
            (0, (50, 30, 20), slice(top, top + 60)),
            (1, (220, 170, 140), slice(top + 60, top + 150)),
        ):
            pictures[index, rows, left : left + 120] = colour
            shares[index, rows, left : left + 120, [part, 2]] = 1
    return pictures, shares


def test_a_few_steps_tell_colours_apart(heads: tuple[np.ndarray, np.ndarray]) -> None:
    network = fit(*heads, steps=60, batch=4)
    hair, skin = overlaps(network, *heads)
    assert hair > 0.5 and skin > 0.5
    untrained = ParsingNetwork().eval()
    assert min(overlaps(untrained, *heads)) < 0.4


def test_what_ships_is_the_network(heads: tuple[np.ndarray, np.ndarray]) -> None:
    network = ParsingNetwork().eval()
    picture = np.random.default_rng(0).uniform(-1, 1, (1, 3, SIDE, SIDE)).astype(np.float32)
    content = as_onnx(network)
    reader = cv2.dnn.readNetFromONNX(np.frombuffer(content, np.uint8))
    reader.setInput(picture)
    with torch.no_grad():
        wanted = network(torch.from_numpy(picture)).numpy()
    assert wanted.shape == (1, len(CLASSES), SIDE, SIDE) and np.abs(reader.forward() - wanted).max() < 0.01
    # Half of four bytes a weight.
    assert len(content) < 2.1 * sum(weight.numel() for weight in network.parameters()) + 50_000


def test_pictures_and_shares_are_varied_alike(heads: tuple[np.ndarray, np.ndarray]) -> None:
    random = np.random.default_rng(0)
    for _ in range(8):
        picture, known = varied(heads[0][0], heads[1][0], random)
        assert picture.shape == (3, SIDE, SIDE) and known.shape == (2, SIDE, SIDE)
        assert np.abs(picture).max() <= 1 and known.min() >= 0 and known.max() <= 1
        # Whatever the light, hair is darker than skin.
        assert picture[:, known[0] > 0.99].mean() < picture[:, known[1] > 0.99].mean()


def test_another_background_is_behind_the_person_alone(heads: tuple[np.ndarray, np.ndarray]) -> None:
    black = np.zeros((SIDE, SIDE, 3), np.uint8)
    means = []
    for behind in (None, black):
        picture, known = varied(heads[0][0], heads[1][0], np.random.default_rng(3), behind)
        assert known.shape == (2, SIDE, SIDE)
        means.append([picture[:, part > 0.99].mean() for part in (*known, 1 - known.sum(axis=0))])
    # Hair stays darker than skin, and what was green is darker than hair.
    assert means[0][0] < means[0][2] < means[0][1] and means[1][2] < means[1][0] < means[1][1]


def test_entropy_is_least_for_the_truth() -> None:
    known = torch.tensor([1.0, 0.0]).reshape(1, 2, 1, 1)
    sure, wrong = (torch.tensor(scores).reshape(1, 3, 1, 1) for scores in ([-9.0, 9.0, -9.0], [9.0, -9.0, -9.0]))
    assert entropy(sure, known) < 1e-3 and entropy(wrong, known) == pytest.approx(18, rel=0.01)
    assert entropy(torch.zeros(1, 3, 1, 1), known).item() == pytest.approx(np.log(3))


def test_a_missing_teacher_is_named(tmp_path: object) -> None:
    from pathlib import Path

    missing = Path(str(tmp_path)) / "teacher.tflite"
    with pytest.raises(WeightsError, match=r"teacher\.tflite: no such file"):
        taught(None, np.zeros(0, np.int64), missing)  # type: ignore[arg-type]
