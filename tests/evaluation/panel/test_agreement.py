import math

import numpy as np
import pytest

from amgan.evaluation.panel.agreement import agreement, icc2, share

# The worked example of Shrout & Fleiss (1979): six targets, four judges.
EXAMPLE = [[9, 2, 5, 8], [6, 1, 3, 2], [8, 4, 6, 8], [7, 1, 2, 6], [10, 5, 6, 9], [6, 2, 4, 7]]


def test_the_example_of_shrout_and_fleiss() -> None:
    single, mean = icc2(EXAMPLE)
    assert round(single, 2) == 0.29 and round(mean, 2) == 0.62


def test_a_rater_who_is_always_higher_disagrees() -> None:
    truth = np.linspace(0, 100, 20)
    assert icc2(np.stack([truth, truth], axis=1)) == pytest.approx((1, 1))
    shifted = icc2(np.stack([truth, truth + 30], axis=1))[0]
    assert 0.5 < shifted < 0.9
    noise = np.random.default_rng(0).normal(size=(500, 3))
    assert abs(icc2(noise)[0]) < 0.1
    # Raters who contradict each other, and those who agree on everything, say nothing.
    assert np.isnan(icc2([[0, 1], [1, 0]])).all()
    assert np.isnan(icc2(np.full((6, 2), 33.3))).all() and np.isnan(icc2(np.full((10, 5), 0.1))).all()


def test_intervals_are_over_people_and_what_one_could_not_judge_is_left_out() -> None:
    scores = np.array([*EXAMPLE, [5, 5, 5, math.nan]])
    found = agreement(scores, [f"p{i}" for i in range(7)])
    assert found is not None and (found.raters, found.crops, found.single.people) == (4, 6, 6)
    assert found.single.value == icc2(EXAMPLE)[0] and found.single.low < 0.29 < found.single.high < 1
    assert found.mean.value > found.single.value
    assert agreement(np.array(EXAMPLE)[:, :1], list("abcdef")) is None
    assert agreement(np.array(EXAMPLE), ["one"] * 6) is None


def test_raters_who_all_say_the_same_of_everything_have_no_correlation() -> None:
    found = agreement(np.full((6, 2), 80.0), list("abcdef"))
    assert found is not None and math.isnan(found.single.value) and math.isnan(found.single.low)


def test_a_share_stays_inside_zero_and_one() -> None:
    low, middle, high = share(0, 20), share(30, 60), share(20, 20)
    assert low.value == 0 and low.low == pytest.approx(0, abs=1e-12) and 0.1 < low.high < 0.2
    assert 0.8 < high.low < 0.9 and high.high == pytest.approx(1) and middle.people == 60
    # Wilson's interval for 30 of 60, from its formula.
    assert (middle.low, middle.high) == pytest.approx((0.3773, 0.6227), abs=1e-4)
    assert math.isnan(share(0, 0).value)
