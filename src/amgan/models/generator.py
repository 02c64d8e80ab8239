"""The generator: a fully convolutional encoder with a SPADE decoder and an attention mask (paper 3.2, METHOD 5).

It sees a picture at any size divisible by `GeneratorConfig.multiple`, an aging map and the two location maps, and
predicts a colour change and where to apply it.

Shape of the network, and why: full-resolution convolutions are where the time goes on a CPU, so the stem folds
`stem` x `stem` pixels into channels and the trunk never works above H/stem. The way back up is nearest-neighbour
upsampling and convolution with the picture fed in again at each size; a pixel-shuffle output printed a grid.
"""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from amgan.models.generator_config import GeneratorConfig as GeneratorConfig
from amgan.models.generator_config import check_shapes

# Of every leaky ReLU.
SLOPE = 0.2


class GeneratorOutput(NamedTuple):
    """What one call of the generator returns.

    Attributes:
        image: (B, 3, H, W), the picture plus attention times change; not clipped, about -1..1.
        change: (B, 3, H, W) in -2..2, the predicted colour change.
        attention: (B, 1, H, W) in 0..1, where it applies.
    """

    image: Tensor
    change: Tensor
    attention: Tensor


class ChannelNorm(nn.Module):
    """Layer norm over the channels of each pixel; with channels-last memory this is the fused kernel on a view."""

    def __init__(self, channels: int, affine: bool) -> None:
        super().__init__()
        self.channels = channels
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None

    def forward(self, x: Tensor) -> Tensor:
        """Normalises (B, C, H, W)."""
        y = F.layer_norm(x.permute(0, 2, 3, 1), (self.channels,), self.weight, self.bias)
        return y.permute(0, 3, 1, 2)


def _norm(kind: str, channels: int, affine: bool) -> nn.Module:
    return ChannelNorm(channels, affine) if kind == "layer" else nn.InstanceNorm2d(channels, affine=affine)


