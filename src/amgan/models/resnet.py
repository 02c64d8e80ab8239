"""ResNet-18 (He et al. 2016) for small crops: the network of the paper's sign estimators (paper 4.3)."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field
from torch import Tensor, nn
from torch.nn import functional as F

# Residual blocks of each of the four stages; with two convolutions each, the stem and the last layer eighteen layers.
BLOCKS = (2, 2, 2, 2)
# Five halvings must leave something.
SMALLEST_CROP = 32


class ResNetConfig(BaseModel):
    """Everything that defines a network and its training.

    Attributes:
        crop: Side of the crops it looks at, pixels.
        width: Channels of the first stage; each further one has twice as many. 64 is the ResNet-18 of the literature.
        epochs: How often it sees each crop.
        rate: Highest learning rate; it rises over the first tenth of the steps and falls to zero along a cosine.
        decay: Weight decay.
        batch: Crops a step.
        seed: Of the first weights, the order of the crops and how they are changed.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    crop: int = Field(default=96, ge=SMALLEST_CROP, le=512, multiple_of=16)
    width: int = Field(default=32, ge=8, le=128, multiple_of=8)
    epochs: int = Field(default=45, ge=1)
    rate: float = Field(default=1e-3, gt=0)
    decay: float = Field(default=0.05, ge=0)
    batch: int = Field(default=16, ge=2)
    seed: int = 0


class BasicBlock(nn.Module):
    """Two 3x3 convolutions beside a shortcut.

    Args:
        channels: In.
        out: Out.
        stride: Of the first convolution; where the shape changes, a 1x1 convolution fits the shortcut to it.
    """

    def __init__(self, channels: int, out: int, stride: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, out, 3, stride, 1, bias=False)
        self.first_norm = nn.BatchNorm2d(out)
        self.second = nn.Conv2d(out, out, 3, 1, 1, bias=False)
        self.second_norm = nn.BatchNorm2d(out)
        self.shortcut = (
            nn.Identity()
            if stride == 1 and channels == out
            else nn.Sequential(nn.Conv2d(channels, out, 1, stride, bias=False), nn.BatchNorm2d(out))
        )
        # Each block begins as its shortcut, so that the whole begins shallow (Goyal et al. 2017).
        nn.init.zeros_(self.second_norm.weight)

    def forward(self, x: Tensor) -> Tensor:
        """(B, channels, H, W) to (B, out, H / stride, W / stride)."""
        y = F.relu(self.first_norm(self.first(x)))
        return F.relu(self.second_norm(self.second(y)) + self.shortcut(x))


class ResNet18(nn.Module):
    """Numbers from a crop.

    Args:
        width: See `ResNetConfig`.
        outputs: How many numbers.

    Example:
        >>> import torch
        >>> ResNet18(width=8, outputs=3)(torch.zeros(2, 3, 64, 64)).shape
        torch.Size([2, 3])
    """

    def __init__(self, width: int, outputs: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, width, 7, 2, 3, bias=False)
        self.stem_norm = nn.BatchNorm2d(width)
        channels, blocks = width, []
        for stage, count in enumerate(BLOCKS):
            out = width << stage
            for index in range(count):
                blocks.append(BasicBlock(channels, out, 2 if stage > 0 and index == 0 else 1))
                channels = out
        self.blocks = nn.Sequential(*blocks)
        self.head = nn.Linear(channels, outputs)
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def forward(self, image: Tensor) -> Tensor:
        """Looks at crops.

        Args:
            image: (B, 3, H, W) sRGB in -1..1, sides of at least 32.

        Returns:
            (B, outputs).
        """
        x = F.max_pool2d(F.relu(self.stem_norm(self.stem(image))), 3, 2, 1)
        answer: Tensor = self.head(self.blocks(x).mean(dim=(2, 3)))
        return answer
