"""Critics with three outputs: realness, place of the patch, aging map of the patch (paper 3.2 and Fig. 4).

`ConvCritic` is the paper's, learned from scratch. `FeatureCritic` judges realness on the frozen features of an
ImageNet trunk and finds place and map with a trunk of its own that starts from the same weights: with a thousand
photos a critic from scratch finds skin colour before it finds wrinkles.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

from amgan.models.backbone import CHANNELS, Trunk, pretrained_trunk
from amgan.models.texture import VIEWS

# The critic's aging map is regressed at this resolution, so that coarse zones are not punished (paper 3.3).
MAP_SIZE = 10
# What a change is shown times to the critic "change": most are of a few grey levels.
CHANGE_GAIN = 10.0


class CriticConfig(BaseModel):
    """Everything that defines a critic.

    Attributes:
        kind: "features" (ImageNet trunk), "conv" (the paper's, from scratch), or "change" (from scratch too, shown
            what was changed beside what came of it; of grafts).
        map_channels: Channels of the aging map.
        base_channels: Width of the first layer ("conv", "change") or of each realness head ("features").
        depth: Strided layers ("conv", "change").
        conditional: "features" only: the realness heads are given the aging and location maps too, so that they ask
            "is this real skin of this score in this place" and not only "is this real skin".
        scales: Not of "conv": the critic looks at the patch, at half of it, and so on, so many times; the layers reach
            no further than their pixels do, and folds are larger than pores.
        texture: "features" only: realness heads on VGG16 features too (`amgan.models.texture`): of half the patch from
            1 on, and with 2 the finer ones of a window of half its side at its own size as well; 0 for none.
        texture_window: Of half the patch a window of half its side too, another in each step, at a quarter of the cost.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["features", "conv", "change"] = "features"
    map_channels: int = Field(default=1, ge=1)
    base_channels: int = Field(default=64, ge=4)
    depth: int = Field(default=5, ge=2, le=7)
    conditional: bool = True
    scales: int = Field(default=1, ge=1, le=3)
    texture: int = Field(default=0, ge=0, le=2)
    texture_window: bool = False


class CriticOutput(NamedTuple):
    """What a critic says of patches.

    Attributes:
        realness: One (B, 1, h, w) map of raw scores a scale; high is real.
        location: (B, 2), x and y of the patch's centre in -1..1.
        aging_map: (B, C, 10, 10).
    """

    realness: tuple[Tensor, ...]
    location: Tensor
    aging_map: Tensor


class ConvCritic(nn.Module):
    """StarGAN's convolutional critic with three heads."""

    def __init__(self, config: CriticConfig) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        channels = 3
        for index in range(config.depth):
            out = min(config.base_channels * 2**index, 512)
            layers += [nn.Conv2d(channels, out, 4, 2, 1), nn.LeakyReLU(0.01)]
            channels = out
        self.trunk = nn.Sequential(*layers)
        self.realness = nn.Conv2d(channels, 1, 3, padding=1)
        self.location = nn.Linear(channels, 2)
        self.aging_map = nn.Conv2d(channels, config.map_channels, 3, padding=1)

    def forward(self, image: Tensor) -> CriticOutput:
        """Judges (B, 3, H, W) patches in -1..1."""
        x = self.trunk(image)
        grown = F.interpolate(x, size=(MAP_SIZE, MAP_SIZE), mode="bilinear", align_corners=False)
        return CriticOutput((self.realness(x),), self.location(x.mean(dim=(2, 3))), self.aging_map(grown))


class RealnessHeads(nn.Module):
    """One small unnormalised critic on each scale of frozen features (as in Sauer et al. 2021).

    Args:
        width: Of each.
        condition: Channels of the maps given beside the features; 0 for none.
        channels: Of each scale of the features.
    """

    def __init__(self, width: int, condition: int, channels: Sequence[int]) -> None:
        super().__init__()
        self.condition = condition
        self.heads = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(count + condition, width, 3, padding=1),
                nn.LeakyReLU(0.2),
                nn.Conv2d(width, width, 4, 2, 1),
                nn.LeakyReLU(0.2),
                nn.Conv2d(width, 1, 3, padding=1),
            )
            for count in channels
        )

    def forward(self, features: Sequence[Tensor], maps: Sequence[Tensor]) -> tuple[Tensor, ...]:
        """Scores of each scale, (B, 1, h, w).

        Args:
            features: Of the frozen trunks: of the patch, of its smaller sizes, of its texture.
            maps: For each of them the aging map, X and Y of what it was made of, (B, C, H, W); unused by unconditional
                heads.
        """
        if self.condition:
            features = [torch.cat([x, _fitted(m, x)], dim=1) for x, m in zip(features, maps, strict=True)]
        return tuple(head(x) for head, x in zip(self.heads, features, strict=True))


