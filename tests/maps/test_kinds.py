import pytest
import torch

from amgan.maps.aging import aging_map
from amgan.maps.kinds import count_channels, draw_map

CHANNELS = (0, 0, 1)
ZONES, HEAD = torch.rand(2, 3, 8, 8), torch.ones(2, 8, 8)
SCORES, AGE = torch.rand(2, 3), torch.tensor([0.3, 0.6])


def test_zones_are_the_papers_map() -> None:
    found = draw_map("zones", ZONES, HEAD, SCORES, AGE, CHANNELS)
    assert torch.equal(found, aging_map(ZONES, HEAD, SCORES, AGE, CHANNELS))


def test_scores_and_age_are_uniform_and_know_no_place() -> None:
    scores = draw_map("scores", ZONES, HEAD, SCORES, AGE, CHANNELS)
    assert torch.equal(scores, torch.cat([SCORES, AGE[:, None]], 1)[:, :, None, None].expand(2, 4, 8, 8))
    age = draw_map("age", ZONES, HEAD, SCORES, AGE, CHANNELS)
    assert age.shape == (2, 1, 8, 8) and (age[1] == AGE[1]).all()


@pytest.mark.parametrize("kind", ["zones", "scores", "age"])
def test_the_count_is_that_of_the_map(kind) -> None:
    assert count_channels(kind, CHANNELS) == draw_map(kind, ZONES, HEAD, SCORES, AGE, CHANNELS).shape[1]
