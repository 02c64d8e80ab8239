import numpy as np
import pytest
import torch
from safetensors.torch import load, save

from amgan.errors import WeightsError
from amgan.models.backbone import pretrained_trunk
from amgan.models.estimator import FEWEST_COVERED, SignLabels, ZoneFeatures
from amgan.models.estimator_file import fingerprint
from amgan.models.estimator_kinds import pack_estimators, unpack_estimators
from amgan.models.ridge import blend, fit_ridge, person_folds
from amgan.models.ridge_estimators import FEATURES, RidgeEstimators, fit_covered, fit_deviation, places_around
from amgan.signs.atlas import unit_atlas

ATLAS = unit_atlas()


ZONES = (*ATLAS.zones, "age")


def labels(covered: int, seed: int = 0) -> dict[str, SignLabels]:
    """200 faces whose scores are one feature of the zone itself, covered ones marked by another."""
    rng = np.random.default_rng(seed)
    found = {}
    for name in (*ATLAS.signs, "age"):
        table = rng.normal(size=(200, len(ZONES), FEATURES)).astype(np.float32)
        table[..., 12:] = 0
        zone = name if name in ZONES else f"{name}.left"
        features = ZoneFeatures.of_column(table, ZONES.index(zone))
        table[:covered, features.columns[0], 1] += 6
        scores = np.clip(0.5 + features.own[:, 0] / 5 + rng.normal(0, 0.03, 200), 0, 1).astype(np.float64)
        hidden = np.arange(200) < covered
        scores[hidden] = np.nan
        found[name] = SignLabels(features, scores, hidden, [str(i) for i in range(200)])
    return found


def test_ridge_recovers_a_planted_relation() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(1, 3, (4000, 20))
    fit = fit_ridge(x, x @ np.linspace(-1, 1, 20) + 0.5, person_folds(range(4000), 5))
    weights, bias = fit.plain
    assert fit.error < 0.2 and fit.correlation > 0.99
    assert np.allclose(weights, np.linspace(-1, 1, 20), atol=0.05) and bias == pytest.approx(0.5, abs=0.3)
    assert np.allclose(x @ weights + bias, fit.predict(x))


def test_scores_deviations_and_covered_zones_come_back() -> None:
    estimators = RidgeEstimators(ATLAS)
    known = labels(covered=20)
    reports = estimators.fit(known)
    fresh = labels(covered=20, seed=1)["crows_feet"]
    for index in (0, 5, 100, 150):
        found = dict(zip(ZONES, estimators.predict(fresh.features.table[index]), strict=True))
        estimate = found["crows_feet.left"]
        assert estimate.can_judge is (index >= 20)
        assert 0.02 <= estimate.deviation < 0.5
        assert index < 20 or estimate.score == pytest.approx(fresh.scores[index], abs=0.15)
    assert reports["crows_feet"].correlation > 0.8 and reports["crows_feet"].covered == 20
    assert reports["crows_feet"].count == 180 and 0.5 < reports["crows_feet"].within < 0.9
    assert fingerprint(unpack_estimators(pack_estimators(estimators), ATLAS, "file")) == fingerprint(estimators)
    # Other places tell nothing here: none is listened to.
    alone = estimators.weight.abs().amax(dim=2) > 0
    assert torch.equal(alone, torch.eye(len(estimators.names), dtype=torch.bool))


def test_other_places_are_asked_where_they_know_more() -> None:
    """Age shows at the outer corners of both eyes, and each corner hides half of it."""
    known, rng = labels(covered=0), np.random.default_rng(3)
    table = known["age"].features.table
    corners = [ZONES.index(f"crows_feet.{side}") for side in ("left", "right")]
    truth = 0.5 + table[:, corners, 0].mean(axis=1) / 5 + rng.normal(0, 0.01, 200)
    age = SignLabels(known["age"].features, truth.astype(np.float64), known["age"].covered, known["age"].people)
    estimators = RidgeEstimators(ATLAS)
    assert estimators.fit(known | {"age": age})["age"].correlation > 0.9
    asked = (estimators.weight[-1].norm(dim=1) / estimators.weight[-1].norm()).tolist()
    assert asked[estimators.names.index("crows_feet")] > 0.9
    fresh = rng.normal(0, 0.5, (20, len(ZONES), FEATURES)).astype(np.float32)
    fresh[..., 12:] = 0
    found = [estimators.predict(face)[-1].score for face in fresh]
    assert np.corrcoef(found, fresh[:, corners, 0].mean(axis=1))[0, 1] > 0.9


def test_a_zone_is_judged_by_its_own_side_of_the_face() -> None:
    around = places_around(ATLAS)
    assert around.shape == (len(ZONES), len(ATLAS.signs) + 1, 2)

    def places(zone: str, sign: str) -> list[str]:
        return [ZONES[column] for column in around[ZONES.index(zone), [*ATLAS.signs, "age"].index(sign)]]

    assert places("crows_feet.right", "nasolabial_fold") == ["nasolabial_fold.right"] * 2
    assert places("crows_feet.left", "crows_feet") == ["crows_feet.left"] * 2
    assert places("crows_feet.left", "forehead_wrinkles") == ["forehead_wrinkles"] * 2
    assert places("forehead_wrinkles", "crows_feet") == ["crows_feet.left", "crows_feet.right"]
    assert places("age", "crows_feet") == ["crows_feet.left", "crows_feet.right"]
    assert places("upper_lip_wrinkles", "age") == places("age", "age") == ["age", "age"]


