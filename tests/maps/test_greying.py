"""Grey hair, on strands that are drawn."""

import itertools

import numpy as np
import pytest

from amgan.maps.greying import grey_share, greyed, newly_grey

SIDE = 256


@pytest.fixture(scope="module")
def hair() -> np.ndarray:
    """(256, 256, 3) in -1..1, brown strands that run down."""
    across = np.random.default_rng(0).uniform(0.1, 0.3, (1, SIDE, 1))
    brown = np.broadcast_to(across * (1.0, 0.7, 0.45), (SIDE, SIDE, 3))
    return np.asarray(2 * brown - 1, np.float32)


def aged(picture: np.ndarray, share: float, mask: np.ndarray | None = None) -> np.ndarray:
    everywhere = np.ones((SIDE, SIDE), np.float32)
    return greyed(picture, everywhere if mask is None else mask, share * everywhere, (0, 0), SIDE)


def luma(picture: np.ndarray) -> np.ndarray:
    return np.asarray((picture + 1) / 2 @ np.array([0.299, 0.587, 0.114]))


def chroma(picture: np.ndarray) -> float:
    return float((picture.max(axis=2) - picture.min(axis=2)).mean() / 2)


def test_hair_grows_lighter_and_loses_its_colour_by_and_by(hair: np.ndarray) -> None:
    lights = [float(luma(aged(hair, share)).mean()) for share in (0, 0.25, 0.5, 0.75, 1)]
    colours = [chroma(aged(hair, share)) for share in (0, 0.25, 0.5, 0.75, 1)]
    assert all(low < high for low, high in itertools.pairwise(lights)) and lights[-1] > 2 * lights[0]
    assert all(high > low for high, low in itertools.pairwise(colours)) and colours[-1] < 0.3 * colours[0]


def test_half_grey_hair_has_strands_of_both_kinds(hair: np.ndarray) -> None:
    # Of one strand of the photo, along which nothing differs: of the noise alone.
    found = (luma(aged(hair, 0.5)) - luma(hair))[32:-32, 32:-32]
    assert found.min() < 0.04 and found.max() > 0.15
    # They are longer than they are wide.
    middle = found - found.mean(axis=0)
    down, right = (float((middle * np.roll(middle, 4, axis=axis)).mean()) for axis in (0, 1))
    assert down > 2 * abs(right)


def test_no_strands_are_drawn_where_the_photo_shows_none() -> None:
    smooth = np.full((SIDE, SIDE, 3), -0.8, np.float32)
    smooth[..., 2] -= 0.1
    found = luma(aged(smooth, 0.5))
    assert found.std(axis=1).max() < 0.01 < found.mean() - luma(smooth).mean()


def test_strands_and_waves_stay_in_grey_hair(hair: np.ndarray) -> None:
    before, after = luma(hair), luma(aged(hair, 1.0))
    assert np.corrcoef(np.log(before.mean(axis=0)), np.log(after.mean(axis=0)))[0, 1] > 0.9


