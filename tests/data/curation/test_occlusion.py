from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from amgan.data.curation import occlusion
from amgan.data.curation.occlusion import COVERS, WINDOWS, Classifier, describe, descriptor_length, load_detector
from amgan.errors import WeightsError

PACKAGED = Path(occlusion.__file__).with_name(occlusion.WEIGHTS)


def test_descriptors_fit_the_weights_and_do_not_depend_on_light(astronaut: np.ndarray) -> None:
    face = np.ascontiguousarray(astronaut[:256, 100:356])
    landmarks = np.random.default_rng(0).uniform(60, 200, (478, 2)).astype(np.float32)
    for cover in COVERS:
        for window in WINDOWS[cover]:
            found = describe(face, landmarks, window)
            assert found.shape == (descriptor_length(cover),)
            darker = describe((face * 0.6).astype(np.uint8), landmarks, window)
            assert np.abs(found - darker).mean() < 0.02
    measured = load_detector().measure(face, landmarks)
    assert set(measured) == set(COVERS) and all(0 <= value <= 1 for value in measured.values())


def test_both_cheeks_are_described_alike(astronaut: np.ndarray) -> None:
    face = np.ascontiguousarray(astronaut[:256, 100:356])
    left, right = WINDOWS["cheeks"]
    landmarks = np.zeros((478, 2), np.float32)
    landmarks[list(left.points)] = np.random.default_rng(1).uniform(80, 150, (len(left.points), 2))
    landmarks[list(right.points)] = (255, 0) + landmarks[list(left.points)] * (-1, 1)
    mirrored = np.ascontiguousarray(face[:, ::-1])
    one, other = describe(face, landmarks, left), describe(mirrored, landmarks, right)
    wrong = describe(np.ascontiguousarray(mirrored), landmarks, left)
    assert np.corrcoef(one, other)[0, 1] > 0.9 > 0.6 > np.corrcoef(one, wrong)[0, 1]


def test_probability() -> None:
    classifier = Classifier(np.array([1, -1], np.float32), 0.5)
    found = classifier.probability(np.array([[0, 0.5], [900, 0], [0, 900]], np.float32))
    assert found == pytest.approx([0.5, 1, 0])


@pytest.mark.parametrize("kind", ["absent", "damaged", "lacking", "another window"])
def test_bad_weights_are_named(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "covers.safetensors"
    arrays = load_file(PACKAGED)
    if kind == "damaged":
        path.write_bytes(PACKAGED.read_bytes()[:50])
    elif kind == "lacking":
        save_file({name: value for name, value in arrays.items() if not name.startswith("glasses")}, path)
    elif kind == "another window":
        save_file(arrays | {"glasses.weights": arrays["glasses.weights"][:-1].copy()}, path)
    with pytest.raises(WeightsError, match=r"covers\.safetensors"):
        load_detector(path)
