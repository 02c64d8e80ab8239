import math

import numpy as np
import pytest
import torch

from amgan.evaluation.bootstrap import Interval, _medians, interval, worst_ratio
from amgan.evaluation.measures.controls import controls
from amgan.evaluation.measures.detail import fine_energy_ratio, grid_strength
from amgan.evaluation.measures.distances import frechet_distance, kernel_distance
from amgan.evaluation.measures.locality import inside_over_rest, stray
from amgan.evaluation.measures.response import cross_talk, mean_absolute_error, monotone, slope


@pytest.mark.parametrize("count", [5, 400])
def test_frechet_of_axis_aligned_gaussians_is_the_closed_form(count: int) -> None:
    x = np.random.default_rng(0).normal(size=(count, 8))
    # Scaled by 2 and moved by 3 in each of 8 axes: 8 * 9 + (2 - 1)^2 * the trace of the covariance.
    moved = 2 * (x - x.mean(0)) + x.mean(0) + 3
    wanted = 8 * 9 + np.trace(np.cov(x.T))
    assert frechet_distance(x, moved) == pytest.approx(wanted)
    assert frechet_distance(x, x) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("count", [12, 60])
def test_frechet_is_that_of_torchmetrics(count: int) -> None:
    fid = pytest.importorskip("torchmetrics.image.fid")

    class Pixels(torch.nn.Module):
        num_features = 48

        def forward(self, pictures: torch.Tensor) -> torch.Tensor:
            return pictures.flatten(1).float()

    metric = fid.FrechetInceptionDistance(Pixels())
    pictures = np.random.default_rng(0).integers(0, 256, (2, count, 3, 4, 4), np.uint8)
    pictures[1] //= 2
    for real in (True, False):
        metric.update(torch.from_numpy(pictures[0 if real else 1]), real=real)
    a, b = pictures.reshape(2, count, -1)
    assert frechet_distance(a, b) == pytest.approx(float(metric.compute()), rel=1e-4)


def test_kernel_distance_is_about_nothing_within_a_distribution() -> None:
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 200, 16))
    assert abs(kernel_distance(a, b)) < 0.05 < kernel_distance(a, b + 1)


def test_responses_on_known_tables() -> None:
    assert mean_absolute_error([0.2, math.nan, 1.0], [0.3, 0.9, 1.4]) == pytest.approx(0.05)
    levels = [0, 0.5, 1]
    assert slope(levels, [0.1, 0.5, 0.9]) == pytest.approx(0.8) and slope(levels, [0.3] * 3) == 0
    assert monotone([0.1, 0.1, 0.4]) and not monotone([0.1, 0.3, 0.2]) and not monotone([0.2] * 3)
    assert cross_talk(np.array([0.1, -0.5]), 1).tolist() == [-0.2, 1]
    assert np.isnan(cross_talk(np.array([0.0, 0.3]), 0)).all()


def test_detail_sees_blur_and_grid() -> None:
    rng = np.random.default_rng(2)
    face = rng.integers(60, 190, (256, 256, 3), np.uint8)
    everywhere = np.ones((256, 256), np.bool_)
    assert fine_energy_ratio(face, controls(face, 1024)["blurred"], everywhere) < 0.3
    assert fine_energy_ratio(face, face, everywhere) == 1 and math.isnan(grid_strength(face, face))
    noise = np.clip(face + rng.normal(0, 5, face.shape), 0, 255).astype(np.uint8)
    grid = noise.copy()
    grid[::4] += 5
    assert grid_strength(face, grid) > 3 * grid_strength(face, noise)


def test_locality() -> None:
    before = np.zeros((8, 8, 3), np.uint8)
    after = before.copy()
    after[:2] = 10
    zone = np.zeros((8, 8), np.bool_)
    zone[:2] = True
    difference = np.abs(after.astype(float) - before).mean(axis=2)
    assert inside_over_rest(difference, zone, np.ones_like(zone)) > 1e3
    assert stray(before, after, zone) == 0 and stray(before, after, ~zone) == 10


def test_intervals_are_by_person_and_repeatable() -> None:
    values, people = [0.0, 1.0, 0.0, 1.0, math.nan], ["a", "b", "c", "d", "e"]
    found = interval(values, people)
    assert found == interval(values, people) and found.people == 4 and found.low < found.value == 0.5 < found.high
    # Many photos of one person are no more than one person.
    alone = interval([0.0, 1.0] * 50, ["a"] * 100)
    assert alone.value == 0.5 and math.isnan(alone.low) and alone.people == 1


def test_the_worst_group_is_never_left_out() -> None:
    def group(value: float, people: str = "abcde") -> Interval:
        return interval([value] * len(people), list(people))

    assert worst_ratio(0.1, [group(0.2), group(0.05), group(0.0)], least=False) == pytest.approx(2)
    assert worst_ratio(0.1, [group(0.0)], least=False) == 1
    assert worst_ratio(0.6, [group(0.2), group(0.9)], least=True) == pytest.approx(3)
    # A sign that does not move, or moves the wrong way, in one population is as bad as can be.
    for nothing in (0.0, -0.1):
        assert worst_ratio(0.6, [group(0.2), group(nothing)], least=True) == math.inf
    # Too few people, a group without the figure, and a figure that all lack say nothing.
    assert worst_ratio(0.6, [group(0.2), group(0.0, "abcd"), group(math.nan)], least=True) == pytest.approx(3)
    assert math.isnan(worst_ratio(0.6, [group(math.nan)], least=True))
    assert math.isnan(worst_ratio(0.0, [group(-0.1)], least=True))


def test_medians_of_drawn_people_are_those_of_their_photos() -> None:
    rng = np.random.default_rng(3)
    values, times = np.sort(rng.normal(size=9)), rng.integers(0, 4, (20, 9))
    wanted = [np.median(np.repeat(values, row)) for row in times]
    np.testing.assert_allclose(_medians(values, times), wanted)
    assert interval(values.tolist(), list("abcdefghi"), "median").value == np.median(values)
