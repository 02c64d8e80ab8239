"""One training step of generator and critic (paper 3.5, Fig. 3 and 4). Pure of files, clocks and printing."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from amgan.data.patches import Batch
from amgan.models.backbone import CHANNELS, STRIDES, Trunk, channels_last, pretrained_trunk
from amgan.models.change import HUE_CELLS, hue_kept, where_changed
from amgan.models.critic import ConvCritic, FeatureCritic
from amgan.models.generator import Generator
from amgan.models.grow import grow
from amgan.models.precision import in_bf16
from amgan.models.texture import TEXTURE_STRIDE, VIEWS, pretrained_texture_trunk
from amgan.training import losses
from amgan.training.config import Stage, TrainConfig

Stats = dict[str, float]
# Upper left corner of a window, pixels.
Corner = tuple[int, int]

# Standard deviation of the noise on what the map head sees.
MAP_NOISE = 0.03


class Networks(nn.Module):
    """Everything that learns, its optimisers, and the frozen trunk."""

    def __init__(self, config: TrainConfig, map_channels: int) -> None:
        super().__init__()
        self.config = config
        shape = {"map_channels": map_channels}
        generator = config.generator.model_copy(update=shape)
        critic = config.critic.model_copy(update=shape)
        self.generator = Generator(generator)
        self.ema = Generator(generator)
        self.ema.load_state_dict(self.generator.state_dict())
        self.ema.requires_grad_(False)
        self.critic: ConvCritic | FeatureCritic = (
            FeatureCritic(critic) if critic.kind == "features" else ConvCritic(critic)
        )
        channels_last(self)
        # In a list, so that the frozen trunk is in no state dict.
        self._frozen: list[Trunk] = [pretrained_trunk().requires_grad_(False)]
        self._texture = [pretrained_texture_trunk()] if config.critic.texture else []
        stage = config.stages[0]
        self.generator_optimiser = self._generator_optimiser()
        groups: list[dict[str, object]] = [{"params": list(self.critic.parameters())}]
        if isinstance(self.critic, FeatureCritic):
            slow = list(self.critic.map_head.trunk.parameters())
            chosen = {id(p) for p in slow}
            fast = [p for p in self.critic.map_head.parameters() if id(p) not in chosen]
            groups = [{"params": list(self.critic.realness.parameters())}]
            # The map head is pretrained at full rate, then goes on at a part of it beside the generator (FINDINGS 3).
            self.map_optimiser = torch.optim.Adam([{"params": slow, "lr": 2e-4}, {"params": fast, "lr": 1e-3}])
        self.critic_optimiser = torch.optim.Adam(groups, stage.critic_rate or stage.rate, config.betas)

    def autocast(self) -> torch.autocast:
        """The precision that the config asks of the networks."""
        return torch.autocast("cpu", torch.bfloat16, enabled=in_bf16(self.config.precision))

    def features(self, image: Tensor) -> list[Tensor]:
        """Features of the frozen ImageNet trunk: of a picture (B, 3, H, W), then of half of it and so on."""
        found = self._frozen[0](image)
        for _ in range(self.config.critic.scales - 1):
            image = F.avg_pool2d(image, 2)
            found = found + self._frozen[0](image)
        return found

    def texture(self, image: Tensor, corner: Corner) -> list[Tensor]:
        """Features by the frozen texture trunk of what it is shown of a picture (B, 3, H, W)."""
        shown = zip(self._texture_views(image, corner), VIEWS, strict=False)
        return [found for view, channels in shown for found in self._texture[0](view, len(channels))]

    def maps_of_features(self, maps: Tensor, corner: Corner) -> list[Tensor]:
        """For each of `features` and then of `texture` the maps (B, C, H, W) of what it was made of."""
        shown = zip(self._texture_views(maps, corner), VIEWS, strict=False)
        of_texture = [view for view, channels in shown for _ in channels]
        return [maps] * (len(CHANNELS) * self.config.critic.scales) + of_texture

    def _texture_views(self, picture: Tensor, corner: Corner) -> list[Tensor]:
        """Half the picture, and a window of half its side: as many of them as `critic.texture` says."""
        side = picture.shape[-1] // 2
        top, left = corner
        views = [F.avg_pool2d(picture, 2), picture[..., top : top + side, left : left + side]]
        return views[: self.config.critic.texture]

    def start_from(self, finished: Generator) -> None:
        """Goes on with the generator of a finished model."""
        for own in (self.generator, self.ema):
            own.load_state_dict(finished.state_dict())

    def _generator_optimiser(self) -> torch.optim.Adam:
        # The rate is set before every step.
        return torch.optim.Adam(self.generator.parameters(), betas=self.config.betas)

    def grow_to(self, stem: int) -> None:
        """Grows generator and average until their stem is `stem`; the generator's optimiser starts anew."""
        while self.generator.config.stem < stem:
            self.generator, self.ema = (channels_last(grow(g)) for g in (self.generator, self.ema))
            self.ema.requires_grad_(False)
            self.generator_optimiser = self._generator_optimiser()

    def set_rates(self, stage: Stage, left: float) -> None:
        """Learning rates where `left` of a stage, as a share of its steps, is left."""
        warm = min((1 - left) * stage.steps / stage.warm_up, 1) if stage.warm_up else 1
        for group in self.generator_optimiser.param_groups:
            group["lr"] = stage.rate * left * warm
        for group in self.critic_optimiser.param_groups:
            group["lr"] = (stage.critic_rate or stage.rate) * left

    @torch.no_grad()
    def update_ema(self, images: int) -> None:
        """Moves the average towards the generator after a step of `images` images; buffers are copied."""
        keep = 0.5 ** (images / self.config.ema_images)
        for average, value in zip(self.ema.parameters(), self.generator.parameters(), strict=True):
            average.lerp_(value, 1 - keep)
        for buffer, new in zip(self.ema.buffers(), self.generator.buffers(), strict=True):
            buffer.copy_(new)


