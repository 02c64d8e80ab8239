import json
import math
from pathlib import Path

import numpy as np
import pytest

from amgan.data.labels import Labels
from amgan.data.patches import FacePatches
from amgan.data.store import Store, prepare
from amgan.data.table import Estimated, Row, row_of
from amgan.errors import DatasetError
from amgan.models.resnet import ResNetConfig
from amgan.models.resnet_estimators import ResNetEstimators
from amgan.models.ridge_estimators import FEATURES, RidgeEstimators
from amgan.signs.atlas import AGE, unit_atlas
from amgan.training import estimating
from amgan.training.estimating import face_features, fit_estimators, sign_labels, zone_scores

ATLAS = unit_atlas()
ZONES = (*ATLAS.zones, AGE)


def store_of(*rows: Row) -> Store:
    nothing = np.zeros((0, 0, 0, 3), np.uint8), np.zeros((0, 478, 2), np.float32)
    return Store(Path(), list(rows), [], *nothing, 1024, np.zeros(0, np.float32))


def row(name: str, labels: Labels, estimates: dict[str, Estimated] | None = None) -> Row:
    return row_of(Path(name), name, labels, ATLAS, estimates)


def numbered_features(count: int) -> np.ndarray:
    """(count, Z + 1, FEATURES), where the first two say which face and which zone it is."""
    features = np.zeros((count, len(ZONES), FEATURES), np.float32)
    features[..., 0], features[..., 1] = np.arange(count)[:, None], np.arange(len(ZONES))
    return features


def test_a_person_counts_before_a_dataset_and_that_before_a_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    estimates = {
        zone: Estimated(0.6, math.nan) for zone in ("crows_feet.left", "crows_feet.right", "lower_face_ptosis")
    }
    store = store_of(row("a", Labels(49, grades={"crows_feet.left": 20, "under_eye_wrinkles.right": 10}), estimates))
    monkeypatch.setattr(estimating, "face_features", lambda *_: numbered_features(1))
    estimators = RidgeEstimators(ATLAS)
    estimators.bias.fill_(0.3)
    scores, ages = zone_scores(store, estimators)
    found = dict(zip(ATLAS.zones, scores[0].tolist(), strict=True))
    expected = dict.fromkeys(ATLAS.zones, 0.3) | {"crows_feet.left": 0.2, "crows_feet.right": 0.6}
    expected |= {"under_eye_wrinkles.right": 0.1, "lower_face_ptosis": 0.6}
    assert found == pytest.approx(expected) and ages.tolist() == [0.5]


def test_networks_take_the_place_of_the_ridge(face_set: Path, tmp_path: Path) -> None:
    store = prepare(face_set, tmp_path, ATLAS)
    networks = ResNetEstimators(ATLAS, ResNetConfig(crop=32, width=8, epochs=1))
    reports = fit_estimators(store, networks, np.arange(12))
    assert set(reports) == {*ATLAS.signs, AGE} and len(list(store.folder.glob("resnet18-*.safetensors"))) == 10
    scores, _ = zone_scores(store, networks)
    left, right = (ATLAS.zones.index(f"crows_feet.{side}") for side in ("left", "right"))
    assert scores[:, left].tolist() == pytest.approx([0.08 * i for i in range(12)])  # people's
    found = networks.estimate(store.images[5], store.landmarks[5])["crows_feet.right"]
    assert scores[5, right] == pytest.approx(found.score, abs=1e-5)


def test_both_sides_teach_and_so_do_covered_zones() -> None:
    people = [Labels(identity=f"p{i}", grades={"crows_feet.left": 10 * i}) for i in range(8)]
    people.append(Labels(identity="p8", grades={"crows_feet.right": 50}, occluded=frozenset({"crows_feet.left"})))
    people.append(Labels(identity="p9"))
    store = store_of(*(row(f"{i}.png", labels) for i, labels in enumerate(people)))
    found = sign_labels(store, ATLAS, numbered_features(10), np.arange(10))["crows_feet"]
    left, right = (ZONES.index(f"crows_feet.{side}") for side in ("left", "right"))
    assert found.features.own[:, :2].tolist() == [*([i, left] for i in range(9)), [8, right]]
    assert (
        found.scores[:8] == pytest.approx(np.arange(8) / 10) and math.isnan(found.scores[8]) and found.scores[9] == 0.5
    )
    assert found.covered.tolist() == [False] * 8 + [True, False]
    assert found.people == [*(f"p{i}" for i in range(9)), "p8"]


def test_without_grades_the_estimates_of_the_dataset_teach() -> None:
    estimates = {"crows_feet.right": Estimated(0.25, 0.1), "crows_feet.left": Estimated(0.5, 0.1)}
    graded = Labels(identity="p", grades={"crows_feet.left": 100}, occluded=frozenset({"crows_feet.right"}))
    store = store_of(row("a", graded, estimates), *(row(f"{i}", Labels(), estimates) for i in range(8)))
    found = sign_labels(store, ATLAS, numbered_features(9), np.arange(9))
    # Too few people are graded to learn from them.
    assert found["crows_feet"].scores[:9].tolist() == [0.5] * 9 and found["crows_feet"].covered.sum() == 1
    assert math.isnan(found["crows_feet"].scores[9]) and found["crows_feet"].scores[10:].tolist() == [0.25] * 8
    assert len(found["lower_face_ptosis"].scores) == 0
    # What measures estimators or models asks people alone.
    graded_alone = sign_labels(store, ATLAS, numbered_features(9), np.arange(9), estimated=False)["crows_feet"]
    assert graded_alone.scores[np.isfinite(graded_alone.scores)].tolist() == [1.0]


