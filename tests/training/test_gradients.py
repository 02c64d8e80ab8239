"""Whose gradients a pass leaves, and what real and made patches share."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from amgan.data.patches import Batch
from amgan.models.generator import GeneratorOutput
from amgan.training.config import TrainConfig
from amgan.training.draws import Draws
from amgan.training.gradients import (
    Made,
    as_map_head_sees,
    conv_critic_gradients,
    feature_critic_gradients,
    generator_gradients,
    map_head_gradients,
)

from .small import STAGE, given, gradients


def test_a_lazy_penalty_is_left_out_and_counts_more_when_it_comes(smallest: TrainConfig, six: Batch) -> None:
    critic = smallest.critic.model_copy(update={"kind": "conv", "depth": 3})
    config = smallest.model_copy(update={"critic": critic})

    def of(every: int, step: int) -> tuple[list[torch.Tensor], bool]:
        a_pass = given(config.model_copy(update={"penalty_every": every}), six, step)
        stats = conv_critic_gradients(a_pass, Made(six.image.flip(0)))
        return gradients(a_pass.nets.critic), "d_penalty" in stats

    (whole, has), (left_out, has_not), (lazy, has_again) = of(1, 3), of(4, 3), of(4, 4)
    assert (has, has_not, has_again) == (True, False, True)
    for every_step, without, at_once in zip(whole, left_out, lazy, strict=True):
        assert torch.allclose(at_once - without, 4 * (every_step - without), rtol=1e-3, atol=1e-4)
    assert any((every_step - without).abs().max() > 1e-3 for every_step, without in zip(whole, left_out, strict=True))


@pytest.mark.parametrize("kind", ["features", "conv"])
def test_neither_networks_losses_reach_the_other(
    smallest: TrainConfig, six: Batch, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    critic = smallest.critic.model_copy(update={"kind": kind, "depth": 3})
    a_pass = given(smallest.model_copy(update={"critic": critic}), six)
    nets, looked_at = a_pass.nets, list[torch.Tensor]()
    features = nets.features
    monkeypatch.setattr(nets, "features", lambda image: looked_at.append(image) or features(image))
    _, made = generator_gradients(a_pass)
    of_generator = gradients(nets.generator)
    assert of_generator and any(g.any() for g in of_generator) and not gradients(nets.critic)
    assert all(p.requires_grad for p in nets.critic.parameters())
    assert not made.image.requires_grad and not any(f.requires_grad for f in made.features + made.real_features)
    if kind == "conv":
        # It looks at pictures alone; the frozen trunk sees the cycled patches, for the perceptual loss.
        assert not any((made.features, made.real_features, made.asked, made.own))
        assert [len(image) for image in looked_at] == [3, 3]
    else:
        assert [len(image) for image in looked_at] == [6, 3, 6]
    if kind == "features":
        feature_critic_gradients(a_pass, made)
        assert not gradients(nets.critic.map_head)
        map_head_gradients(a_pass, made.image)
    else:
        conv_critic_gradients(a_pass, made)
    assert len(gradients(nets.critic)) == len(list(nets.critic.parameters()))
    after = gradients(nets.generator)
    assert all(torch.equal(a, b) for a, b in zip(of_generator, after, strict=True))
    assert not gradients(nets.ema) and not gradients(nets._frozen[0])


def test_what_is_made_unchanged_looks_to_the_critic_like_what_it_was_made_from(
    smallest: TrainConfig, six: Batch
) -> None:
    a_pass = given(smallest, six)
    nn.init.zeros_(a_pass.nets.generator.output.weight)
    nn.init.zeros_(a_pass.nets.generator.output.bias)
    losses, made = generator_gradients(a_pass)
    assert torch.equal(made.image, six.image) and losses["g_cycle_pixel"] == 0
    # The noise on what the features see is shared by all.
    assert all(torch.equal(a, b) for a, b in zip(made.features, made.real_features, strict=True))
    assert losses["g_cycle"] == pytest.approx(0, abs=1e-9)


def test_a_pass_that_moves_the_patch_finds_what_depends_on_the_grid_alone(smallest: TrainConfig, six: Batch) -> None:
    weights = smallest.weights.model_copy(update={"moved": 1.0})
    a_pass = given(smallest.model_copy(update={"weights": weights}), six)
    losses, _ = generator_gradients(a_pass)
    assert losses["g_moved"] > 0

    class Everywhere(nn.Module):
        """Does the same to every pixel; with X it gives away the side of the face."""

        config = a_pass.nets.generator.config

        def __init__(self, side: bool) -> None:
            super().__init__()
            self.gain, self.side = nn.Parameter(torch.tensor(0.5)), side

        def forward(self, image: torch.Tensor, target: torch.Tensor, place: torch.Tensor) -> GeneratorOutput:
            made = self.gain * image * target + self.side * place[:, :1]
            return GeneratorOutput(made, made, made[:, :1])

    a_pass.nets.generator = Everywhere(side=False)  # type: ignore[assignment]
    assert generator_gradients(a_pass)[0]["g_moved"] == 0
    a_pass.nets.generator = Everywhere(side=True)  # type: ignore[assignment]
    mirrored = [
        generator_gradients(replace(a_pass, draws=Draws(0, step, len(six.image))))[0]["g_moved"] for step in range(6)
    ]
    assert {bool(found > 1e-3) for found in mirrored} == {True, False}


def test_real_and_made_patches_reach_the_map_head_alike() -> None:
    stage = TrainConfig.model_validate({"data": ".", "stages": [STAGE | {"patch": 256, "map_patch": (48, 80)}]}).stages[
        0
    ]
    image = torch.rand(1, 3, 256, 256)
    draws = [Draws(0, step, batch=1) for step in (0, 0, *range(1, 20))]
    first, again, *others = (as_map_head_sees(image, stage, each) for each in draws)
    assert torch.equal(first, again)
    assert {view.shape[-1] for view in others} == {48, 64, 80}
    assert abs(float(first.mean() - image.mean())) < 0.02
