import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from amgan.errors import AtlasError
from amgan.signs.scale import Quantiles, Scale


def measured(grades: dict[float, float], ends: tuple[float, float] = (0, 10)) -> Scale:
    return Scale(grades=ends, quantiles=Quantiles(faces=40, ages=(20, 70), grades=grades))


TIED = measured({0: 0, 10: 0, 50: 2, 60: 2, 80: 2, 100: 8})


def test_percentiles_are_linear_between_the_measured() -> None:
    assert [TIED.percentile(p) for p in (0, 5, 10, 30, 50, 70, 80, 90, 100)] == [0, 0, 0, 0.1, 0.2, 0.2, 0.2, 0.5, 0.8]


def test_rank_of_a_score_many_share_is_the_middle_of_their_percents() -> None:
    assert [TIED.rank(s) for s in (0, 0.1, 0.2, 0.5, 0.8, 1)] == [5, 30, 65, 90, 100, 100]


def test_a_range_may_fall_and_grades_beyond_it_count_as_its_end() -> None:
    ages = measured({0: 12, 50: 5, 100: 2}, (10, 0))
    assert ages.percentile(0) == 0 and ages.percentile(50) == 0.5 and ages.percentile(100) == 0.8
    assert ages.rank(0.5) == 50


def test_what_was_not_measured_is_refused() -> None:
    quartiles = measured({75: 6, 25: 2})
    assert quartiles.percentile(50) == 0.4 and quartiles.rank(0) == 25 and quartiles.rank(1) == 75
    for percent in (10, 76, float("nan")):
        with pytest.raises(AtlasError, match="25 to 75"):
            quartiles.percentile(percent)
    for ask in (Scale(grades=(0, 1)).percentile, Scale(grades=(0, 1)).rank):
        with pytest.raises(AtlasError, match="no quantiles"):
            ask(0.5)


@pytest.mark.parametrize("grades", [{0: 3, 100: 2}, {0: 3}, {-1: 0, 50: 2}, {0: 1, 101: 2}, {0: 1, 50: float("nan")}])
def test_malformed_quantiles_are_refused(grades: dict[float, float]) -> None:
    with pytest.raises(ValidationError):
        measured(grades)


@given(
    st.dictionaries(st.integers(0, 100), st.integers(-2, 12), min_size=2),
    st.lists(st.floats(0, 1), min_size=2, max_size=2),
)
def test_both_ways_are_monotone_and_undo_each_other(found: dict[int, int], pair: list[float]) -> None:
    scale = measured(dict(zip(sorted(found), sorted(found.values()), strict=True)))
    low, high = min(found), max(found)
    first, second = sorted(pair)
    at, after = (min(low + share * (high - low), high) for share in (first, second))
    assert scale.percentile(at) <= scale.percentile(after)
    assert low <= scale.rank(first) <= scale.rank(second) <= high
    inside = min(max(first, scale.percentile(low)), scale.percentile(high))
    assert scale.percentile(scale.rank(inside)) == pytest.approx(inside, abs=1e-9)
