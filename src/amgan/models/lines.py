"""Lines that come, out of a memory, and lines that go, off a face's own relief.

Convolutions hardly make a sharp line from nothing, nor one that cancels another. They are quick to tell where skin is
bare and what is a crease. So both are made here, and a network says how much of them at each place.
"""

from __future__ import annotations

import itertools
import math

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from amgan.data.grafts.hair import WHITE
from amgan.data.grafts.relief import DARK, LUMA

# The blurs that part lines, creases, folds and the light: how much smaller a picture is made, the deviation in
# pixels of a face of 1024; and how far they reach, pixels of what was made smaller.
WIDTHS, REACH = ((1, 2.5), (4, 8.0), (8, 22.0)), 7
# How soon all that a network would take away may go: at a quarter of the scale.
SOON = 4
# Middle and half the side of the square of a mean face that is remembered, where a picture goes from -1 to 1.
MIDDLE, HALF = (0.0, 0.14), 0.86


class LineMemory(nn.Module):
    """Reliefs on a mean face (`amgan.data.grafts.relief`), one a channel of the aging map.

    A convolutional generator can hardly make a sharp line from nothing, and where wrinkles run is much alike on all
    faces. What is remembered is learned like any weight.

    Args:
        side: Of the memory, pixels.
        map_channels: Of the aging map.

    Example:
        >>> memory = LineMemory(16, 2)
        >>> memory(torch.ones(1, 2, 8, 8), torch.zeros(1, 2, 8, 8)).shape
        torch.Size([1, 3, 8, 8])
    """

    def __init__(self, side: int, map_channels: int) -> None:
        super().__init__()
        self.reliefs = nn.Parameter(torch.zeros(1, 3 * map_channels, side, side))
        self.register_buffer("middle", torch.tensor(MIDDLE)[:, None, None], persistent=False)
        self.middle: Tensor

    @torch.no_grad()
    def remember(self, pattern: npt.NDArray[np.float32]) -> None:
        """Begins with known lines.

        Args:
            pattern: (map_channels, S, S, 3), reliefs on the picture of the mean face.
        """
        side = self.reliefs.shape[-1]
        steps = (torch.arange(side) + 0.5) * (2 / side) - 1
        grid = torch.stack(torch.meshgrid(steps * HALF + MIDDLE[0], steps * HALF + MIDDLE[1], indexing="xy"), dim=-1)
        reliefs = torch.from_numpy(pattern).permute(0, 3, 1, 2).flatten(0, 1)[None]
        self.reliefs.copy_(F.grid_sample(reliefs, grid[None], align_corners=False))

    def forward(self, asked: Tensor, places: Tensor) -> Tensor:
        """The relief that is asked for.

        Args:
            asked: (B, map_channels, H, W) in -1..1, how much more of each sign. Of less nothing is drawn: what lines a
                face has to lose are its own.
            places: (B, 2, H, W), X and Y on the mean face.

        Returns:
            (B, 3, H, W), logarithms of light, for `laid`.
        """
        grid = ((places - self.middle) / HALF).permute(0, 2, 3, 1)
        found = F.grid_sample(self.reliefs.expand(grid.shape[0], -1, -1, -1), grid.float(), align_corners=False)
        return (found.unflatten(1, (-1, 3)) * asked[:, :, None].clamp(min=0)).sum(dim=1)


class OwnRelief(nn.Module):
    """The relief of the picture itself, in bands from pores to folds, for a network to take away; and its greying.

    Attributes:
        bands: How many of them there are.

    Example:
        >>> OwnRelief()(torch.zeros(1, 3, 32, 32)).shape
        torch.Size([1, 4, 3, 32, 32])
    """

    bands = len(WIDTHS) + 1

    def __init__(self) -> None:
        super().__init__()
        for index, (shrink, deviation) in enumerate(WIDTHS):
            steps = torch.arange(-REACH, REACH + 1) / (deviation / shrink)
            weights = (-(steps**2) / 2).exp()
            self.register_buffer(f"weights{index}", weights / weights.sum(), persistent=False)

    def forward(self, image: Tensor) -> Tensor:
        """The bands.

        Args:
            image: (B, 3, H, W) in -1..1; H and W divisible by 8.

        Returns:
            (B, bands, 3, H, W), logarithms of light: lines, creases and folds in grey, then spots by their hue.
        """
        # In half precision a logarithm has no room for fine lines.
        with torch.autocast(image.device.type, enabled=False):
            logs, light = _logs(image)
            levels = [light, *(self._blurred(light, index) for index in range(len(WIDTHS)))]
            grey = [(one - next_).expand_as(logs) for one, next_ in itertools.pairwise(levels)]
            hue = logs - light
            spots = self._blurred(hue, 0) - self._blurred(hue, len(WIDTHS) - 1)
            return torch.stack([*grey, spots], dim=1)

    def grey(self, image: Tensor) -> Tensor:
        """What to add to the logarithms of a picture (B, 3, H, W) for hair to be white, its strands kept."""
        with torch.autocast(image.device.type, enabled=False):
            logs, light = _logs(image)
            white = (math.log(WHITE + DARK) + math.log(2) - self._blurred(light, 1)).clamp(min=0)
            return white - (logs - light)

    def _blurred(self, picture: Tensor, index: int) -> Tensor:
        """(B, C, H, W) with one of the blurs; wide ones are made small, where they look the same."""
        shrink, _ = WIDTHS[index]
        weights: Tensor = getattr(self, f"weights{index}")
        size = picture.shape[-2:]
        # Each channel as a picture of its own: convolutions of groups are slow on processors.
        small = picture.flatten(0, 1)[:, None]
        small = F.avg_pool2d(small, shrink) if shrink > 1 else small
        small = F.pad(small, (REACH,) * 4, mode="replicate")
        for shape in ((1, 1, 1, -1), (1, 1, -1, 1)):
            small = F.conv2d(small, weights.view(shape))
        small = F.interpolate(small, size=size, mode="bilinear", align_corners=False) if shrink > 1 else small
        return small.view_as(picture)


def _logs(image: Tensor) -> tuple[Tensor, Tensor]:
    """Logarithms of a picture (B, 3, H, W) in -1..1, and of its light (B, 1, H, W)."""
    logs = (image.float().clamp(-1, 1) + 1 + 2 * DARK).log().contiguous()
    return logs, (logs * logs.new_tensor(LUMA)[:, None, None]).sum(dim=1, keepdim=True)


def more(asked: Tensor) -> Tensor:
    """By how much a map (B, C, H, W) asks for more of any sign, (B, 1, H, W) in 0..1."""
    return asked.amax(dim=1, keepdim=True).clamp(min=0)


def less(asked: Tensor) -> Tensor:
    """How far lines may go (B, 1, H, W) in 0..1 where a map (B, C, H, W) asks for less of some sign."""
    return (-SOON * asked.amin(dim=1, keepdim=True)).clamp(0, 1)


def laid(image: Tensor, relief: Tensor) -> Tensor:
    """A picture (B, 3, H, W) in -1..1 with a relief of its shape, in logarithms, laid on it."""
    dark = 1 + 2 * DARK
    return (image + dark) * relief.exp() - dark
