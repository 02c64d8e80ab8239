"""What generators are built of: norms, the encoder's residual block and the decoder's SPADE block."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

# Of every leaky ReLU.
SLOPE = 0.2


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
    if kind == "none":
        return nn.Identity()
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
