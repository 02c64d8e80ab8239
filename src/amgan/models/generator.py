"""The generator: a fully convolutional encoder with a SPADE decoder and an attention mask (paper 3.2).

It sees a picture at any size divisible by `GeneratorConfig.multiple`, an aging map and the location maps (X and Y; one
more chooses between patterns of lines, where a memory has several), and predicts a colour change and where to apply it.

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

from amgan.models.blocks import SLOPE, ResidualBlock, SpadeBlock
from amgan.models.generator_config import GeneratorConfig as GeneratorConfig
from amgan.models.generator_config import check_shapes
from amgan.models.lines import LineMemory, laid, less, more
from amgan.models.own_relief import OwnRelief

# What learns by differences of pixels takes half of a line away where it is not sure: of two old faces' lines 0.53 to
# 0.62 went, of folds 0.48 to 0.54, where retouching takes nearly all. So many times as much goes in use, by the parts
# of `OwnRelief`; of folds less, which are a face's shape too.
HEDGED = (1.6, 1.6, 1.4, 1.25, 1.2, 1.5, 1.5)
# For the same reason lines are laid so many times as deep in use.
LAID = 1.3


class GeneratorOutput(NamedTuple):
    """What one call of the generator returns.

    Attributes:
        image: (B, 3, H, W), the picture plus attention times change; not clipped, about -1..1.
        change: (B, 3, H, W), the predicted colour change: in -2..2, but for a memory of lines, which can make a dark
            place as light as it asks.
        attention: (B, 1, H, W) in 0..1, where it applies.
        skin: (B, 1, H, W) in 0..1, where bare skin is taken to be; of a generator with a memory of lines alone.
    """

    image: Tensor
    change: Tensor
    attention: Tensor
    skin: Tensor | None = None


class Shares(NamedTuple):
    """What a network says of a picture that a memory of lines is laid on; each (B, C, H, W).

    Attributes:
        laying: In 0..2, how much of what is remembered is laid.
        greying: In 0..2, how grey it gets.
        going: In 0..2, how much of each part of the own relief goes.
        skin: In 0..1, where bare skin is.
        attention: In 0..1, how much of it all is made.
    """

    laying: Tensor
    greying: Tensor
    going: Tensor
    skin: Tensor
    attention: Tensor

    def of(self, chosen: Tensor | slice) -> Shares:
        """Those of some pictures of the batch."""
        return Shares(*(share[chosen] for share in self))


def _pictures(where: Tensor) -> Tensor | slice | None:
    """Which pictures of a batch have any such place (B, C, H, W); all of them when a graph is written out."""
    if torch.jit.is_tracing():  # type: ignore[attr-defined]  # public all the same
        return slice(None)
    has = where.flatten(1).any(dim=1)
    return None if not has.any() else slice(None) if has.all() else has.nonzero()[:, 0]


def _among(batch: Tensor, chosen: Tensor | slice, part: Tensor) -> Tensor:
    """What belongs to some pictures of a batch, with zeros for the others."""
    return part if isinstance(chosen, slice) else torch.zeros_like(batch).index_add(0, chosen, part)


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
        condition = config.map_channels + config.location_channels
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
        # With lines the change is made of how deep what is remembered is laid, how much of each part of the own relief
        # goes, how grey it gets and where skin is; else the change itself comes out. The last is attention.
        outputs = (OwnRelief.parts + 3 if config.lines else 3) + 1
        self.output = nn.Conv2d(outs[-1] if outs else base, outputs, 3, padding=1)
        self.lines = LineMemory(config.lines, config.map_channels, config.patterns) if config.lines else None
        self.own = OwnRelief() if config.lines else None

    def forward(self, image: Tensor, aging_map: Tensor, location: Tensor | None = None) -> GeneratorOutput:
        """Ages a patch or a whole picture.

        Args:
            image: (B, 3, H, W) sRGB in -1..1; H and W divisible by ``config.multiple``.
            aging_map: (B, map_channels, H, W), what ``config.asks`` says: target scores in 0..1, or changes in -1..1.
            location: (B, ``config.location_channels``, H, W), X and Y maps in -1..1, and the pattern of lines where
                there are several; None if and only if the config has no location maps.

        Returns:
            The aged picture, its change and its attention.

        Raises:
            ValueError: A shape does not fit.
        """
        check_shapes(self.config, image, aging_map, location)
        maps = self._conditions(aging_map, location)
        x = self.stem(F.pixel_unshuffle(image, self.config.stem))
        seen = []
        for block in self.encoder:
            seen.append(x)
            x = block(x)
        # Halvings that the decoder works at, before its first block and after each.
        levels = [self.config.depth] * (self.config.blocks + 1) + list(range(self.config.depth))[::-1]
        for block, (before, after) in zip(self.decoder, itertools.pairwise(levels), strict=True):
            x = block(x, maps[before], maps[after])
            if after < before and (self.config.skips or after == 0):
                x = (x + seen[after]) / 2**0.5
        x = self.fuse(x, maps[0], maps[0])
        for index, conv in enumerate(self.head):
            x = F.interpolate(F.leaky_relu(x, SLOPE), scale_factor=2.0, mode="nearest")
            shrink = 2 ** (len(self.head) - 1 - index)
            picture = F.avg_pool2d(image, shrink) if shrink > 1 else image
            x = conv(torch.cat([x, picture.to(x.dtype)], dim=1))
        # Each share by itself in memory, since from here on each is worked with by itself.
        out = self.output(F.leaky_relu(x, SLOPE)).float().contiguous()
        if self.lines is None:
            change, attention = out.split((3, 1), dim=1)
            change, attention = 2 * torch.tanh(change / 2), torch.sigmoid(attention)
            return GeneratorOutput(image + attention * change, change, attention)
        laying, greying, going, skin, attention = torch.sigmoid(out).split((1, 1, OwnRelief.parts, 1, 1), dim=1)
        # Shares go up to twice as much as all, since attention begins at a half.
        change = self._laid(image, aging_map, location, Shares(2 * laying, 2 * greying, 2 * going, skin, attention))
        return GeneratorOutput(image + attention * change, change, attention, skin)

    def _laid(self, image: Tensor, asked: Tensor, location: Tensor | None, shares: Shares) -> Tensor:
        """The change of lines that come and go, and of hair that goes grey, unless that greys by itself."""
        assert self.lines is not None and self.own is not None and location is not None
        relief = torch.zeros_like(image)
        # Mostly all signs of a picture rise or all fall, so half of the work is none.
        rising, falling = _pictures(asked > 0), _pictures(asked < 0)
        if rising is not None:
            more_of, at, part = asked[rising], location[rising], shares.of(rising)
            laying = part.laying if self.training else LAID * part.laying
            added = laying * part.skin * self.lines(more_of, at)
            if not self.config.greys:
                added = added + self.own.grey(image[rising], part.greying * more(more_of))
            relief = relief + _among(image, rising, added)
        # In training nothing deepens: no graft says how.
        if (own := falling if self.training else _pictures(asked != 0)) is not None:
            part, wanted = shares.of(own), asked[own]
            going = None if falling is None else self._hedged(part) * less(wanted)
            deeper = None if self.training or rising is None else more(wanted)
            relief = relief - _among(image, own, self.own(image[own], part.skin, going, deeper))
        return laid(image, relief) - image

    def _hedged(self, shares: Shares) -> Tensor:
        """How much of each part of the own relief goes, (B, parts, H, W), in use more than was learned."""
        if self.training:
            return shares.going
        # All goes at most, or lines would come back as pale ones.
        return torch.minimum(shares.going * shares.going.new_tensor(HEDGED)[:, None, None], 1 / shares.attention)

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
            location: (B, ``config.location_channels``, H, W) float32, or None.
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