def train_step(nets: Networks, batch: Batch, stage: Stage, step: int, random: torch.Generator) -> Stats:
    """Steps generator and critic once on one batch.

    Args:
        nets: Networks and optimisers; changed in place.
        batch: Patches and maps.
        stage: Rates and sizes in force.
        step: Its number.
        random: Source of all randomness in the step.

    Returns:
        Every loss by name.
    """
    config, weights = nets.config, nets.config.weights
    generator, critic = nets.generator, nets.critic
    autocast = nets.autocast()
    location = _mirrored(batch.location, random) if config.hide_side else batch.location
    corner = _corner(stage.patch, random)
    asked = nets.maps_of_features(torch.cat([batch.target, location], dim=1), corner)

    cycled = max(round(config.cycle_share * len(batch.image)), 1)

    def aged(image: Tensor, target: Tensor) -> Tensor:
        count = len(image)
        place = location[:count] if generator.config.location_maps else None
        made: Tensor = generator(image, target, place).image
        if not config.restrained:
            return made
        where = where_changed(batch.editable[:count], batch.skin[:count])
        change = where * (made - image)
        return image + hue_kept(change, where, max(HUE_CELLS * stage.patch // stage.image_size, 1))

    with autocast:
        fake = aged(batch.image, batch.target)
        again = aged(fake[:cycled], batch.source[:cycled])
        # One pass of the frozen trunk a picture serves perceptual loss and critic; the noise is shared by all three.
        grain = config.feature_noise * _noise(batch.image, random)
        with torch.no_grad():
            real_features = nets.features(batch.image + grain)
            real_texture = nets.texture(batch.image, corner)
        fake_features, fake_texture = nets.features(fake + grain), nets.texture(fake, corner)
        again_features = nets.features(again + grain[:cycled])
        critic.requires_grad_(False)
        if isinstance(critic, FeatureCritic):
            realness, place, found = critic(as_map_head_sees(fake, stage, random), fake_features + fake_texture, asked)
        else:
            realness, place, found = critic(fake)
        critic.requires_grad_(True)
    outside = config.age_outside
    parts = {
        "realness": losses.generator_realness(realness),
        "age": losses.age_loss(found, batch.target, outside + (1 - outside) * batch.zoned),
        "location": losses.location_loss(place, batch.centre),
        "cycle": losses.perceptual_distance(again_features, [f[:cycled] for f in real_features]),
        "cycle_pixel": F.l1_loss(again, batch.image[:cycled]),
        "tint": losses.tint_loss(fake, batch.image, batch.skin, stage.patch // 8),
    }
    total = torch.stack([getattr(weights, name) * part for name, part in parts.items()]).sum()
    nets.generator_optimiser.zero_grad(set_to_none=True)
    total.backward()
    nets.generator_optimiser.step()
    nets.update_ema(len(batch.image))

    stats = {f"g_{name}": float(part.detach()) for name, part in parts.items()}
    nets.critic_optimiser.zero_grad(set_to_none=True)
    if isinstance(critic, FeatureCritic):
        with autocast:
            own = nets.maps_of_features(torch.cat([batch.source, location], dim=1), corner)
            real_scores = critic.realness(real_features + real_texture, own)
            fake_scores = critic.realness([f.detach() for f in fake_features + fake_texture], asked)
        loss = losses.hinge_critic(real_scores, fake_scores)
        stats["d_realness"] = float(loss.detach())
        loss.backward()
        if step % config.map_head_every == 0:
            stats |= map_head_step(nets, batch, stage, random, config.map_head_rate, fake.detach())
    else:
        with autocast:
            real, made = critic(batch.image), critic(fake.detach())
        mix = torch.rand(len(fake), 1, 1, 1, generator=random)
        penalty = losses.gradient_penalty(lambda image: critic(image).realness[0], batch.image, fake, mix)
        d_parts = {
            "realness": losses.wasserstein_critic(real.realness, made.realness),
            "age": losses.age_loss(real.aging_map, batch.source),
            "location": losses.location_loss(real.location, batch.centre),
            "penalty": penalty,
        }
        stats |= {f"d_{name}": float(part.detach()) for name, part in d_parts.items()}
        torch.stack([getattr(weights, name) * part for name, part in d_parts.items()]).sum().backward()
    nets.critic_optimiser.step()
    return stats


def map_head_step(
    nets: Networks,
    batch: Batch,
    stage: Stage,
    random: torch.Generator,
    rate: float,
    fake: Tensor | None = None,
) -> Stats:
    """Teaches the feature critic's map head on real patches, and not to fall for made ones.

    Args:
        nets: Networks; only the map head is changed.
        batch: Patches and their own maps.
        stage: Gives the size the head sees.
        random: Source of all randomness in the step.
        rate: Factor on its learning rates (2e-4 for the trunk, 1e-3 for the head).
        fake: (B, 3, P, P) what the generator made of the patches.
    """
    assert isinstance(nets.critic, FeatureCritic)
    for group, base in zip(nets.map_optimiser.param_groups, (2e-4, 1e-3), strict=True):
        group["lr"] = base * rate
    autocast = nets.autocast()
    with autocast:
        place, found = nets.critic.map_head(as_map_head_sees(batch.image, stage, random))
    age = losses.age_loss(found, batch.source)
    location = losses.location_loss(place, batch.centre)
    total, stats = age + 0.1 * location, {"d_age": float(age.detach()), "d_location": float(location.detach())}
    if fake is not None and nets.config.map_head_fakes:
        with autocast:
            _, found = nets.critic.map_head(as_map_head_sees(fake, stage, random))
        fooled = losses.age_loss(found, batch.source)
        total = total + nets.config.map_head_fakes * fooled
        stats["d_age_fake"] = float(fooled.detach())
    nets.map_optimiser.zero_grad(set_to_none=True)
    total.backward()
    nets.map_optimiser.step()
    return stats


def as_map_head_sees(image: Tensor, stage: Stage, random: torch.Generator) -> Tensor:
    """Real and made patches alike: shrunk to one of the stage's sizes, with noise.

    Without either the generator finds patterns of single pixels that the head takes for wrinkles.
    """
    stride = STRIDES[-1]  # the head wants whole cells of its coarsest features
    least, most = (min(side, image.shape[-1]) // stride for side in stage.map_patch)
    side = stride * int(torch.randint(least, most + 1, (), generator=random))
    if side < image.shape[-1]:
        image = F.interpolate(image, size=(side, side), mode="bilinear", antialias=True)
    return image + MAP_NOISE * _noise(image, random)


def _mirrored(location: Tensor, random: torch.Generator) -> Tensor:
    """Location maps (B, 2, H, W) with the sign of X drawn anew for each patch."""
    sign = torch.randint(0, 2, (len(location),), generator=random) * 2 - 1
    return location * torch.stack([sign, torch.ones_like(sign)], dim=1)[:, :, None, None].to(location.dtype)


def _corner(patch: int, random: torch.Generator) -> Corner:
    """Where the texture trunk's window of half a patch lies: on whole cells of its features."""
    cells = patch // 2 // TEXTURE_STRIDE + 1
    top, left = (int(v) * TEXTURE_STRIDE for v in torch.randint(0, cells, (2,), generator=random))
    return top, left


def _noise(like: Tensor, random: torch.Generator) -> Tensor:
    return torch.randn(like.shape, generator=random)
