"""The network that tells hair and skin on an aligned face from everything else (`amgan.faces.parsing`)."""

from __future__ import annotations

import itertools

import torch.nn.functional as F
from torch import Tensor, nn

from amgan.faces.parsing import CLASSES

# Width at each halving of the picture: small enough for 20 ms on one core, deep enough to see the whole face.
WIDTHS = (16, 32, 64, 96, 128)


class ParsingNetwork(nn.Module):
    """Halves a picture, looks at it whole, and doubles it again beside what it saw on the way.

    Shapes:
        - Input (B, 3, H, W) in -1..1, H and W divisible by 32.
        - Output (B, len(`CLASSES`), H, W), logarithms of shares up to a constant.
    """

    def __init__(self) -> None:
        super().__init__()
        inputs = (3, *WIDTHS[:-1])
        self.downs = nn.ModuleList(
            nn.Sequential(_layer(before, after, stride=2), *(_layer(after, after) for _ in range(1 + (after > 32))))
            for before, after in zip(inputs, WIDTHS, strict=True)
        )
        self.whole = nn.Sequential(*(_layer(WIDTHS[-1], WIDTHS[-1]) for _ in range(2)))
        self.narrow = nn.ModuleList(nn.Conv2d(after, before, 1) for before, after in itertools.pairwise(WIDTHS))
        self.ups = nn.ModuleList(_layer(width, width) for width in WIDTHS[:-1])
        self.last = nn.Conv2d(WIDTHS[0], len(CLASSES), 3, padding=1)

    def forward(self, picture: Tensor) -> Tensor:
        """See the class."""
        seen = [picture]
        for down in self.downs:
            seen.append(down(seen[-1]))
        found = self.whole(seen.pop())
        for narrow, up in zip(reversed(self.narrow), reversed(self.ups), strict=True):
            found = up(_doubled(narrow(found)) + seen.pop())
        return _doubled(self.last(found))


def _layer(inputs: int, outputs: int, stride: int = 1) -> nn.Module:
    convolution = nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


def _doubled(maps: Tensor) -> Tensor:
    return F.interpolate(maps, scale_factor=2, mode="bilinear", align_corners=False)