def _fitted(maps: Tensor, like: Tensor) -> Tensor:
    return F.adaptive_avg_pool2d(maps, (like.shape[-2], like.shape[-1])).to(like.dtype)


class MapHead(nn.Module):
    """Finds the aging map and the place of a patch, on a trunk that is fine-tuned with it."""

    def __init__(self, map_channels: int) -> None:
        super().__init__()
        self.trunk: Trunk = pretrained_trunk()
        self.mix = nn.Conv2d(CHANNELS[2] + CHANNELS[3], 128, 3, padding=1)
        self.aging_map = nn.Conv2d(128, map_channels, 3, padding=1)
        self.place = nn.Sequential(nn.Linear(CHANNELS[3], 128), nn.LeakyReLU(0.2), nn.Linear(128, 2))

    def forward(self, image: Tensor) -> tuple[Tensor, Tensor]:
        """Location (B, 2) and aging map (B, C, 10, 10) of patches (B, 3, H, W) in -1..1."""
        *_, fine, coarse = self.trunk(image)
        both = torch.cat([fine, F.interpolate(coarse, scale_factor=2.0, mode="nearest")], dim=1)
        found = self.aging_map(F.leaky_relu(self.mix(both), 0.2))
        return self.place(coarse.mean(dim=(2, 3))), F.adaptive_avg_pool2d(found, MAP_SIZE)


class FeatureCritic(nn.Module):
    """Realness on given frozen features; place and map from the picture itself.

    The frozen features are an argument, since the perceptual loss needs the same ones.
    """

    def __init__(self, config: CriticConfig) -> None:
        super().__init__()
        condition = config.map_channels + 2 if config.conditional else 0
        channels = CHANNELS * config.scales + sum(VIEWS[: config.texture], ())
        self.realness = RealnessHeads(config.base_channels, condition, channels)
        self.map_head = MapHead(config.map_channels)

    def forward(self, image: Tensor, features: Sequence[Tensor], maps: Sequence[Tensor]) -> CriticOutput:
        """Judges patches.

        Args:
            image: (B, 3, H, W) in -1..1, at the scale the map head knows.
            features: What the frozen trunks make of the same patches, each scale its own.
            maps: For each of them the aging map, X and Y of what it was made of, (B, C + 2, H, W).
        """
        location, found = self.map_head(image)
        return CriticOutput(self.realness(features, maps), location, found)


class ChangeCritic(nn.Module):
    """Three heads on what a picture became and what was changed for it.

    A change is a simple thing beside a face: lines on grey. So a critic from scratch learns from few photos what real
    lines look like, where one that sees the picture alone has all faces to learn first.

    """

    def __init__(self, config: CriticConfig) -> None:
        super().__init__()
        self.scales = nn.ModuleList(_ChangeScale(config) for _ in range(config.scales))

    def forward(self, before: Tensor, after: Tensor) -> tuple[CriticOutput, list[Tensor]]:
        """Judges what was made of patches.

        Args:
            before: (B, 3, H, W) in -1..1.
            after: The same patches, changed.

        Returns:
            The judgement, and every layer's features.
        """
        realness, places, maps, features = [], [], [], []
        # Faint lines are faint in grey levels too.
        x = torch.cat([after, CHANGE_GAIN * (after - before)], dim=1)
        for scale in self.scales:
            real, place, found, layers = scale(x)
            realness.append(real)
            places.append(place)
            maps.append(found)
            features += layers
            x = F.avg_pool2d(x, 2)
        found = torch.stack(maps).mean(dim=0)
        return CriticOutput(tuple(realness), torch.stack(places).mean(dim=0), found), features


class _ChangeScale(nn.Module):
    """The heads of one scale."""

    def __init__(self, config: CriticConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList()
        channels = 6
        for index in range(config.depth):
            out = min(config.base_channels * 2**index, 4 * config.base_channels)
            self.layers.append(nn.Conv2d(channels, out, 4, 2, 1))
            channels = out
        self.mix = nn.Conv2d(channels, channels, 3, padding=1)
        self.realness = nn.Conv2d(channels, 1, 3, padding=1)
        self.location = nn.Linear(channels, 2)
        self.aging_map = nn.Conv2d(channels, config.map_channels, 3, padding=1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor, list[Tensor]]:
        features = []
        for layer in self.layers:
            # In place: on processors memory is what takes the time.
            x = F.leaky_relu(layer(x), 0.2, inplace=True)
            features.append(x)
        x = F.leaky_relu(self.mix(x), 0.2, inplace=True)
        found = F.adaptive_avg_pool2d(self.aging_map(x), MAP_SIZE)
        return self.realness(x), self.location(x.mean(dim=(2, 3))), found, features
