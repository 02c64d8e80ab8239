import numpy as np
import pytest
import torch

from amgan.data.draw import Draw
from amgan.signs.atlas import unit_atlas

ATLAS = unit_atlas()
ZONES = len(ATLAS.zones)


def draw_of(count: int = 10, **options: float) -> Draw:
    random = torch.Generator().manual_seed(0)
    return Draw(ATLAS, torch.rand(count, ZONES, generator=random), torch.linspace(0, 1, count), **options)


@pytest.mark.parametrize(("balance", "old"), [(True, 1 / 2), (False, 1 / 6)])
def test_the_old_are_drawn_as_often_as_the_young_if_ages_are_balanced(balance: bool, old: float) -> None:
    ages = torch.tensor([0.15] * 50 + [0.85] * 10)
    draw = Draw(ATLAS, torch.zeros(60, ZONES), ages, balance_ages=balance)
    picks = draw.faces(np.random.default_rng(0), 20_000)
    assert set(picks.tolist()) == set(range(60))
    assert (picks >= 50).mean() == pytest.approx(old, abs=0.015)


def test_nobody_is_drawn_more_than_ten_times_as_often_as_another() -> None:
    draw = Draw(ATLAS, torch.zeros(1001, ZONES), torch.tensor([0.15] * 1000 + [0.85]))
    assert (draw.faces(np.random.default_rng(0), 50_000) == 1000).mean() == pytest.approx(1 / 101, abs=0.003)


def test_targets_are_of_three_kinds() -> None:
    draw, rng, zones = draw_of(), np.random.default_rng(0), np.zeros((ZONES, 4, 4), np.float32)
    kinds = {"another's": 0, "mixed": 0, "even": 0}
    for _ in range(2000):
        scores, age = draw.target(rng, 3, zones)
        assert scores.shape == (ZONES,) and scores.dtype == np.float32 and 0 <= age <= 1
        whose = [set(np.flatnonzero(draw.scores[:, zone] == scores[zone])) for zone in range(ZONES)]
        if set.intersection(*whose):
            kinds["another's"] += 1
        elif all(whose):
            assert len(set.union(*whose) - {3}) == 1
            kinds["mixed"] += 1
        elif len(set(scores.tolist())) == 1:
            assert age == scores[0]
            kinds["even"] += 1
    # A tenth is even by default; a mix with oneself is one's own.
    assert kinds["another's"] / 2000 == pytest.approx(0.5 + 0.03, abs=0.04)
    assert kinds["mixed"] / 2000 == pytest.approx(0.27, abs=0.04)
    assert kinds["even"] / 2000 == pytest.approx(0.1, abs=0.03)


def test_as_many_targets_are_even_as_are_asked_for() -> None:
    draw, rng, zones = draw_of(alone=0.2, even=0.75), np.random.default_rng(0), np.zeros((ZONES, 4, 4), np.float32)
    levels = [
        float(age)
        for scores, age in (draw.target(rng, 3, zones) for _ in range(2000))
        if len({*scores.tolist(), float(age)}) == 1
    ]
    assert len(levels) / 2000 == pytest.approx(0.8 * 0.75, abs=0.04)
    assert np.quantile(levels, [0.1, 0.9]) == pytest.approx([0.1, 0.9], abs=0.05)


def test_one_sign_alone_moves_in_its_zones_and_nothing_else() -> None:
    draw, rng = draw_of(alone=1.0), np.random.default_rng(0)
    zones = np.zeros((ZONES, 8, 8), np.float32)
    shown = [ATLAS.zones.index(zone) for zone in ATLAS.zones_of("crows_feet")]
    zones[shown] = 1.0
    sides = []
    for pick in [0, 1, 2, 3] * 12:
        scores, age = draw.target(rng, pick, zones)
        changed = scores != draw.scores[pick]
        assert age == draw.ages[pick] and not np.delete(changed, shown).any()
        sides.append(int(changed.sum()))
    assert set(sides) == {1, 2}


def test_one_side_alone_is_one_that_shows() -> None:
    draw, rng = draw_of(), np.random.default_rng(0)
    zones = np.zeros((ZONES, 8, 8), np.float32)
    both = [ATLAS.zones.index(f"crows_feet.{side}") for side in ("left", "right")]
    zones[both[0]] = 1
    drawn = [draw.one_sign(rng, zones) for _ in range(40)]
    assert sorted(map(len, drawn))[0] == 1 and all(places in (both, both[:1]) for places in drawn)


def test_a_patch_without_signs_is_asked_for_one_out_of_sight() -> None:
    draw = draw_of(alone=1.0)
    scores, _ = draw.target(np.random.default_rng(0), 0, np.zeros((ZONES, 8, 8), np.float32))
    assert 1 <= int((scores != draw.scores[0]).sum()) <= 2