def test_hair_that_lies_in_the_dark_stays_there() -> None:
    unlit = np.full((SIDE, SIDE, 3), -1 + 2 * 0.005, np.float32)
    unlit[:, SIDE // 2 :] = -1 + 2 * 0.1
    before, after = luma(unlit), luma(aged(unlit, 1.0))
    dark, lit = (slice(64, -64), slice(0, 64)), (slice(64, -64), slice(-64, None))
    assert after[dark].mean() < 0.05 and after[lit].mean() > 4 * before[lit].mean()


def test_grey_hair_has_no_black_between_its_strands() -> None:
    even, glossy = (
        2 * np.broadcast_to(light * (1.0, 0.8, 0.7), (SIDE, SIDE, 3)).astype(np.float32) - 1
        for light in (
            np.random.default_rng(0).uniform(0.18, 0.22, (1, SIDE, 1)),
            np.exp(np.random.default_rng(0).uniform(np.log(0.03), np.log(0.4), (1, SIDE, 1))),
        )
    )

    def contrast(picture: np.ndarray) -> float:
        return float(np.log(luma(picture)[32:-32, 32:-32] + 0.03).std())

    assert contrast(aged(glossy, 1.0)) < 0.6 * contrast(glossy)
    assert contrast(aged(even, 1.0)) > 0.8 * contrast(even)


def test_what_is_no_hair_stays_bit_for_bit(hair: np.ndarray) -> None:
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[:, :100] = 1
    found = aged(hair, 1.0, mask)
    assert np.array_equal(found[:, 100:], hair[:, 100:]) and not np.array_equal(found[:, :100], hair[:, :100])
    assert np.array_equal(aged(hair, 0.0), hair)


def test_skin_between_strands_and_white_hair_stay() -> None:
    light = np.full((SIDE, SIDE, 3), -0.8, np.float32)
    light[:, ::16] = 0.7
    found = aged(light, 1.0)
    assert np.abs(found - light)[:, ::16].max() < 0.05 and (found - light)[:, 8::16].mean() > 0.2
    # Never darker than it was.
    assert (luma(found) >= luma(light) - 1e-5).all()


def test_a_sky_behind_hair_stays_and_hair_in_the_sun_does_not(hair: np.ndarray) -> None:
    for colour, kept in (((0.92, 0.94, 0.97), True), ((1.0, 0.93, 0.7), False)):
        before = hair.copy()
        before[60:100, 60:100] = 2 * np.array(colour, np.float32) - 1
        # A single strand may gleam as much.
        before[:, 180] = 2 * np.array((0.92, 0.94, 0.97), np.float32) - 1
        change = np.abs(aged(before, 1.0) - before).max(axis=2)
        assert bool(change[64:96, 64:96].max() == 0) is kept
        assert change[:, 180].min() > 0.02 and change[120:, :180].min() > 0.1


def test_a_part_is_greyed_like_the_whole(hair: np.ndarray) -> None:
    whole = aged(hair, 0.5)
    rows, columns = slice(60, 200), slice(40, 220)
    here = np.ones((140, 180), np.float32)
    part = greyed(hair[rows, columns], here, 0.5 * here, (60, 40), SIDE)
    assert np.abs(part - whole[rows, columns])[40:-40, 40:-40].mean() < 0.03


def test_temples_go_first(hair: np.ndarray) -> None:
    rise = (luma(aged(hair, 0.4)) - luma(hair)).mean(axis=1)
    assert rise[100:130].mean() > 1.1 * rise[:20].mean()


def test_a_pixel_that_is_partly_skin_is_greyed_by_its_share() -> None:
    brown, skin = np.float32((0.2, 0.14, 0.1)), np.float32((0.84, 0.67, 0.59))
    share = np.concatenate([np.ones(120), np.linspace(1, 0, 12), np.zeros(SIDE - 132)]).astype(np.float32)
    mixed = share[:, None] * brown + (1 - share[:, None]) * skin
    picture = np.broadcast_to((2 * mixed - 1)[None], (SIDE, SIDE, 3)).astype(np.float32)
    grey = aged(picture, 1.0, np.broadcast_to(share[None], (SIDE, SIDE)).astype(np.float32))
    lights = luma(grey).mean(axis=0)
    # From grey hair to skin it grows lighter and warmer: neither a dark rim nor a bright one, and nothing turns blue.
    assert (np.diff(lights[100:140]) > -0.03).all() and lights[100] > 1.5 * luma(picture)[0, 100]
    warmth = (grey[..., 0] - grey[..., 2]).mean(axis=0)
    assert (np.diff(warmth[100:140]) > -0.02).all() and warmth.min() > 0
    assert np.array_equal(grey[:, 140:], picture[:, 140:])


def test_a_share_of_what_is_left_goes_grey() -> None:
    assert newly_grey(20, 90) == 1 and newly_grey(60, 40) == 0 and newly_grey(50, 50) == 0
    assert newly_grey(50, 65) == pytest.approx((grey_share(65) - grey_share(50)) / (1 - grey_share(50)))
    assert newly_grey(90, 95) == 0