def test_a_file_holds_the_places_that_have_a_share_and_a_broken_one_is_named() -> None:
    estimators = RidgeEstimators(ATLAS)
    estimators.weight[2, 3], estimators.weight[9, 9] = torch.randn(
        2, FEATURES, generator=torch.Generator().manual_seed(0)
    )
    data = pack_estimators(estimators)
    held = load(data)
    assert held["weight"].shape == (2, FEATURES) and held["places"].tolist() == [23, 99]
    found = unpack_estimators(data, ATLAS, "file")
    assert isinstance(found, RidgeEstimators) and torch.equal(found.weight, estimators.weight)
    for places in ([23, 100], [23]):
        with pytest.raises(WeightsError, match="file: damaged"):
            unpack_estimators(save(held | {"places": torch.tensor(places)}), ATLAS, "file")


def test_files_of_before_look_at_the_zone_alone_and_answer_as_they_did() -> None:
    rng = torch.Generator().manual_seed(0)
    weights = RidgeEstimators(ATLAS).state_dict()
    weights["weight"] = torch.randn(len(ATLAS.signs) + 1, FEATURES, generator=rng) / 100
    found = unpack_estimators(save(weights), ATLAS, "old").predict(np.ones((len(ZONES), FEATURES), np.float32))
    names = (*ATLAS.signs, "age")
    expected = [weights["weight"][names.index(zone.partition(".")[0])].sum().clamp(0, 1) for zone in ZONES]
    assert [each.score for each in found] == pytest.approx([float(each) for each in expected], abs=1e-5)


def test_a_handful_of_covered_faces_teaches_nothing() -> None:
    estimators = RidgeEstimators(ATLAS)
    reports = estimators.fit(labels(covered=FEWEST_COVERED - 1))
    estimate = estimators.predict(np.full((len(ZONES), FEATURES), 1e3, np.float32))[-1]
    assert estimate.covered == 0 and estimate.can_judge and reports["age"].covered == 0


def test_a_blend_is_taken_only_if_it_is_better_by_more_than_chance() -> None:
    rng = np.random.default_rng(0)
    y, folds = rng.normal(size=400), person_folds(range(400), 5)
    two = y + rng.normal(size=(2, 400))
    both = blend(two, 0, y, folds)
    # Two equally noisy answers: the best line through both is a third of each.
    assert both.shares == pytest.approx([1 / 3, 1 / 3], abs=0.06) and both.bias == pytest.approx(0, abs=0.1)
    assert both.correlation > np.corrcoef(two[0], y)[0, 1] + 0.05
    assert both.correlation == pytest.approx(np.corrcoef(both.held_out, y)[0, 1])
    assert both.error == pytest.approx(np.abs(both.held_out - y).mean())
    # An answer that is right, beside noise, and beside one that is wrong the other way.
    right = y + rng.normal(0, 0.1, 400)
    for other in (rng.normal(size=400), -y):
        alone = blend(np.stack([other, right]), 1, y, folds)
        assert alone.shares.tolist() == [0, 1] and alone.bias == 0 and np.array_equal(alone.held_out, right)


def test_a_deviation_is_larger_where_errors_are() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(600, 10))
    truth = np.where(x[:, 0] > 0, 0.2, 0.05)
    fit, within = fit_deviation(x, rng.normal(size=600) * truth, person_folds(range(600), 5))
    found = np.exp(fit.predict(x))
    assert found[x[:, 0] > 1].mean() > 2 * found[x[:, 0] < -1].mean()
    assert 0.55 < within < 0.8


def test_no_error_at_all_foretells_a_small_one() -> None:
    x = np.random.default_rng(0).normal(size=(40, 3))
    fit, within = fit_deviation(x, np.zeros(40), person_folds(range(40), 5))
    assert np.isfinite(fit.predict(x)).all() and np.exp(fit.predict(x)).max() < 0.01 and within == 1


def test_covered_is_a_probability() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(5, 2, (300, 8))
    covered = rng.random(300) < 1 / (1 + np.exp(-2 * (x[:, 0] - 5)))
    weights, bias = fit_covered(x, covered)
    probability = 1 / (1 + np.exp(-(x @ weights + bias)))
    assert probability.mean() == pytest.approx(covered.mean(), abs=0.01)
    assert ((probability > 0.5) == covered).mean() > 0.8


def test_a_deep_trunk_sees_what_the_shallow_one_does_and_more() -> None:
    image = torch.rand(1, 3, 64, 64) * 2 - 1
    shallow, deep = pretrained_trunk()(image), pretrained_trunk(deep=True)(image)
    assert all(torch.equal(a, b) for a, b in zip(shallow, deep[:4], strict=True))
    assert deep[4].shape == (1, 320, 2, 2)
