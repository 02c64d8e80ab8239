from __future__ import annotations

import torch

from amgan.data.patches import Batch
from amgan.training.config import TrainConfig
from amgan.training.losses import pixel_loss
from amgan.training.pair_gradients import change_critic_gradients, pair_gradients

from .small import given, gradients


def test_on_grafts_neither_networks_losses_reach_the_other(smallest: TrainConfig, six: Batch) -> None:
    critic = smallest.critic.model_copy(update={"kind": "change", "depth": 2})
    config = smallest.model_copy(update={"critic": critic})

    def found(**weights: float) -> tuple[list[torch.Tensor], list[torch.Tensor], dict[str, torch.Tensor]]:
        changed = config.weights.model_copy(update=weights)
        a_pass = given(config.model_copy(update={"weights": changed}), six)
        stats = pair_gradients(a_pass)
        return gradients(a_pass.nets.generator), gradients(a_pass.nets.critic), stats

    of_generator, of_critic, stats = found()
    assert any(g.any() for g in of_generator) and any(g.any() for g in of_critic)
    # A new generator changes nothing, and misses what is wanted by all of it.
    assert stats["g_pair_pixel"] == pixel_loss(six.image, six.wanted)
    # What is asked of the generator alone: the critic hears nothing of it, and the other way round.
    other_generator, same_critic, _ = found(pair_match=100.0, pair_pixel=0.0)
    assert all(torch.equal(a, b) for a, b in zip(of_critic, same_critic, strict=True))
    assert not all(torch.equal(a, b) for a, b in zip(of_generator, other_generator, strict=True))


def test_the_critic_learns_alone_what_it_learns_beside_the_generator(smallest: TrainConfig, six: Batch) -> None:
    critic = smallest.critic.model_copy(update={"kind": "change", "depth": 2})
    beside, alone = (given(smallest.model_copy(update={"critic": critic}), six) for _ in range(2))
    pair_gradients(beside)
    # A new generator changes nothing.
    change_critic_gradients(alone, six.image)
    assert not gradients(alone.nets.generator)
    for one, other in zip(gradients(beside.nets.critic), gradients(alone.nets.critic), strict=True):
        torch.testing.assert_close(one, other)
