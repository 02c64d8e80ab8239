"""One training step of generator and critic (paper 3.5, Fig. 3 and 4). Pure of files, clocks and printing."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from amgan.data.patches import Batch
from amgan.models.backbone import Trunk, channels_last, pretrained_trunk
from amgan.models.critic import ConvCritic, FeatureCritic
from amgan.models.generator import Generator
from amgan.training import losses
from amgan.training.config import Stage, TrainConfig

Stats = dict[str, float]


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
        stage = config.stages[0]
        self.generator_optimiser = torch.optim.Adam(self.generator.parameters(), stage.rate, config.betas)
        groups: list[dict[str, object]] = [{"params": list(self.critic.parameters())}]
        if isinstance(self.critic, FeatureCritic):
            slow = list(self.critic.map_head.trunk.parameters())
            chosen = {id(p) for p in slow}
            fast = [p for p in self.critic.map_head.parameters() if id(p) not in chosen]
            groups = [{"params": list(self.critic.realness.parameters())}]
            # The map head is pretrained at full rate, then goes on at a tenth beside the generator (FINDINGS 3).
            self.map_optimiser = torch.optim.Adam([{"params": slow, "lr": 2e-4}, {"params": fast, "lr": 1e-3}])
        self.critic_optimiser = torch.optim.Adam(groups, stage.critic_rate or stage.rate, config.betas)

    @property
    def trunk(self) -> Trunk:
        """The frozen ImageNet trunk."""
        return self._frozen[0]

    def set_rates(self, stage: Stage, left: float) -> None:
        """Learning rates at a point of a stage."""
        for group in self.generator_optimiser.param_groups:
            group["lr"] = stage.rate * left
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


def train_step(nets: Networks, batch: Batch, stage: Stage, step: int, noise: Callable[[Tensor], Tensor]) -> Stats:
    """Steps generator and critic once on one batch.

    Args:
        nets: Networks and optimisers; changed in place.
        batch: Patches and maps.
        stage: Rates and sizes in force.
        step: Its number.
        noise: Gives standard normal noise in a tensor's shape.

    Returns:
        Every loss by name.
    """
    config, weights = nets.config, nets.config.weights
    generator, critic = nets.generator, nets.critic
    autocast = torch.autocast("cpu", torch.bfloat16, enabled=config.precision == "bf16")

    def aged(image: Tensor, target: Tensor) -> Tensor:
        location = batch.location if generator.config.location_maps else None
        return image + batch.editable * (generator(image, target, location).image - image)

    with autocast:
        fake = aged(batch.image, batch.target)
        again = aged(fake, batch.source)
        # One pass of the frozen trunk a picture serves perceptual loss and critic; the noise is shared by all three.
        grain = config.feature_noise * noise(batch.image)
        with torch.no_grad():
            real_features = nets.trunk(batch.image + grain)
        fake_features = nets.trunk(fake + grain)
        again_features = nets.trunk(again + grain)
        critic.requires_grad_(False)
        if isinstance(critic, FeatureCritic):
            realness = critic.realness(fake_features)
            place, found = critic.map_head(_shrunk(fake, stage.map_patch))
        else:
            realness, place, found = critic(fake)
        critic.requires_grad_(True)
    parts = {
        "realness": losses.generator_realness(realness),
        "age": losses.age_loss(found, batch.target),
        "location": losses.location_loss(place, batch.centre),
        "cycle": losses.perceptual_distance(again_features, real_features),
        "cycle_pixel": F.l1_loss(again, batch.image),
        "tint": losses.tint_loss(fake, batch.image, stage.patch // 8),
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
            real_scores = critic.realness(real_features)
            fake_scores = critic.realness([f.detach() for f in fake_features])
        loss = losses.hinge_critic(real_scores, fake_scores)
        stats["d_realness"] = float(loss.detach())
        loss.backward()
        if step % config.map_head_every == 0:
            stats |= map_head_step(nets, batch, stage, noise, rate=0.1)
    else:
        with autocast:
            real, made = critic(batch.image), critic(fake.detach())
        penalty = losses.gradient_penalty(
            lambda image: critic(image).realness[0], batch.image, fake, torch.rand(len(fake), 1, 1, 1)
        )
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


def map_head_step(nets: Networks, batch: Batch, stage: Stage, noise: Callable[[Tensor], Tensor], rate: float) -> Stats:
    """Teaches the feature critic's map head on real patches alone.

    Args:
        nets: Networks; only the map head is changed.
        batch: Patches and their own maps.
        stage: Gives the size the head sees.
        noise: Gives standard normal noise in a tensor's shape.
        rate: Factor on its learning rates (2e-4 for the trunk, 1e-3 for the head).
    """
    assert isinstance(nets.critic, FeatureCritic)
    for group, base in zip(nets.map_optimiser.param_groups, (2e-4, 1e-3), strict=True):
        group["lr"] = base * rate
    with torch.autocast("cpu", torch.bfloat16, enabled=nets.config.precision == "bf16"):
        seen = _shrunk(batch.image, stage.map_patch)
        place, found = nets.critic.map_head(seen + 0.03 * noise(seen))
    age = losses.age_loss(found, batch.source)
    location = losses.location_loss(place, batch.centre)
    nets.map_optimiser.zero_grad(set_to_none=True)
    (age + 0.1 * location).backward()
    nets.map_optimiser.step()
    return {"d_age": float(age.detach()), "d_location": float(location.detach())}


def _shrunk(image: Tensor, size: int) -> Tensor:
    return image if image.shape[-1] <= size else F.adaptive_avg_pool2d(image, size)
