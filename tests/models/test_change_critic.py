import pytest
import torch

from amgan.models.critic import CHANGE_GAIN, MAP_SIZE, ChangeCritic, CriticConfig


@pytest.mark.parametrize("scales", [1, 2])
def test_it_has_three_heads_and_a_judgement_a_scale(scales: int) -> None:
    critic = ChangeCritic(CriticConfig(kind="change", map_channels=2, base_channels=8, depth=3, scales=scales))
    before, after = torch.rand(2, 2, 3, 64, 64)
    (realness, location, aging_map), features = critic(before, after)
    assert [tuple(r.shape) for r in realness] == [(2, 1, 8, 8), (2, 1, 4, 4)][:scales]
    assert location.shape == (2, 2) and aging_map.shape == (2, 2, MAP_SIZE, MAP_SIZE)
    assert len(features) == 3 * scales and features[0].shape == (2, 8, 32, 32)


def test_it_sees_a_change_larger_than_the_picture_it_is_in() -> None:
    critic = ChangeCritic(CriticConfig(kind="change", base_channels=8, depth=2))
    seen: list[torch.Tensor] = []
    critic.scales[0].layers[0].register_forward_pre_hook(lambda _, given: seen.append(given[0]))
    before = torch.rand(1, 3, 32, 32)
    after = before + 0.01
    critic(before, after)
    assert torch.equal(seen[0][:, :3], after)
    assert torch.allclose(seen[0][:, 3:], torch.full((1, 3, 32, 32), 0.01 * CHANGE_GAIN), atol=1e-5)