class ResidualBlock(nn.Module):
    """Pre-activation residual block of the encoder; halves the resolution."""

    def __init__(self, channels: int, out: int, norm: str) -> None:
        super().__init__()
        self.norm1, self.norm2 = _norm(norm, channels, True), _norm(norm, channels, True)
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, out, 3, padding=1)
        self.shortcut = nn.Conv2d(channels, out, 1, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, H, W) → (B, out, H/2, W/2)."""
        y = F.avg_pool2d(self.conv1(F.leaky_relu(self.norm1(x), SLOPE)), 2)
        y = self.conv2(F.leaky_relu(self.norm2(y), SLOPE))
        # Divided by sqrt(2) so that the variance does not grow from block to block.
        return (self.shortcut(F.avg_pool2d(x, 2)) + y) / 2**0.5


class Spade(nn.Module):
    """Spatially adaptive normalisation (Park et al. 2019): the maps at this scale set gain and bias per pixel."""

    def __init__(self, channels: int, condition: int, hidden: int, norm: str) -> None:
        super().__init__()
        self.norm = _norm(norm, channels, False)
        self.shared = nn.Conv2d(condition, hidden, 3, padding=1)
        self.gain = nn.Conv2d(hidden, channels, 3, padding=1)
        self.bias = nn.Conv2d(hidden, channels, 3, padding=1)

    def forward(self, x: Tensor, maps: Tensor) -> Tensor:
        """Normalises (B, channels, H, W) as the maps (B, condition, H, W) say."""
        hidden = F.relu(self.shared(maps))
        return self.norm(x) * (1 + self.gain(hidden)) + self.bias(hidden)


class SpadeBlock(nn.Module):
    """Pre-activation residual block with SPADE; optionally doubles the resolution first."""

    def __init__(self, channels: int, out: int, condition: int, hidden: int, norm: str, up: bool) -> None:
        super().__init__()
        self.up = up
        self.spade1 = Spade(channels, condition, hidden, norm)
        self.spade2 = Spade(out, condition, hidden, norm)
        self.conv1 = nn.Conv2d(channels, out, 3, padding=1)
        self.conv2 = nn.Conv2d(out, out, 3, padding=1)
        self.shortcut = nn.Conv2d(channels, out, 1, bias=False) if channels != out else nn.Identity()

    def forward(self, x: Tensor, maps: Tensor, maps_out: Tensor) -> Tensor:
        """(B, channels, H, W) → (B, out, H, W), or twice as large; the maps are as large as what goes in and out."""
        # Project before upsampling: a 1x1 convolution commutes with it and costs a quarter.
        short = self.shortcut(x)
        y = F.leaky_relu(self.spade1(x, maps), SLOPE)
        if self.up:
            y, short = (F.interpolate(t, scale_factor=2.0, mode="nearest") for t in (y, short))
        y = self.conv1(y)
        y = self.conv2(F.leaky_relu(self.spade2(y, maps_out), SLOPE))
        return (short + y) / 2**0.5


class Generator(nn.Module):
    """Ages a picture as an aging map says.

    Example:
        >>> generator = Generator(GeneratorConfig(base_channels=8, blocks=1))
        >>> image, maps = torch.zeros(1, 3, 64, 96), torch.zeros(1, 1, 64, 96)
        >>> generator(image, maps, torch.zeros(1, 2, 64, 96)).image.shape
        torch.Size([1, 3, 64, 96])
    """

    def __init__(self, config: GeneratorConfig) -> None:
        super().__init__()
        self.config = config
        base, hidden, norm = config.base_channels, config.condition_channels, config.norm
        condition = config.map_channels + (2 if config.location_maps else 0)
        widths = [base * 2**i for i in range(config.depth + 1)]
        self.stem = nn.Conv2d(3 * config.stem**2, base, 3, padding=1)
        self.encoder = nn.ModuleList(ResidualBlock(a, b, norm) for a, b in itertools.pairwise(widths))
        bottom = [SpadeBlock(widths[-1], widths[-1], condition, hidden, norm, False) for _ in range(config.blocks)]
        rising = widths[::-1]
        up = [SpadeBlock(a, b, condition, hidden, norm, True) for a, b in itertools.pairwise(rising)]
        self.decoder = nn.ModuleList(bottom + up)
        self.fuse = SpadeBlock(base, base, condition, hidden, norm, False)
        # From H/stem to H: each step doubles the size, halves the width and sees the picture at its new size.
        steps = config.stem.bit_length() - 1
        outs = [max(base // 2 ** (i + 1), min(base, 16)) for i in range(steps)]
        ins = [base, *outs[:-1]] if outs else []
        self.head = nn.ModuleList(nn.Conv2d(a + 3, b, 3, padding=1) for a, b in zip(ins, outs, strict=True))
        self.output = nn.Conv2d(outs[-1] if outs else base, 4, 3, padding=1)

    def forward(self, image: Tensor, aging_map: Tensor, location: Tensor | None = None) -> GeneratorOutput:
        """Ages a patch or a whole picture.

        Args:
            image: (B, 3, H, W) sRGB in -1..1; H and W divisible by ``config.multiple``.
            aging_map: (B, map_channels, H, W) target scores in 0..1.
            location: (B, 2, H, W) X and Y maps in -1..1; None if and only if the config has no location maps.

        Returns:
            The aged picture, its change and its attention.

        Raises:
            ValueError: A shape does not fit.
        """
        check_shapes(self.config, image, aging_map, location)
        maps = self._conditions(aging_map, location)
        x = self.stem(F.pixel_unshuffle(image, self.config.stem))
        skip = x
        for block in self.encoder:
            x = block(x)
        # Halvings that the decoder works at, before its first block and after each.
        levels = [self.config.depth] * (self.config.blocks + 1) + list(range(self.config.depth))[::-1]
        for block, (before, after) in zip(self.decoder, itertools.pairwise(levels), strict=True):
            x = block(x, maps[before], maps[after])
        x = self.fuse((x + skip) / 2**0.5, maps[0], maps[0])
        for index, conv in enumerate(self.head):
            x = F.interpolate(F.leaky_relu(x, SLOPE), scale_factor=2.0, mode="nearest")
            shrink = 2 ** (len(self.head) - 1 - index)
            seen = F.avg_pool2d(image, shrink) if shrink > 1 else image
            x = conv(torch.cat([x, seen.to(x.dtype)], dim=1))
        out = self.output(F.leaky_relu(x, SLOPE)).float()
        change, attention = 2 * torch.tanh(out[:, :3] / 2), torch.sigmoid(out[:, 3:])
        return GeneratorOutput(image + attention * change, change, attention)

    @torch.inference_mode()
    def aged(
        self,
        image: npt.NDArray[np.float32],
        aging_map: npt.NDArray[np.float32],
        location: npt.NDArray[np.float32] | None,
        bf16: bool = False,
    ) -> npt.NDArray[np.float32]:
        """The aged picture as an array; arguments and errors are those of `forward`, as arrays.

        Args:
            image: (B, 3, H, W) float32.
            aging_map: (B, map_channels, H, W) float32.
            location: (B, 2, H, W) float32, or None.
            bf16: Whether to compute in bfloat16.
        """
        tensor = torch.from_numpy(image).contiguous(memory_format=torch.channels_last)
        places = None if location is None else torch.from_numpy(location)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            out: npt.NDArray[np.float32] = self(tensor, torch.from_numpy(aging_map), places).image.numpy()
        return out

    def _conditions(self, aging_map: Tensor, location: Tensor | None) -> list[Tensor]:
        """The maps at every size the decoder works at, from that behind the stem down."""
        maps = aging_map if location is None else torch.cat([aging_map, location], dim=1)
        scales = [F.avg_pool2d(maps, self.config.stem)]
        for _ in range(self.config.depth):
            scales.append(F.avg_pool2d(scales[-1], 2))
        return scales
