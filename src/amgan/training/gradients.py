"""Losses and gradients of one pass over a part of a batch (paper 3.5, Fig. 3 and 4). Nothing moves here."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional as F

from amgan.data.patches import Batch
from amgan.maps.change import HUE_CELLS, restrain, where_changed
from amgan.maps.targets import asked_map
from amgan.models.backbone import STRIDES
from amgan.models.critic import ChangeCritic, ConvCritic, FeatureCritic
from amgan.models.generator import GeneratorOutput
from amgan.training import losses
from amgan.training.config import Stage
from amgan.training.draws import Draws, Part
from amgan.training.eyes import eyes
from amgan.training.networks import Networks

if TYPE_CHECKING:
    from lightning_fabric import Fabric

# Scalars without gradient, on the networks' device.
Stats = dict[str, Tensor]

# Standard deviation of the noise on what the map head sees.
MAP_NOISE = 0.03
# Weight of L_Loc beside L_Age as the map head learns: places span twice what scores do, and it is there for the map.
MAP_LOCATION = 0.1


@dataclass(frozen=True)
class Pass:
    """What one pass works with.

    Attributes:
        fabric: Gives number format and backward.
        nets: Networks.
        stage: Sizes in force.
        batch: The part's patches, on the networks' device.
        cycled: How many patches of the whole batch go through the cycle.
        part: Which of the whole batch these are.
        draws: The part's random numbers.
        step: The step's number.
    """

    fabric: Fabric
    nets: Networks
    stage: Stage
    batch: Batch
    cycled: int
    part: Part
    draws: Draws
    step: int

    def backward(self, loss: Tensor) -> None:
        """Adds the gradients of a loss that is a mean over the part's patches."""
        self.fabric.backward(loss / self.stage.accumulate)


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
    location, seen = _location(given), eyes(nets, batch.image, draws)
    cycled = given.part.among_first(given.cycled)
    with given.fabric.autocast():
        made = _generated(given, batch.image, _asked(given, batch.source, batch.target), location)
        fake = _restrained(given, batch.image, made)
        # One pass of the frozen trunk a picture serves perceptual loss and `FeatureCritic`.
        looked_at = len(batch.image) if isinstance(critic, FeatureCritic) else cycled
        with torch.no_grad():
            real_features = seen.features(batch.image[:looked_at]) if looked_at else []
        if cycled:
            back = _asked(given, batch.target, batch.source)
            again = _aged(given, fake[:cycled], back[:cycled], location)
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
    given.backward(_weighted(given, parts))
    return _named("g", parts), left


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
        out = _output(given, batch.image, _asked(given, batch.source, batch.target), _location(given))
        fake = _restrained(given, batch.image, out.image)
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
    given.backward(_weighted(given, parts))
    made = fake.detach()
    # What a person who reads the log wants to know: how much of what is wanted is still missing.
    missing = (wanted - made).abs().mean() / (wanted - batch.image).abs().mean().clamp(min=losses.FAINT)
    return _named("g", parts) | {"g_missing": missing}, made


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
    given.backward(_weighted(given, parts))
    return _named("d", parts)


@torch.no_grad()
def made_patches(given: Pass) -> Made:
    """What the generator makes, for a critic that learns while the generator stands still."""
    nets, batch = given.nets, given.batch
    location, seen = _location(given), eyes(nets, batch.image, given.draws)
    with given.fabric.autocast():
        fake = _aged(given, batch.image, _asked(given, batch.source, batch.target), location)
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
    return _named("d", {"realness": loss})


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
    given.backward(_weighted(given, parts))
    if not given.nets.penalty_due(given.step):
        return _named("d", parts)
    mix = given.draws.uniform()[:, None, None, None]

    def realness(image: Tensor) -> Tensor:
        # Its inner gradients are not scaled as fp16 would want.
        with given.fabric.autocast() if config.precision != "fp16" else contextlib.nullcontext():
            return critic(image).realness[0].float()

    parts["penalty"] = losses.gradient_penalty(realness, batch.image, made.image, mix)
    given.backward(config.penalty_every * config.weights.penalty * parts["penalty"])
    return _named("d", parts)


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
    return _named("d", parts)


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


def mirrored(location: Tensor, draws: Draws) -> Tensor:
    """Location maps (B, 2, H, W) with the sign of X drawn anew for each patch."""
    sign = torch.where(draws.uniform() < 0.5, -1.0, 1.0)
    return location * torch.stack([sign, torch.ones_like(sign)], dim=1)[:, :, None, None]


def _location(given: Pass) -> Tensor:
    """The location maps of the pass."""
    location = given.batch.location
    return mirrored(location, given.draws) if given.nets.config.hide_side else location


def _asked(given: Pass, own: Tensor, target: Tensor) -> Tensor:
    """What the generator is given to make a target of patches that are as `own` says."""
    return asked_map(given.nets.generator.config.asks, own, target)


def _aged(given: Pass, image: Tensor, asked: Tensor, location: Tensor) -> Tensor:
    """The generator's picture of the first patches, of which only so much is changed as in use."""
    return _restrained(given, image, _generated(given, image, asked, location[: len(image)]))


def _generated(given: Pass, image: Tensor, asked: Tensor, location: Tensor) -> Tensor:
    """The generator's picture."""
    return _output(given, image, asked, location).image


def _output(given: Pass, image: Tensor, asked: Tensor, location: Tensor) -> GeneratorOutput:
    """All that the generator says."""
    generator = given.nets.generator
    out: GeneratorOutput = generator(image, asked, location if generator.config.location_maps else None)
    return out


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

    asked = _asked(given, batch.source, batch.target)
    place = turned(window(location))
    if mirror:
        place = place * place.new_tensor([-1.0, 1.0])[:, None, None]
    again = turned(_generated(given, turned(window(batch.image)), turned(window(asked)), place))
    # What lies near an edge is made without what lies beyond it.
    margin = side // 8
    editable, skin, zoned = (window(mask, margin) for mask in (batch.editable, batch.skin, batch.zoned))
    where = where_changed(editable, skin, zoned, given.nets.generator.config.guarded)
    inner = again[..., margin : side - margin, margin : side - margin]
    return losses.moved_loss(window(made, margin), inner, window(batch.image, margin), where)


def _restrained(given: Pass, image: Tensor, made: Tensor) -> Tensor:
    """A picture of the first patches of which only so much is changed as in use."""
    nets, batch, stage, count = given.nets, given.batch, given.stage, len(image)
    if not nets.config.restrained:
        return made
    guarded = nets.generator.config.guarded
    where = where_changed(batch.editable[:count], batch.skin[:count], batch.zoned[:count], guarded)
    cells = max(HUE_CELLS * stage.patch // stage.image_size, 1)
    return image + restrain(made - image, where, guarded, cells)


def _weighted(given: Pass, parts: dict[str, Tensor]) -> Tensor:
    """Sum of losses by their weights in the config."""
    weights = given.nets.config.weights
    return torch.stack([getattr(weights, name) * part for name, part in parts.items()]).sum()


def _named(network: str, parts: dict[str, Tensor]) -> Stats:
    return {f"{network}_{name}": part.detach() for name, part in parts.items()}
