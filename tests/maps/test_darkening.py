"""Grey hair that gets its colour back, on strands that are drawn."""

import itertools

import numpy as np
import pytest

from amgan.maps.darkening import darkened, newly_dark, pigment
from amgan.maps.greying import grey_share

SIDE = 256
BROWN = np.float32((0.2, 0.15, 0.12))


@pytest.fixture(scope="module")
def hair() -> np.ndarray:
    """(256, 256, 3) in -1..1, grey strands that run down."""
    across = np.random.default_rng(0).uniform(0.45, 0.75, (1, SIDE, 1))
    grey = np.broadcast_to(across * (1.0, 0.98, 0.95), (SIDE, SIDE, 3))
    return np.asarray(2 * grey - 1, np.float32)


def younger(picture: np.ndarray, share: float, mask: np.ndarray | None = None) -> np.ndarray:
    everywhere = np.ones((SIDE, SIDE), np.float32)
    return darkened(picture, everywhere if mask is None else mask, share * everywhere, (0, 0), SIDE, BROWN)


def luma(picture: np.ndarray) -> np.ndarray:
    return np.asarray((picture + 1) / 2 @ np.array([0.299, 0.587, 0.114]))


def chroma(picture: np.ndarray) -> float:
    rgb = (picture + 1) / 2
    return float(((rgb.max(axis=2) - rgb.min(axis=2)) / rgb.max(axis=2)).mean())


def test_hair_grows_darker_and_browner_by_and_by(hair: np.ndarray) -> None:
    lights = [float(luma(younger(hair, share)).mean()) for share in (0, 0.25, 0.5, 0.75, 1)]
    colours = [chroma(younger(hair, share)) for share in (0, 0.25, 0.5, 0.75, 1)]
    assert all(low < high for high, low in itertools.pairwise(lights)) and lights[-1] < 0.5 * lights[0]
    assert all(low < high for low, high in itertools.pairwise(colours)) and colours[-1] > 3 * colours[0]


def test_strands_stay_and_nothing_gets_lighter(hair: np.ndarray) -> None:
    found = younger(hair, 1.0)
    before, after = luma(hair), luma(found)
    assert np.corrcoef(np.log(before.mean(axis=0)), np.log(after.mean(axis=0)))[0, 1] > 0.8
    assert (after <= before + 1e-5).all()


def test_what_is_no_hair_or_stays_grey_stays_bit_for_bit(hair: np.ndarray) -> None:
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[:, :100] = 1
    found = younger(hair, 1.0, mask)
    assert np.array_equal(found[:, 100:], hair[:, 100:]) and not np.array_equal(found[:, :100], hair[:, :100])
    assert np.array_equal(younger(hair, 0.0), hair)


def test_blond_hair_stays_blond(hair: np.ndarray) -> None:
    blond = (2 * (hair + 1) / 2 * (1.0, 0.75, 0.45) - 1).astype(np.float32)
    assert np.array_equal(younger(blond, 1.0), blond)


def test_a_white_cap_stays_white(hair: np.ndarray) -> None:
    capped = (0.6 * (hair + 1) - 1).astype(np.float32)
    capped[:100] = 0.9
    found = younger(capped, 1.0)
    assert np.array_equal(found[:70], capped[:70]) and luma(found)[140:].mean() < 0.6 * luma(capped)[140:].mean()


def test_the_colour_is_brown_and_darker_on_dark_skin() -> None:
    fair, dark = pigment((210, 160, 140), (60, 40, 30)), pigment((90, 60, 45), (25, 18, 15))
    assert (np.diff(fair) < 0).all() and (np.diff(dark) < 0).all() and dark.max() < fair.min()
    # Brows that have gone grey do not tell.
    assert pigment((210, 160, 140), (190, 190, 190)).max() < 0.35


def test_only_who_should_be_grey_gets_darker() -> None:
    assert newly_dark(80, 30) == 1 and newly_dark(30, 20) == 0 and newly_dark(60, 70) == 0
    assert newly_dark(80, 60) == pytest.approx(1 - grey_share(60)) and newly_dark(45, 25) < 0.2
