import numpy as np
import pytest
import torch

from amgan.models.backbone import pretrained_trunk
from amgan.models.estimator import FEWEST_COVERED, SignLabels
from amgan.models.ridge import fit_ridge, person_folds
from amgan.models.ridge_estimators import FEATURES, RidgeEstimators, fit_covered, fit_deviation
from amgan.signs.atlas import unit_atlas

ATLAS = unit_atlas()


def labels(covered: int, seed: int = 0) -> dict[str, SignLabels]:
    """200 faces whose scores are one feature, covered ones marked by another."""
    rng = np.random.default_rng(seed)
    found = {}
    for name in (*ATLAS.signs, "age"):
        features = rng.normal(size=(200, FEATURES)).astype(np.float32)
        features[:, 12:] = 0
        features[:covered, 1] += 6
        scores = np.clip(0.5 + features[:, 0] / 5 + rng.normal(0, 0.03, 200), 0, 1).astype(np.float64)
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
        (estimate,) = estimators.predict(("crows_feet.right",), fresh.features[index : index + 1])
        assert estimate.can_judge is (index >= 20)
        assert 0.02 <= estimate.deviation < 0.5
    assert reports["crows_feet"].correlation > 0.8 and reports["crows_feet"].covered == 20
    assert reports["crows_feet"].count == 180 and 0.5 < reports["crows_feet"].within < 0.9


def test_a_handful_of_covered_faces_teaches_nothing() -> None:
    estimators = RidgeEstimators(ATLAS)
    reports = estimators.fit(labels(covered=FEWEST_COVERED - 1))
    (estimate,) = estimators.predict(("age",), np.full((1, FEATURES), 1e3, np.float32))
    assert estimate.covered == 0 and estimate.can_judge and reports["age"].covered == 0


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