def test_human_scores_stay_and_gaps_are_estimated(patches: FacePatches) -> None:
    forehead = ATLAS.zones.index("forehead_wrinkles")
    assert np.allclose(patches.draw.scores[:, forehead], np.arange(10) * 0.08, atol=1e-6)
    lip = patches.draw.scores[3, ATLAS.zones.index("upper_lip_wrinkles")]
    assert lip == pytest.approx(0.4, abs=0.1)  # occluded there, 0.4 on all others


def test_estimators_see_the_wrinkles_that_were_drawn(face_set: Path, tmp_path: Path) -> None:
    store = prepare(face_set, tmp_path, ATLAS)
    rows = store.subset(lambda row: row.split == "train")
    estimators = RidgeEstimators(ATLAS)
    reports = fit_estimators(store, estimators, rows)
    # Guessing the mean of 0 to 0.72 is off by 0.2.
    assert reports["forehead_wrinkles"].error < 0.1 and reports["nasolabial_fold"].error < 0.1
    unseen = store.subset(lambda row: row.split == "val")[0]
    found = estimators.estimate(store.images[unseen], store.landmarks[unseen])
    assert found["forehead_wrinkles"].score == pytest.approx(0.8, abs=0.15)
    assert 0 < found["forehead_wrinkles"].deviation < 0.2 and found["forehead_wrinkles"].can_judge
    # Nobody scored the right side: the left's estimator reads it, mirrored.
    assert found["crows_feet.right"].score == pytest.approx(0.8, abs=0.2)


def test_features_go_on_where_they_were_stopped(face_set: Path, tmp_path: Path) -> None:
    store, estimators = prepare(face_set, tmp_path, ATLAS), RidgeEstimators(ATLAS)

    def stop_after_three(faces):
        for done, index in enumerate(faces):
            if done == 3:
                raise KeyboardInterrupt
            yield index

    with pytest.raises(KeyboardInterrupt):
        face_features(store, estimators, stop_after_three)
    seen = []
    found = face_features(store, estimators, lambda faces: (seen.append(i) or i for i in faces))
    assert seen == list(range(3, len(store.rows))) and np.isfinite(found).all()
    assert np.array_equal(face_features(store, estimators, lambda faces: pytest.fail("nothing is left to do")), found)


def torn(path: Path, row: int) -> None:
    """As a crash leaves a file of which not every page came to the disk."""
    features = np.lib.format.open_memmap(path, "r+")
    features[row, 3:] = 0
    features[row + 1 :] = 0
    features.flush()


def test_features_that_were_half_written_are_made_again(
    face_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimating, "SAVE_EVERY", 2)
    store, estimators, seen = prepare(face_set, tmp_path, ATLAS), RidgeEstimators(ATLAS), list[int]()
    whole = np.array(face_features(store, estimators))
    (path,) = store.folder.glob("features-*.npy")
    state = path.with_suffix(".json")
    assert json.loads(state.read_text()) == len(store.rows)
    # What came after the note is not trusted. Without a note, as in older stores, every zone is looked at.
    for note, first in (("4", 4), (None, 5), ("{", 5)):
        torn(path, 5)
        state.unlink() if note is None else state.write_text(note)
        seen.clear()
        again = face_features(store, estimators, lambda faces: (seen.append(i) or i for i in faces))
        assert seen == list(range(first, len(store.rows))) and np.array_equal(again, whole)
    state.unlink()
    face_features(store, estimators, lambda faces: pytest.fail("nothing is left to do"))
    assert json.loads(state.read_text()) == len(store.rows)


def test_how_far_features_are_is_noted_once_they_are_on_the_disk(
    face_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(estimating, "SAVE_EVERY", 5)
    store, said = prepare(face_set, tmp_path, ATLAS), list[str]()
    write = estimating.write_whole
    monkeypatch.setattr(estimating, "flush", lambda array: said.append("flush"))
    monkeypatch.setattr(estimating, "write_whole", lambda path, text: said.append(text) or write(path, text))
    face_features(store, RidgeEstimators(ATLAS))
    assert said == ["flush", "5", "flush", "10", "flush", "12"]


def test_features_that_are_cut_off_are_named(face_set: Path, tmp_path: Path) -> None:
    store, estimators = prepare(face_set, tmp_path, ATLAS), RidgeEstimators(ATLAS)
    face_features(store, estimators)
    (path,) = store.folder.glob("features-*.npy")
    for size in (path.stat().st_size - 1, 20, 0):
        with path.open("r+b") as file:
            file.truncate(size)
        with pytest.raises(
            DatasetError, match=rf"{path.name}: damaged \(.*delete .*{path.name} and give the command again"
        ):
            face_features(store, estimators)
    np.save(path, np.zeros((3, 2), np.float32))
    with pytest.raises(DatasetError, match=r"holds float32, \(3, 2\)"):
        face_features(store, estimators)


def test_a_sign_that_nobody_scored_is_named(face_set: Path, tmp_path: Path) -> None:
    store = prepare(face_set, tmp_path, ATLAS)
    with pytest.raises(DatasetError, match="forehead_wrinkles: 3 people"):
        fit_estimators(store, RidgeEstimators(ATLAS), np.arange(3))
