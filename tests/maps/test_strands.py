"""Where hair is in a picture, to its edges, and what has no colour of hair."""

import numpy as np
import pytest

from amgan.maps.strands import hair_strands

SIDE = 256


def test_a_mask_follows_the_edge_in_the_photo() -> None:
    rgb = np.full((SIDE, SIDE, 3), 200, np.uint8)
    rgb[:, :129] = 30
    coarse = np.zeros((64, 64), np.float32)
    coarse[:, :32] = 1  # a pixel short of the edge
    found = hair_strands(rgb, coarse, SIDE)
    assert found[:, 128].min() > 2 * found[:, 129].max() and found[:, 134].max() < 0.2 and found[:, 200:].max() == 0


@pytest.mark.parametrize("colour", [(180, 30, 50), (200, 30, 30), (230, 40, 20), (40, 60, 160), (60, 150, 50)])
def test_a_cap_that_is_no_hairs_colour_is_none(colour: tuple[int, int, int]) -> None:
    rgb = np.full((SIDE, SIDE, 3), colour, np.uint8)
    assert hair_strands(rgb, np.ones((64, 64), np.float32), SIDE).max() == 0


@pytest.mark.parametrize(
    "colour", [(20, 20, 24), (60, 40, 30), (120, 42, 32), (150, 80, 45), (220, 190, 140), (190, 190, 195)]
)
def test_hair_is_of_any_natural_colour(colour: tuple[int, int, int]) -> None:
    rgb = np.full((SIDE, SIDE, 3), colour, np.uint8)
    assert hair_strands(rgb, np.ones((64, 64), np.float32), SIDE).min() > 0.99
