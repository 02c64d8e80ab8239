"""Lines that come, out of a memory.

Convolutions hardly make a sharp line from nothing, and are quick to tell where skin is bare. So lines are remembered,
and a network says how much of them at each place. Those that go are the face's own: `amgan.models.own_relief`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from amgan.faces.light import DARK, LUMA
from amgan.maps.shading import TINT
from amgan.maps.variants import third_map

# How soon all that a network would take away may go: a little before a map asks for all of it.
SOON = 1.2
# Middle and half the side of the square of a mean face that is remembered, where a picture goes from -1 to 1.
MIDDLE, HALF = (0.0, 0.14), 0.86
# How much coarser than light hue is remembered: spots have softer edges than lines.
HUE_SHRINK = 4


class LineMemory(nn.Module):
    """Patterns of reliefs on a mean face (`amgan.data.grafts.relief`), one relief a channel of the aging map.

    A convolutional generator can hardly make a sharp line from nothing, and where wrinkles run is much alike on all
    faces. What is remembered is learned like any weight.

    Args:
        side: Of the memory, pixels; divisible by 4.
        map_channels: Of the aging map.
        patterns: How many faces' worth of lines are remembered.

    Attributes:
        grey: (patterns, map_channels, side, side), of light.
        hue: (patterns, 3 * map_channels, side / 4, side / 4), of colour beyond `TINT`.

    Example:
        >>> memory = LineMemory(16, 2)
        >>> memory(torch.ones(1, 2, 8, 8), torch.zeros(1, 2, 8, 8)).shape
        torch.Size([1, 3, 8, 8])
    """

    def __init__(self, side: int, map_channels: int, patterns: int = 1) -> None:
        super().__init__()
        coarse = side // HUE_SHRINK
        self.grey = nn.Parameter(torch.zeros(patterns, map_channels, side, side))
        self.hue = nn.Parameter(torch.zeros(patterns, 3 * map_channels, coarse, coarse))
        self.register_buffer("middle", torch.tensor(MIDDLE)[:, None, None], persistent=False)
        self.register_buffer("colour", 1 + torch.tensor(TINT)[:, None, None], persistent=False)
        self.middle: Tensor
        self.colour: Tensor

    @torch.no_grad()
    def remember(self, patterns: npt.NDArray[np.float32]) -> None:
        """Begins with known lines.

        Args:
            patterns: (patterns, map_channels, S, S, 3), reliefs on the picture of the mean face.
        """
        side = self.grey.shape[-1]
        steps = (torch.arange(side) + 0.5) * (2 / side) - 1
        grid = torch.stack(torch.meshgrid(steps * HALF + MIDDLE[0], steps * HALF + MIDDLE[1], indexing="xy"), dim=-1)
        for number, pattern in enumerate(torch.from_numpy(patterns)):
            light = (pattern * torch.tensor(LUMA)).sum(dim=-1)
            self.grey[number] = F.grid_sample(light[None], grid[None], align_corners=False)[0]
            colours = (pattern.permute(0, 3, 1, 2) - light[:, None] * self.colour).flatten(0, 1)
            found = F.grid_sample(colours[None], grid[None], align_corners=False)
            self.hue[number] = F.interpolate(found, size=self.hue.shape[-2:], mode="area")[0]

    @torch.no_grad()
    def recalled(self, size: int) -> npt.NDArray[np.float32]:
        """What it knows, for a run that goes on with it: (patterns, map_channels, size, size, 3), as `remember` takes.

        Args:
            size: Side of the picture of the mean face, pixels.
        """
        steps = (torch.arange(size) + 0.5) * (2 / size) - 1
        places = torch.stack(torch.meshgrid(steps, steps, indexing="xy"))
        count, channels = self.grey.shape[:2]
        found = np.empty((count, channels, size, size, 3), np.float32)
        for number in range(count):
            which = torch.full((1, size, size), third_map(number, count))
            for channel in range(channels):
                asked = torch.zeros(1, channels, size, size)
                asked[:, channel] = 1
                relief = self(asked, torch.cat([places, which])[None])
                found[number, channel] = relief[0].permute(1, 2, 0).numpy()
        return found

    def forward(self, asked: Tensor, places: Tensor) -> Tensor:
        """The relief that is asked for.

        Args:
            asked: (B, map_channels, H, W) in -1..1, how much more of each sign. Of less nothing is drawn: what lines a
                face has to lose are its own.
            places: (B, 2, H, W), X and Y on the mean face; with several patterns (B, 3, H, W), the third of one value,
                -1 for the first of them to 1 for the last (`amgan.maps.variants`).

        Returns:
            (B, 3, H, W), logarithms of light, for `laid`.
        """
        with torch.autocast(asked.device.type, enabled=False):
            places, asked = places.float(), asked.float()
            grid = ((places[:, :2] - self.middle) / HALF).permute(0, 2, 3, 1)
            light, hue = (
                F.grid_sample(self._chosen(part, places), grid, align_corners=False) for part in (self.grey, self.hue)
            )
            relief = light[:, :, None] * self.colour + hue.unflatten(1, (-1, 3))
            return (relief * asked[:, :, None].clamp(min=0)).sum(dim=1)

    def _chosen(self, remembered: Tensor, places: Tensor) -> Tensor:
        """What is remembered (patterns, C, S, S) of the pattern that each of a batch wants, (B, C, S, S)."""
        count = remembered.shape[0]
        if count == 1:
            return remembered.expand(places.shape[0], -1, -1, -1)
        # Between two patterns it is some of both, so that the answer is a smooth one of the place.
        which = (places[:, 2, :1, :1] + 1) * ((count - 1) / 2)
        shares = (1 - (which - torch.arange(count, device=which.device)[:, None]).abs()).clamp(min=0)
        return torch.einsum("bko,kchw->bchw", shares, remembered)


def more(asked: Tensor) -> Tensor:
    """By how much a map (B, C, H, W) asks for more of any sign, (B, 1, H, W) in 0..1."""
    return asked.amax(dim=1, keepdim=True).clamp(min=0)


def less(asked: Tensor) -> Tensor:
    """What share of the lines may go (B, 1, H, W) in 0..1 where a map (B, C, H, W) asks for less of some sign."""
    return (-SOON * asked.amin(dim=1, keepdim=True)).clamp(0, 1)


def laid(image: Tensor, relief: Tensor) -> Tensor:
    """A picture (B, 3, H, W) in -1..1 with a relief of its shape, in logarithms, laid on it."""
    dark = 1 + 2 * DARK
    return (image + dark) * relief.exp() - dark
