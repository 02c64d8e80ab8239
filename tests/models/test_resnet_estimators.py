from pathlib import Path

import numpy as np
import pytest
import torch

from amgan.errors import WeightsError
from amgan.models import resnet_estimators
from amgan.models.estimator import FEWEST_COVERED, SignLabels, ZoneFeatures
from amgan.models.estimator_file import fingerprint, load_estimators, save_estimators
from amgan.models.estimator_kinds import new_estimators, pack_estimators, unpack_estimators
from amgan.models.resnet import ResNet18, ResNetConfig
from amgan.models.resnet_estimators import ResNetEstimators
from amgan.models.resnet_fit import SignNetwork, as_images, fit_network, varied
from amgan.models.ridge import person_folds
from amgan.models.ridge_estimators import RidgeEstimators
from amgan.signs.atlas import unit_atlas

ATLAS = unit_atlas()
TINY = ResNetConfig(crop=32, width=8, epochs=1, batch=16)


def striped(count: int, covered: int = 0, seed: int = 0) -> SignLabels:
    """Crops with stripes as strong as their scores; covered ones are green."""
    rng = np.random.default_rng(seed)
    scores = rng.random(count)
    lines = np.where(np.arange(32) % 4 < 2, 60.0, -60.0)[:, None, None]
    crops = 128 + scores[:, None, None, None] * lines + rng.normal(0, 5, (count, 32, 32, 3))
    hidden = np.arange(count) < covered
    crops[hidden] = (0, 200, 0)
    scores[hidden] = np.nan
    # One zone a face.
    seen = ZoneFeatures.of_column(crops.clip(0, 255).astype(np.uint8)[:, None], 0)
    return SignLabels(seen, scores, hidden, [f"p{i}" for i in range(count)])


def labels(count: int = 10) -> dict[str, SignLabels]:
    return {name: striped(count, seed=seed) for seed, name in enumerate((*ATLAS.signs, "age"))}


def test_a_network_has_eighteen_layers_and_takes_any_crop() -> None:
    network = ResNet18(width=8, outputs=3)
    # Those of the shortcuts are not counted.
    main = [
        name for name, m in network.named_modules() if isinstance(m, torch.nn.Conv2d | torch.nn.Linear)
        and "shortcut" not in name
    ]  # fmt: skip
    assert len(main) == 18
    for side in (32, 48, 96):
        assert network(torch.zeros(2, 3, side, side)).shape == (2, 3)


def test_it_learns_stripes_and_what_is_covered() -> None:
    known = striped(90, covered=20)
    ticks: list[None] = []
    network = SignNetwork(8)
    config = TINY.model_copy(update={"epochs": 12, "rate": 1e-2})
    report = fit_network(network, known, config, True, lambda: ticks.append(None))
    assert len(ticks) == 12 and report.covered == 20
    # A fifth of the 70 scored people, none of whom was trained on.
    assert report.count == 14 and report.correlation > 0.8 and 0.4 <= report.within <= 1
    fresh = striped(40, covered=10, seed=1)
    score, deviation, covered = network.judge(fresh.features.own)
    assert np.corrcoef(score[10:], fresh.scores[10:])[0, 1] > 0.8
    assert ((covered > 0.5) == fresh.covered).mean() > 0.9
    assert 0 <= score.min() and score.max() <= 1 and 0.02 <= deviation.min() and deviation.max() <= 1


def test_a_handful_of_covered_faces_teaches_nothing() -> None:
    network = SignNetwork(8)
    report = fit_network(network, striped(40, covered=FEWEST_COVERED - 1), TINY, False, lambda: None)
    assert report.covered == 0 and (network.judge(striped(20, covered=20).features.own)[2] == 0).all()


def test_labels_of_held_out_people_teach_nothing() -> None:
    """What is said of the fifth that is tested changes the report, not the weights."""
    known, other = SignNetwork(8), SignNetwork(8)
    crops = striped(40)
    before = fit_network(known, crops, TINY, False, lambda: None)
    held = person_folds(crops.people, 5) == 0
    changed = np.where(held, 1 - crops.scores, crops.scores)
    after = fit_network(
        other, SignLabels(crops.features, changed, crops.covered, crops.people), TINY, False, lambda: None
    )
    weights = [{k: v for k, v in n.state_dict().items() if k != "calibration"} for n in (known, other)]
    assert all(torch.equal(weights[0][key], weights[1][key]) for key in weights[0])
    assert before.error != after.error


def test_the_deviation_is_right_on_the_people_held_out() -> None:
    known = striped(60)
    rng = np.random.default_rng(3)
    noisy = SignLabels(
        known.features, np.clip(known.scores + rng.normal(0, 0.2, 60), 0, 1), known.covered, known.people
    )
    network = SignNetwork(8)
    fit_network(network, noisy, TINY, False, lambda: None)
    held = person_folds(known.people, 5) == 0
    score, deviation, _ = network.judge(known.features[held].own)
    assert np.mean(((score - noisy.scores[held]) / deviation) ** 2) == pytest.approx(1, abs=0.05)


