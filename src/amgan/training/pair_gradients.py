"""Losses and gradients of one pass over grafts, pairs of which both sides are known (docs/training.md, "Grafts")."""

from __future__ import annotations

import torch
from torch import Tensor

from amgan.models.critic import ChangeCritic, CriticOutput
from amgan.training import losses
from amgan.training.eyes import eyes
from amgan.training.passes import Pass, Stats, named


def pair_gradients(given: Pass, judged: bool = True) -> Stats:
    """Gradients of the losses on grafts, of which it is known what is wanted.

    Args:
        given: Patches and what is wanted of them.
        judged: Whether critic and frozen trunk look at what the generator makes, and the critic learns; else the
            generator learns alone, of what is wanted.
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
    stats: Stats = {}
    if judged:
        seen = eyes(nets, batch.image, given.draws)
        with given.fabric.autocast():
            with torch.no_grad():
                known = seen.features(wanted)
            features = seen.features(fake)
            # Both networks' losses ask the same of the critic, so it is asked once.
            of_wanted, layers = critic(batch.image, wanted)
            of_fake, own_layers = critic(batch.image, fake)
        outside = nets.config.age_outside
        parts |= {
            "pair": losses.perceptual_distance(features, known),
            "realness": losses.generator_realness(of_fake.realness),
            "age": losses.age_loss(of_fake.aging_map, batch.target, outside + (1 - outside) * batch.zoned),
            "location": losses.location_loss(of_fake.location, batch.centre),
            "pair_match": losses.matching_loss(own_layers, [layer.detach() for layer in layers]),
        }
        learned = _critic_parts(given, of_wanted, of_fake)
        given.backward(given.weighted(learned), critic, again=True)
        stats = named("d", learned)
    given.backward(given.weighted(parts), nets.generator)
    # What a person who reads the log wants to know: how much of what is wanted is still missing.
    missing = (wanted - fake.detach()).abs().mean() / (wanted - batch.image).abs().mean().clamp(min=losses.FAINT)
    return named("g", parts) | {"g_missing": missing} | stats


def change_critic_gradients(given: Pass, made: Tensor) -> Stats:
    """Gradients of all three heads of a `ChangeCritic`, of what a generator made that stands still."""
    critic, batch = given.nets.critic, given.batch
    assert isinstance(critic, ChangeCritic) and batch.wanted is not None
    with given.fabric.autocast():
        of_wanted, _ = critic(batch.image, batch.wanted)
        of_fake, _ = critic(batch.image, made)
    parts = _critic_parts(given, of_wanted, of_fake)
    given.backward(given.weighted(parts))
    return named("d", parts)


def _critic_parts(given: Pass, of_wanted: CriticOutput, of_fake: CriticOutput) -> dict[str, Tensor]:
    return {
        "realness": losses.hinge_critic(of_wanted.realness, of_fake.realness),
        "age": losses.age_loss(of_wanted.aging_map, given.batch.target),
        "location": losses.location_loss(of_wanted.location, given.batch.centre),
    }
