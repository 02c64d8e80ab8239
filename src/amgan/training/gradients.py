"""Losses and gradients of one pass over a part of a batch (paper 3.5, Fig. 3 and 4). Nothing moves here."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from amgan.maps.change import where_changed
from amgan.models.backbone import STRIDES
from amgan.models.critic import ConvCritic, FeatureCritic
from amgan.training import losses
from amgan.training.config import Stage
from amgan.training.draws import Draws
from amgan.training.eyes import eyes
from amgan.training.passes import Pass, Stats, named

# Standard deviation of the noise on what the map head sees.
MAP_NOISE = 0.03
# Weight of L_Loc beside L_Age as the map head learns: places span twice what scores do, and it is there for the map.
MAP_LOCATION = 0.1


@dataclass(frozen=True)
class Made:
    """What the generator's pass leaves to the critic's, without gradients.

    Attributes:
        image: (B, 3, P, P), the patches it made.
        features: Of them, by the frozen trunks; this and what follows for a `FeatureCritic` alone, else empty.
        real_features: Of the real patches.
        asked: Beside each of the features the maps (B, C + 2, H, W) of what was asked for.
        own: Beside each of the features the maps of the photo as it is.
    """

    image: Tensor
    features: Sequence[Tensor] = ()
    real_features: Sequence[Tensor] = ()
    asked: Sequence[Tensor] = ()
    own: Sequence[Tensor] = ()


def generator_gradients(given: Pass) -> tuple[Stats, Made]:
    """Gradients of the generator's losses."""
    nets, batch, stage, draws = given.nets, given.batch, given.stage, given.draws
    config, critic = nets.config, nets.critic
    location, seen = given.location(), eyes(nets, batch.image, draws)
    cycled = given.part.among_first(given.cycled)
    with given.fabric.autocast():
        made = given.output(batch.image, given.asked(batch.source, batch.target), location).image
        fake = given.restrained(batch.image, made)
        # One pass of the frozen trunk a picture serves perceptual loss and `FeatureCritic`.
        looked_at = len(batch.image) if isinstance(critic, FeatureCritic) else cycled
        with torch.no_grad():
            real_features = seen.features(batch.image[:looked_at]) if looked_at else []
        if cycled:
            back = given.asked(batch.target, batch.source)
            again = given.aged(fake[:cycled], back[:cycled], location)
            again_features = seen.features(again)
        critic.requires_grad_(False)
        if isinstance(critic, FeatureCritic):
            with torch.no_grad():
                of_real = real_features + seen.texture(batch.image)
            of_fake, asked = seen.features(fake) + seen.texture(fake), seen.beside(batch.target, location)
            realness, place, found = critic(as_map_head_sees(fake, stage, draws), of_fake, asked)
            features = [f.detach() for f in of_fake]
            left = Made(fake.detach(), features, of_real, asked, seen.beside(batch.source, location))
        else:
            realness, place, found = critic(fake)
            left = Made(fake.detach())
        critic.requires_grad_(True)
        moved = _moved(given, made, location) if config.weights.moved else fake.new_zeros(())
    cycle = cycle_pixel = fake.new_zeros(())
    if cycled:
        # Of the whole batch's cycled patches a part may have more or less than its share.
        share = cycled * given.part.count / given.cycled
        cycle = share * losses.perceptual_distance(again_features, [f[:cycled] for f in real_features])
        cycle_pixel = share * F.l1_loss(again, batch.image[:cycled])
    outside = config.age_outside
    parts = {
        "realness": losses.generator_realness(realness),
        "age": losses.age_loss(found, batch.target, outside + (1 - outside) * batch.zoned),
        "location": losses.location_loss(place, batch.centre),
        "cycle": cycle,
        "cycle_pixel": cycle_pixel,
        "tint": losses.tint_loss(fake, batch.image, batch.skin, stage.patch // 8),
        "moved": moved,
    }
    given.backward(given.weighted(parts))
    return named("g", parts), left


@torch.no_grad()
def made_patches(given: Pass) -> Made:
    """What the generator makes, for a critic that learns while the generator stands still."""
    nets, batch = given.nets, given.batch
    location, seen = given.location(), eyes(nets, batch.image, given.draws)
    with given.fabric.autocast():
        fake = given.aged(batch.image, given.asked(batch.source, batch.target), location)
        if not isinstance(nets.critic, FeatureCritic):
            return Made(fake)
        real, made = (seen.features(image) + seen.texture(image) for image in (batch.image, fake))
        return Made(fake, made, real, seen.beside(batch.target, location), seen.beside(batch.source, location))


def feature_critic_gradients(given: Pass, made: Made) -> Stats:
    """Gradients of the realness heads of a `FeatureCritic`."""
    critic = given.nets.critic
    assert isinstance(critic, FeatureCritic)
    with given.fabric.autocast():
        real_scores = critic.realness(made.real_features, made.own)
        fake_scores = critic.realness(made.features, made.asked)
    loss = losses.hinge_critic(real_scores, fake_scores)
    given.backward(loss)
    return named("d", {"realness": loss})


def conv_critic_gradients(given: Pass, made: Made) -> Stats:
    """Gradients of all three heads of a `ConvCritic`, and of its penalty."""
    critic, batch, config = given.nets.critic, given.batch, given.nets.config
    assert isinstance(critic, ConvCritic)
    with given.fabric.autocast():
        real, fake = critic(batch.image), critic(made.image)
    parts = {
        "realness": losses.wasserstein_critic(real.realness, fake.realness),
        "age": losses.age_loss(real.aging_map, batch.source),
        "location": losses.location_loss(real.location, batch.centre),
    }
    given.backward(given.weighted(parts))
    if not given.nets.penalty_due(given.step):
        return named("d", parts)
    mix = given.draws.uniform()[:, None, None, None]

    def realness(image: Tensor) -> Tensor:
        # Its inner gradients are not scaled as fp16 would want.
        with given.fabric.autocast() if config.precision != "fp16" else contextlib.nullcontext():
            return critic(image).realness[0].float()

    parts["penalty"] = losses.gradient_penalty(realness, batch.image, made.image, mix)
    given.backward(config.penalty_every * config.weights.penalty * parts["penalty"])
    return named("d", parts)


def map_head_gradients(given: Pass, fake: Tensor | None = None) -> Stats:
    """Gradients of a `FeatureCritic`'s map head on real patches, and, so that it does not fall for them, on made ones.

    Args:
        given: Patches and their own maps.
        fake: (B, 3, P, P) what the generator made of the patches.
    """
    nets, batch = given.nets, given.batch
    assert isinstance(nets.critic, FeatureCritic)
    with given.fabric.autocast():
        place, found = nets.critic.map_head(as_map_head_sees(batch.image, given.stage, given.draws))
    parts = {"age": losses.age_loss(found, batch.source), "location": losses.location_loss(place, batch.centre)}
    total = parts["age"] + MAP_LOCATION * parts["location"]
    if fake is not None and nets.config.map_head_fakes:
        with given.fabric.autocast():
            _, found = nets.critic.map_head(as_map_head_sees(fake, given.stage, given.draws))
        parts["age_fake"] = losses.age_loss(found, batch.source)
        total = total + nets.config.map_head_fakes * parts["age_fake"]
    given.backward(total)
    return named("d", parts)


def as_map_head_sees(image: Tensor, stage: Stage, draws: Draws) -> Tensor:
    """Real and made patches alike: shrunk to one of the stage's sizes, with noise.

    Without either the generator finds patterns of single pixels that the head takes for wrinkles.
    """
    stride = STRIDES[-1]  # the head wants whole cells of its coarsest features
    least, most = (min(side, image.shape[-1]) // stride for side in stage.map_patch)
    side = stride * draws.integer(least, most)
    if side < image.shape[-1]:
        image = F.interpolate(image, size=(side, side), mode="bilinear", antialias=True)
    return image + MAP_NOISE * draws.normal(image)


def _moved(given: Pass, made: Tensor, location: Tensor) -> Tensor:
    """How far the generator's picture depends on where the patch begins, and on its side of the face."""
    batch, draws, multiple = given.batch, given.draws, given.nets.generator.config.multiple
    side = given.stage.patch - multiple
    top, left = draws.integer(0, multiple - 1), draws.integer(0, multiple - 1)
    mirror = draws.integer(0, 1)

    def window(picture: Tensor, margin: int = 0) -> Tensor:
        return picture[..., top + margin : top + side - margin, left + margin : left + side - margin]

    def turned(picture: Tensor) -> Tensor:
        return picture.flip(-1) if mirror else picture

    asked = given.asked(batch.source, batch.target)
    place = turned(window(location))
    if mirror:
        place = place * place.new_tensor([-1.0, 1.0])[:, None, None]
    again = turned(given.output(turned(window(batch.image)), turned(window(asked)), place).image)
    # What lies near an edge is made without what lies beyond it.
    margin = side // 8
    editable, skin, zoned = (window(mask, margin) for mask in (batch.editable, batch.skin, batch.zoned))
    where = where_changed(editable, skin, zoned, given.nets.generator.config.guarded)
    inner = again[..., margin : side - margin, margin : side - margin]
    return losses.moved_loss(window(made, margin), inner, window(batch.image, margin), where)