def test_crops_are_varied_and_the_middle_ones_mirrored() -> None:
    image = as_images(torch.from_numpy(striped(1).features.own))
    image[..., 16:] = -1  # the right half dark
    many = image.expand(64, 3, 32, 32)
    dark_right = [
        (v[..., 4:12].mean(dim=(1, 2, 3)) > v[..., 20:28].mean(dim=(1, 2, 3))).float().mean().item()
        for v in (varied(many, mirrored, torch.Generator().manual_seed(0)) for mirrored in (False, True))
    ]
    assert dark_right[0] == 1 and 0.25 < dark_right[1] < 0.75
    again = [varied(many, True, torch.Generator().manual_seed(1)) for _ in range(2)]
    assert torch.equal(*again) and not torch.equal(again[0][0], again[0][1])


def test_a_fit_that_was_stopped_goes_on_and_other_labels_are_fitted_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fitted: list[SignNetwork] = []
    monkeypatch.setattr(
        resnet_estimators, "fit_network", lambda network, *rest: fitted.append(network) or fit_network(network, *rest)
    )

    def stop_after_three(epochs):
        for epoch in epochs:
            if epoch == 3:
                raise KeyboardInterrupt
            yield epoch

    with pytest.raises(KeyboardInterrupt):
        ResNetEstimators(ATLAS, TINY).fit(labels(), tmp_path, stop_after_three)
    fitted.clear()
    seen: list[int] = []
    estimators = ResNetEstimators(ATLAS, TINY)
    reports = estimators.fit(labels(), tmp_path, lambda epochs: (seen.append(e) or e for e in epochs))
    left = len(ATLAS.signs) + 1 - 3
    assert len(fitted) == left and seen == list(range(left)) and not list(tmp_path.glob("*.part"))

    fitted.clear()
    again = ResNetEstimators(ATLAS, TINY)
    assert again.fit(labels(), tmp_path, lambda _: pytest.fail("nothing is left to do")) == reports
    assert not fitted and fingerprint(again) == fingerprint(estimators)

    other = labels() | {"age": striped(10, seed=99)}
    ResNetEstimators(ATLAS, TINY).fit(other, tmp_path)
    assert len(fitted) == 1
    next(tmp_path.glob("resnet18-age-*")).write_bytes(b"\x10" * 99)
    next(tmp_path.glob("resnet18-crows_feet-*")).write_bytes(b"\x10" * 99)
    with pytest.raises(WeightsError, match=r"resnet18-.*damaged.*delete it"):
        ResNetEstimators(ATLAS, TINY).fit(labels(), tmp_path)


def test_files_say_their_kind(tmp_path: Path) -> None:
    networks = ResNetEstimators(ATLAS, TINY)
    reports = networks.fit(labels())
    loaded = load_estimators(save_estimators(tmp_path / "networks", networks, reports, "for tests"))
    assert isinstance(loaded, ResNetEstimators) and loaded.config == TINY
    assert fingerprint(loaded) == fingerprint(networks)
    crops = striped(5).features
    assert np.array_equal(loaded.predict_sign("age", crops), networks.predict_sign("age", crops))
    assert loaded.predict_sign("age", crops[:0]).shape == (3, 0)

    data = pack_estimators(RidgeEstimators(ATLAS))
    assert b"kind" not in data and isinstance(unpack_estimators(data, ATLAS, "x"), RidgeEstimators)
    assert [new_estimators(kind, ATLAS).kind for kind in ("ridge", "resnet18")] == ["ridge", "resnet18"]


def test_other_kinds_and_damage_are_named() -> None:
    data = pack_estimators(ResNetEstimators(ATLAS, TINY))
    with pytest.raises(WeightsError, match=r"file: .*'resnet99'.*upgrade"):
        unpack_estimators(data.replace(b"resnet18", b"resnet99"), ATLAS, "file")
    for bad in (b"", data[:500], data.replace(b"width", b"WIDTH"), data.replace(b'width\\": 8', b'width\\": 9')):
        with pytest.raises(WeightsError, match="file: damaged"):
            unpack_estimators(bad, ATLAS, "file")


def test_every_zone_is_judged_by_its_sign_and_right_ones_mirrored(astronaut: np.ndarray) -> None:
    estimators = ResNetEstimators(ATLAS, TINY)
    # Every network says another number.
    for index, network in enumerate(estimators.networks):
        torch.nn.init.zeros_(network.network.head.weight)
        network.network.head.bias.data = torch.tensor([index / 10, -5.0, 0.0])
    landmarks = np.random.default_rng(0).uniform(100, 400, (478, 2)).astype(np.float32)
    found = estimators.estimate(astronaut, landmarks)
    assert list(found) == [*ATLAS.zones, "age"]
    for zone, estimate in found.items():
        assert estimate.score == pytest.approx(estimators.names.index(zone.partition(".")[0]) / 10, abs=1e-6)
        assert estimate.deviation == pytest.approx(np.sqrt(np.exp(-5) + 0.02**2), rel=1e-4)
        assert estimate.can_judge
    crops = estimators.features(astronaut, landmarks)
    assert crops.shape == (len(ATLAS.zones) + 1, 32, 32, 3) and crops.dtype == np.uint8
