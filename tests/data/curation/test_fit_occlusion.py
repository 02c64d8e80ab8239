from pathlib import Path

import numpy as np
import pytest

from amgan.data.curation import fit_occlusion
from amgan.data.curation.fit_occlusion import fit_classifier, held_out, log_loss, precision_recall, read_labels
from amgan.errors import DatasetError

LABELS = Path(fit_occlusion.__file__).with_name("covered.csv")


def test_a_separable_set_is_learned_and_judged_by_those_who_did_not_see_it() -> None:
    rng = np.random.default_rng(0)
    descriptors = rng.normal(size=(200, 1, 6)).astype(np.float32)
    covered = descriptors[..., 2] > 0.5
    folds = np.arange(200) % fit_occlusion.FOLDS
    found = held_out(descriptors, descriptors, covered, folds, 1e-3)
    precision, recall = precision_recall(found[:, 0], covered[:, 0], 0.5)
    assert precision > 0.9 and recall > 0.9
    guess = np.full(covered.shape, covered.mean(), np.float32)
    assert log_loss(found, covered) < log_loss(guess, covered) / 2
    # A heavy penalty leaves no more than how often it happens.
    flat = fit_classifier(descriptors[:, 0], covered[:, 0], 1e3).probability(descriptors[:, 0])
    assert flat == pytest.approx(covered.mean(), abs=0.02)


def test_precision_and_recall() -> None:
    probability, covered = np.array([0.9, 0.8, 0.6, 0.1], np.float32), np.array([True, False, True, True])
    assert precision_recall(probability, covered, 0.5) == pytest.approx((2 / 3, 2 / 3))
    assert np.isnan(precision_recall(probability, covered, 0.95)[0])


def test_the_labels_are_sound() -> None:
    labels = read_labels(LABELS)
    assert all(any(label.values()) for label in labels.values())
    assert sum(label["glasses"] for label in labels.values()) == 178


@pytest.mark.parametrize(
    ("content", "named"),
    [("file,forehead\n", "glasses"), ("file,forehead,left_cheek,right_cheek,glasses\na,1,0,,0\n", "right_cheek")],
)
def test_bad_labels_are_named(tmp_path: Path, content: str, named: str) -> None:
    path = tmp_path / "labels.csv"
    path.write_text(content)
    with pytest.raises(DatasetError, match=named):
        read_labels(path)
    with pytest.raises(DatasetError, match="absent"):
        read_labels(tmp_path / "absent.csv")
