"""Everything that learns, its optimisers, and the frozen trunks that judge features."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from amgan.models.backbone import CHANNELS, Trunk, channels_last, pretrained_trunk
from amgan.models.critic import ChangeCritic, ConvCritic, FeatureCritic
from amgan.models.generator import Generator
from amgan.models.grow import grow
from amgan.models.texture import TEXTURE_STRIDE, VIEWS, pretrained_texture_trunk
from amgan.training.config import Stage, TrainConfig

# Upper left corner of a window, pixels.
Corner = tuple[int, int]

Critic = ConvCritic | FeatureCritic | ChangeCritic
CRITICS: dict[str, type[Critic]] = {"conv": ConvCritic, "features": FeatureCritic, "change": ChangeCritic}

# Learning rates of the map head's trunk and of what is new in it.
MAP_RATES = (2e-4, 1e-3)


class Networks(nn.Module):
    """Generator, its moving average and critic, with their optimisers, and the frozen trunks."""

    def __init__(self, config: TrainConfig, map_channels: int) -> None:
        super().__init__()
        self.config = config
        shape = {"map_channels": map_channels}
        generator = config.generator.model_copy(update=shape)
        critic = config.critic.model_copy(update=shape)
        self.generator = Generator(generator)
        if critic.kind == "change":
            # Zeros come out at first, so no change or the memory's lines alike everywhere: pairs that differ in little
            # say soon where to begin, and noise hides that.
            for parameter in self.generator.output.parameters():
                nn.init.zeros_(parameter)
        self.ema = Generator(generator)
        self.ema.load_state_dict(self.generator.state_dict())
        self.ema.requires_grad_(False)
        self.critic: Critic = CRITICS[critic.kind](critic)
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
            # The map head is pretrained at full rate, then goes on at a part of it beside the generator.
            rates = zip((slow, fast), MAP_RATES, strict=True)
            self.map_optimiser = torch.optim.Adam([{"params": params, "lr": rate} for params, rate in rates])
        self.critic_optimiser = torch.optim.Adam(groups, stage.rate_of_critic, config.betas, fused=True)

    def put_on(self, device: torch.device) -> Networks:
        """Moves all of it to a device, the frozen trunks too."""
        self.to(device)
        for trunk in (*self._frozen, *self._texture):
            trunk.to(device)
        return self

    @property
    def optimisers(self) -> dict[str, torch.optim.Adam]:
        """By the names that checkpoints give them; the map head's with the feature critic alone."""
        names = ("generator_optimiser", "critic_optimiser", "map_optimiser")
        return {name: getattr(self, name) for name in names if hasattr(self, name)}

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
        half = F.avg_pool2d(picture, 2)
        if self.config.critic.texture_window:
            # On whole cells of the features here too.
            y, x = (place // 2 // TEXTURE_STRIDE * TEXTURE_STRIDE for place in corner)
            half = half[..., y : y + side // 2, x : x + side // 2]
        views = [half, picture[..., top : top + side, left : left + side]]
        return views[: self.config.critic.texture]

    def remember(self, patterns: npt.NDArray[np.float32]) -> None:
        """Lets a generator with a memory of lines begin with those of patterns (`LineMemory.remember`)."""
        for own in (self.generator, self.ema):
            if own.lines is not None:
                own.lines.remember(patterns)

    def start_from(self, finished: Generator) -> None:
        """Goes on with the generator of a finished model."""
        for own in (self.generator, self.ema):
            own.load_state_dict(finished.state_dict())

    def _generator_optimiser(self) -> torch.optim.Adam:
        # The rate is set before every step.
        return torch.optim.Adam(self.generator.parameters(), betas=self.config.betas, fused=True)

    def grow_to(self, stem: int) -> None:
        """Grows generator and average until their stem is `stem`; the generator's optimiser starts anew."""
        while self.generator.config.stem < stem:
            device = self.generator.output.weight.device
            grown = (grow(own.cpu(), self.config.seed) for own in (self.generator, self.ema))
            self.generator, self.ema = (channels_last(own).to(device) for own in grown)
            self.ema.requires_grad_(False)
            self.generator_optimiser = self._generator_optimiser()

    def set_rates(self, stage: Stage, left: float) -> None:
        """Learning rates where `left` of a stage, as a share of its steps, is left."""
        for group in self.generator_optimiser.param_groups:
            group["lr"] = stage.rate * left
        for group in self.critic_optimiser.param_groups:
            group["lr"] = stage.rate_of_critic * left

    def map_head_due(self, step: int) -> bool:
        """Whether the map head learns beside the generator at a step."""
        return isinstance(self.critic, FeatureCritic) and step % self.config.map_head_every == 0

    def penalty_due(self, step: int) -> bool:
        """Whether the critic's gradient penalty is computed at a step."""
        return isinstance(self.critic, ConvCritic) and step % self.config.penalty_every == 0

    def set_map_rates(self, factor: float) -> None:
        """Learning rates of the map head, as a part of `MAP_RATES`."""
        for group, rate in zip(self.map_optimiser.param_groups, MAP_RATES, strict=True):
            group["lr"] = rate * factor

    @torch.no_grad()
    def update_ema(self, images: int) -> None:
        """Moves the average towards the generator after a step of `images` images; buffers are copied."""
        keep = 0.5 ** (images / self.config.ema_images)
        for average, value in zip(self.ema.parameters(), self.generator.parameters(), strict=True):
            average.lerp_(value, 1 - keep)
        for buffer, new in zip(self.ema.buffers(), self.generator.buffers(), strict=True):
            buffer.copy_(new)
