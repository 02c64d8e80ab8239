"""What a face has to lose: its own relief, lines apart from what is none; and what its hair looks like in grey.

Convolutions that learn hardly make a line that cancels another. So a photo is taken apart here, by fixed filters, and a
network says how much of each part goes at each place.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from amgan.data.grafts.hair import WHITE
from amgan.faces.light import DARK, LUMA

# The blurs that part pores, creases, folds and the light: how much smaller a picture is made, the deviation in pixels
# of a face of 1024; and how far they reach, pixels of what was made smaller.
WIDTHS, REACH = ((1, 2.5), (4, 8.0), (8, 22.0)), 7
# Filters of thin and of deep lines: how much smaller the picture is made, the deviations across a line and along it,
# and how far they reach; in so many directions.
THIN, DEEP, DIRECTIONS = (1, 2.0, 4.0, 6), (4, 1.5, 3.0, 5), 8
# How much darker than beside it a line is that is none yet, and one that is wholly one.
FAINT, WHOLE = 0.01, 0.07
# How much of each part comes once more where all is asked for: lines that a face has deepen where they are, as no
# memory of others' lines has them.
DEEPENED = (1.4, 2.9, 0.35, 5.4, 1.8, 0.0, 1.4)
# What comes once more is of what is so much darker and lighter than around at most, as logarithms: shade that is deep
# already would turn black, and skin gleam.
DARKEST, GLEAM = 0.07, 0.03
# Of so little skin around a place nothing is told.
LEAST = 0.02


class OwnRelief(nn.Module):
    """The relief of the picture itself, for a network to take away; and its greying.

    Attributes:
        parts: How many it has.

    Example:
        >>> image, one = torch.zeros(1, 3, 32, 32), torch.ones(1, 1, 32, 32)
        >>> OwnRelief()(image, one, one.expand(1, OwnRelief.parts, 32, 32)).shape
        torch.Size([1, 3, 32, 32])
    """

    parts = 7

    def __init__(self) -> None:
        super().__init__()
        for index, (shrink, deviation) in enumerate(WIDTHS):
            steps = torch.arange(-REACH, REACH + 1) / (deviation / shrink)
            weights = (-(steps**2) / 2).exp()
            self.register_buffer(f"weights{index}", weights / weights.sum(), persistent=False)
        # Of three dimensions, so that no `channels_last` reaches them: of one channel it takes twice as long.
        self.register_buffer("thin", _line_filters(*THIN[1:]), persistent=False)
        self.register_buffer("deep", _line_filters(*DEEP[1:]), persistent=False)
        self.thin: Tensor
        self.deep: Tensor

    def forward(self, image: Tensor, skin: Tensor, going: Tensor | None = None, deeper: Tensor | None = None) -> Tensor:
        """So much of each part.

        What is no skin counts for nothing in what is around a place: else the shade of an eye would be a fold.

        Args:
            image: (B, 3, H, W) in -1..1; H and W divisible by 8.
            skin: (B, 1, H, W) in 0..1, where skin is.
            going: (B, parts, H, W), how much of each goes, if anything does: pores in lines, creases and other
                unevenness of that width, deep folds and shallow ones, all in grey; then uneven colour in lines and
                elsewhere. Pores outside of lines are in none of them, so they stay.
            deeper: (B, 1, H, W) in 0..1, how much of `DEEPENED` comes once more, instead; of `DARKEST` and `GLEAM` at
                most in grey.

        Returns:
            (B, 3, H, W), logarithms of light, to be taken from those of the picture; nothing where no skin is.
        """
        # In half precision a logarithm has no room for fine lines.
        with torch.autocast(image.device.type, enabled=False):
            grey, uneven, line = self._taken_apart(image, skin)
            relief = torch.zeros_like(uneven)
            if going is not None:
                relief = _so_much(grey, uneven, line, going.float().split(1, dim=1))
            if deeper is not None:
                moderate = [part.clamp(-DARKEST, GLEAM) for part in grey]
                relief = relief - deeper * _so_much(moderate, uneven, line, DEEPENED)
            return relief * skin.float()

    @torch.no_grad()
    def _taken_apart(self, image: Tensor, skin: Tensor) -> tuple[list[Tensor], Tensor, Tensor]:
        """What there is to take.

        No gradient goes through it: what skin is, a network learns where relief is laid on it, and through the blurs a
        step of training would take a quarter longer.

        Returns:
            The five parts in grey (B, 1, H, W), uneven colour (B, 3, H, W), and where lines are (B, 1, H, W) in 0..1.
        """
        (logs, light), skin = _logs(image), skin.float()
        weights = [self._blurred(skin, index).clamp(min=LEAST) for index in range(len(WIDTHS))]
        levels = [light, *(self._blurred(light * skin, index) / weights[index] for index in range(len(WIDTHS)))]
        pores, creases, folds = (one - wider for one, wider in itertools.pairwise(levels))
        thin, deep = _on_lines(light, self.thin, THIN[0]), _on_lines(light, self.deep, DEEP[0])
        line = torch.maximum(thin, deep)
        hue = logs - light
        uneven = hue - self._blurred(hue * skin, len(WIDTHS) - 1) / weights[-1]
        return [pores * thin, creases * line, creases * (1 - line), folds * deep, folds * (1 - deep)], uneven, line

    def grey(self, image: Tensor, share: Tensor) -> Tensor:
        """What to add to the logarithms of a picture for hair to go grey, its strands kept.

        Args:
            image: (B, 3, H, W) in -1..1.
            share: (B, 1, H, W), how much of the way to white. Hair loses no more hue than it has, or it would be blue.
        """
        with torch.autocast(image.device.type, enabled=False):
            logs, light = _logs(image)
            white = (math.log(WHITE + DARK) + math.log(2) - self._blurred(light, 1)).clamp(min=0)
            return share * white - share.clamp(max=1) * (logs - light)

    def _blurred(self, picture: Tensor, index: int) -> Tensor:
        """(B, C, H, W) with one of the blurs; wide ones are made small, where they look the same."""
        shrink, _ = WIDTHS[index]
        weights: Tensor = getattr(self, f"weights{index}")
        size = picture.shape[-2:]
        # Each channel as a picture of its own: convolutions of groups are slow on processors.
        small = picture.flatten(0, 1)[:, None]
        small = F.avg_pool2d(small, shrink) if shrink > 1 else small
        if torch.jit.is_tracing():  # type: ignore[attr-defined]  # public all the same
            small = F.pad(small, (REACH,) * 4, mode="replicate")
            for shape in ((1, 1, 1, -1), (1, 1, -1, 1)):
                small = F.conv2d(small, weights.view(shape))
        else:
            # A convolution of one channel takes three times as long as so many products.
            down, across = (_blur_matrix(weights, side) for side in small.shape[-2:])
            small = down @ small @ across.T
        small = F.interpolate(small, size=size, mode="bilinear", align_corners=False) if shrink > 1 else small
        return small.view_as(picture)


def _so_much(grey: Sequence[Tensor], uneven: Tensor, line: Tensor, shares: Sequence[Tensor | float]) -> Tensor:
    """(B, 3, H, W), shares, one a part, of what `OwnRelief._taken_apart` found."""
    *of_grey, there, elsewhere = shares
    light = torch.zeros_like(line)
    for part, share in zip(grey, of_grey, strict=True):
        light = light + share * part
    return light + uneven * (elsewhere + line * (there - elsewhere))


def _blur_matrix(weights: Tensor, side: int) -> Tensor:
    """(side, side): what each pixel of a line counts in each blurred one; those at its ends for what lies beyond."""
    reach = len(weights) // 2
    places = torch.arange(side, device=weights.device)[:, None] + torch.arange(-reach, reach + 1, device=weights.device)
    found = weights.new_zeros(side, side)
    return found.scatter_add_(1, places.clamp(0, side - 1), weights.expand(side, -1).contiguous())


def _on_lines(light: Tensor, filters: Tensor, shrink: int) -> Tensor:
    """(B, 1, H, W) in 0..1, 1 on dark lines: where one direction answers much more than all, as all do to a pore."""
    small = F.avg_pool2d(light, shrink) if shrink > 1 else light
    reach = filters.shape[-1] // 2
    found = F.conv2d(F.pad(small, (reach,) * 4, mode="replicate"), filters[:, None]).clamp(min=0)
    depth = found.amax(dim=1, keepdim=True) - found.mean(dim=1, keepdim=True)
    share = ((depth - FAINT) / (WHOLE - FAINT)).clamp(0, 1)
    return F.interpolate(share, size=light.shape[-2:], mode="bilinear", align_corners=False) if shrink > 1 else share


def _line_filters(across: float, along: float, reach: int) -> Tensor:
    """(`DIRECTIONS`, side, side): what a dark line of depth d in its direction is answered by d."""
    steps = torch.arange(-reach, reach + 1.0)
    y, x = torch.meshgrid(steps, steps, indexing="ij")
    filters = []
    for number in range(DIRECTIONS):
        angle = math.pi * number / DIRECTIONS
        u, v = x * math.cos(angle) + y * math.sin(angle), y * math.cos(angle) - x * math.sin(angle)
        weights = (1 - (v / across) ** 2) * (-((v / across) ** 2 + (u / along) ** 2) / 2).exp()
        weights = weights - weights.mean()
        filters.append(-weights / weights.clamp(min=0).sum())
    return torch.stack(filters)


def _logs(image: Tensor) -> tuple[Tensor, Tensor]:
    """Logarithms of a picture (B, 3, H, W) in -1..1, and of its light (B, 1, H, W)."""
    logs = (image.float().clamp(-1, 1) + 1 + 2 * DARK).log().contiguous()
    return logs, (logs * logs.new_tensor(LUMA)[:, None, None]).sum(dim=1, keepdim=True)
