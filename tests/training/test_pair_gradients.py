from __future__ import annotations

import torch

from amgan.data.patches import Batch
from amgan.training.config import TrainConfig
from amgan.training.losses import pixel_loss
from amgan.training.pair_gradients import change_critic_gradients, pair_gradients

from .small import given, gradients


def test_on_grafts_neither_networks_losses_reach_the_other(smallest: TrainConfig, six: Batch) -> None:
    critic = smallest.critic.model_copy(update={"kind": "change", "depth": 2})
    a_pass = given(smallest.model_copy(update={"critic": critic}), six)
    nets = a_pass.nets
    losses, made = pair_gradients(a_pass)
    of_generator = gradients(nets.generator)
    assert any(g.any() for g in of_generator) and not gradients(nets.critic) and not made.requires_grad
    assert all(p.requires_grad for p in nets.critic.parameters())
    change_critic_gradients(a_pass, made)
    assert len(gradients(nets.critic)) == len(list(nets.critic.parameters()))
    assert all(torch.equal(a, b) for a, b in zip(of_generator, gradients(nets.generator), strict=True))
    # A new generator changes nothing, and misses what is wanted by all of it.
    assert torch.equal(made, six.image) and losses["g_pair_pixel"] == pixel_loss(six.image, six.wanted)
