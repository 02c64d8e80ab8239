"""Losses and gradients of one pass over grafts, pairs of which both sides are known (docs/training.md, "Grafts")."""

from __future__ import annotations

import torch
from torch import Tensor

from amgan.models.critic import ChangeCritic
from amgan.training import losses
from amgan.training.eyes import eyes
from amgan.training.passes import Pass, Stats, named


def pair_gradients(given: Pass, judged: bool = True) -> tuple[Stats, Tensor]:
    """Gradients of the generator's losses on grafts, of which it is known what is wanted; and what it made.

    Args:
        given: Patches and what is wanted of them.
        judged: Whether what the critic and the frozen trunk make of them counts too.
    """
    nets, batch = given.nets, given.batch
    critic, wanted = nets.critic, batch.wanted
    assert isinstance(critic, ChangeCritic) and wanted is not None
    with given.fabric.autocast():
        out = given.output(batch.image, given.asked(batch.source, batch.target), given.location())
        fake = given.restrained(batch.image, out.image)
    parts = {"pair_pixel": losses.pixel_loss(fake, wanted)}
    if out.skin is not None:
        assert batch.bare is not None
        parts["skin"] = losses.skin_loss(out.skin, batch.bare)
    if judged:
        seen = eyes(nets, batch.image, given.draws)
        with given.fabric.autocast():
            critic.requires_grad_(False)
            with torch.no_grad():
                known, (_, layers) = seen.features(wanted), critic(batch.image, wanted)
            features = seen.features(fake)
            (realness, place, found), own_layers = critic(batch.image, fake)
            critic.requires_grad_(True)
        outside = nets.config.age_outside
        parts |= {
            "pair": losses.perceptual_distance(features, known),
            "realness": losses.generator_realness(realness),
            "age": losses.age_loss(found, batch.target, outside + (1 - outside) * batch.zoned),
            "location": losses.location_loss(place, batch.centre),
            "pair_match": losses.matching_loss(own_layers, layers),
        }
    given.backward(given.weighted(parts))
    made = fake.detach()
    # What a person who reads the log wants to know: how much of what is wanted is still missing.
    missing = (wanted - made).abs().mean() / (wanted - batch.image).abs().mean().clamp(min=losses.FAINT)
    return named("g", parts) | {"g_missing": missing}, made


def change_critic_gradients(given: Pass, made: Tensor) -> Stats:
    """Gradients of all three heads of a `ChangeCritic`."""
    critic, batch = given.nets.critic, given.batch
    assert isinstance(critic, ChangeCritic) and batch.wanted is not None
    with given.fabric.autocast():
        (real, place, found), _ = critic(batch.image, batch.wanted)
        (fake, *_), _ = critic(batch.image, made)
    parts = {
        "realness": losses.hinge_critic(real, fake),
        "age": losses.age_loss(found, batch.target),
        "location": losses.location_loss(place, batch.centre),
    }
    given.backward(given.weighted(parts))
    return named("d", parts)
