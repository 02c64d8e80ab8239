"""A model written as one ONNX file, and the proof that onnxruntime gives PyTorch's answer with it."""

from __future__ import annotations

import base64
import importlib.util
import json
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from amgan import __version__
from amgan.errors import MissingExtraError, WeightsError
from amgan.faces.output import check_output, written_aside
from amgan.maps.location import location_maps
from amgan.models.bundle import Bundle
from amgan.models.estimator import SignEstimators
from amgan.models.generator import Generator
from amgan.models.onnx_file import (
    BYTES_KEYS,
    CROPS,
    ESTIMATES,
    INPUTS,
    JSON_KEYS,
    OUTPUTS,
    SUFFIX,
    TEXT_KEYS,
    OnnxEstimators,
    OnnxGenerator,
    open_onnx,
)

# The first that has layer normalisation as one operator; every runtime of the last years knows it.
OPSET = 17
# Heights and widths to compare the answers at, in multiples of what the generator's must be divisible by.
SIZES = ((8, 8), (12, 6), (16, 16))
# The answers may differ by so much, on a scale of -1..1; a grey level is 8e-3.
TOLERANCE = 1e-3
# Weights of fewer numbers are kept in single precision in any case: there is nothing to gain.
_SMALL = 64


@dataclass(frozen=True)
class Exported:
    """What was written.

    Attributes:
        path: The file.
        bytes: Its size.
        difference: Largest difference between onnxruntime's and PyTorch's answer, of pictures in -1..1.
        sizes: Height and width of the pictures that were compared.
        estimates_difference: Largest difference between the scores, of 0..1, that both give random crops.
    """

    path: Path
    bytes: int
    difference: float
    sizes: tuple[tuple[int, int], ...]
    estimates_difference: float


def export_onnx(bundle: Bundle, path: Path, half: bool = False, overwrite: bool = False) -> Exported:
    """Writes a model as ONNX, for pictures of any batch, height and width, and checks the file by running it.

    Args:
        bundle: The model, not itself of an ONNX file.
        path: Ends in .onnx. Its name never stands for a file that was not checked.
        half: Stores weights in half precision; they are computed with in single precision all the same.
        overwrite: Whether an existing file may be replaced.

    Raises:
        MissingExtraError: onnx or onnxruntime is not installed.
        OutputError: The file exists, has another suffix or cannot be written.
        WeightsError: The model is an ONNX file, or onnxruntime gives another answer than PyTorch.
    """
    check_output(path, overwrite, (SUFFIX,))
    generator, estimators = bundle.generator, bundle.estimators
    if not (isinstance(generator, Generator) and isinstance(estimators, SignEstimators)):
        raise WeightsError(f"{bundle.path}: is exported already; give the folder of a trained model")
    for package in ("onnx", "onnxruntime"):
        if importlib.util.find_spec(package) is None:
            raise MissingExtraError(f"export wants the package {package!r}; pip install 'amgan[export]'")
    judging = _traced_estimators(estimators, half)
    estimates_difference = largest_estimates_difference(estimators, judging, path)
    if not estimates_difference <= TOLERANCE:
        off = f"onnxruntime's scores are off by {estimates_difference:g}"
        raise WeightsError(f"{bundle.path}: {off}; nothing was written")
    model = _traced(generator)
    model.producer_name, model.producer_version = "amgan", __version__
    model.doc_string = (
        f"{bundle.notice} Inputs: image, sRGB in -1..1; aging_map and location, see docs/export.md. "
        f"Height and width are divisible by {generator.config.multiple}. Output aged = image + attention * change."
    )
    for key, value in _metadata(bundle, judging).items():
        model.metadata_props.add(key=key, value=value)
    if half:
        store_in_half(model.graph)
    content = model.SerializeToString()
    with written_aside(path, overwrite, (SUFFIX,)) as aside:
        aside.write_bytes(content)
        sizes = tuple((h * generator.config.multiple, w * generator.config.multiple) for h, w in SIZES)
        difference = largest_difference(generator, aside, sizes)
        # Not the other way round: NaN is not less than anything.
        if not difference <= TOLERANCE:
            raise WeightsError(f"{bundle.path}: onnxruntime's answer is off by {difference:g}; nothing was written")
    return Exported(path, len(content), difference, sizes, estimates_difference)


@torch.inference_mode()
def largest_difference(generator: Generator, path: Path, sizes: tuple[tuple[int, int], ...]) -> float:
    """How far onnxruntime's answers are from PyTorch's on random pictures and maps, each size once.

    Args:
        generator: The original.
        path: Its ONNX file.
        sizes: Heights and widths.

    Returns:
        The largest difference between any two values of any output; NaN if an answer has NaN.
    """
    exported = OnnxGenerator(open_onnx(path), generator.config)
    found = []
    for index, (height, width) in enumerate(sizes):
        given = _example(generator, height, width, index)
        pairs = zip(_Drawing(generator)(*given), exported(*(tensor.numpy() for tensor in given)), strict=True)
        found += [(mine - torch.from_numpy(other)).abs().max() for mine, other in pairs]
    return float(torch.stack(found).max())


@torch.inference_mode()
def largest_estimates_difference(estimators: SignEstimators, graph: bytes, path: Path) -> float:
    """How far onnxruntime's estimates are from PyTorch's on random crops; NaN if one is.

    Args:
        estimators: The original.
        graph: Their ONNX.
        path: Of the model, for messages.
    """
    crops = _crops(estimators)
    other = OnnxEstimators(graph, estimators.atlas, path).judged(crops.numpy())
    return float((estimators.judged(crops) - torch.from_numpy(other)).abs().max())


def _crops(estimators: SignEstimators) -> Tensor:
    """Crops (Z + 1, S, S, 3) of all zones and the face: noise, coarse enough to have edges."""
    count, size = len(estimators.atlas.zones) + 1, estimators.crop_size
    coarse = np.random.default_rng(0).integers(0, 256, (count, size // 8, size // 8, 3)).astype(np.uint8)
    return torch.from_numpy(coarse.repeat(8, axis=1).repeat(8, axis=2))


def _example(generator: Generator, height: int, width: int, seed: int, batch: int = 1) -> tuple[Tensor, ...]:
    """Random arguments for a generator."""
    random = torch.Generator().manual_seed(seed)
    image = torch.rand(batch, 3, height, width, generator=random) * 2 - 1
    aging = torch.rand(batch, generator.config.map_channels, height, width, generator=random)
    if generator.config.asks == "change":
        aging = 2 * aging - 1
    if not generator.config.location_maps:
        return image, aging
    zeros = torch.zeros(batch, dtype=torch.long)
    location = location_maps(zeros, zeros, (height, width), (height, width))
    extra = generator.config.location_channels - location.shape[1]
    return image, aging, torch.cat([location, *[torch.full_like(location[:, :1], 0.3)] * extra], dim=1)


def _traced(generator: Generator) -> Any:
    """The generator as an ``onnx.ModelProto``.

    PyTorch's exporter by tracing, not the one by `torch.export`: it needs no package but onnx, and each operation here
    becomes one of ONNX's. Nothing in the network depends on the size but through shapes, which it traces.
    """
    given = _example(generator, 6 * generator.config.multiple, 4 * generator.config.multiple, 0, batch=2)
    names = INPUTS[: len(given)]
    axes = {0: "batch", 2: "height", 3: "width"}
    return to_onnx(_Drawing(generator).eval(), given, names, OUTPUTS, {name: axes for name in (*names, *OUTPUTS)})


class _Drawing(nn.Module):
    """A generator with the outputs that a file has: where it takes skin to be, if it says so, serves training alone."""

    def __init__(self, generator: Generator) -> None:
        super().__init__()
        self.generator = generator

    def forward(self, *given: Tensor) -> tuple[Tensor, ...]:
        out = self.generator(*given)
        return out.image, out.change, out.attention


class _Judging(nn.Module):
    """Estimators as a network from crops to estimates, which is what can be traced."""

    def __init__(self, estimators: SignEstimators) -> None:
        super().__init__()
        self.estimators = estimators

    def forward(self, crops: Tensor) -> Tensor:
        return self.estimators.judged(crops)


def _traced_estimators(estimators: SignEstimators, half: bool) -> bytes:
    """Estimators as ONNX, with the features they look at; in half precision if they are stored so and it is asked."""
    model = to_onnx(_Judging(estimators).eval(), (_crops(estimators),), (CROPS,), (ESTIMATES,), {})
    if half and estimators.stored_as == torch.float16:
        store_in_half(model.graph)
    content: bytes = model.SerializeToString()
    return content


def to_onnx(
    network: nn.Module,
    given: tuple[Tensor, ...],
    names: tuple[str, ...],
    outputs: tuple[str, ...],
    axes: dict[str, dict[int, str]],
) -> Any:
    """What a network does with tensors `given`, as an ``onnx.ModelProto``; `axes` may be of any length."""
    import onnx

    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        # That this exporter is the older one, and that the checks of the arguments' shapes are not exported.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # type: ignore[attr-defined]
        # Instance norm has no other mode than that of training, its statistics being the picture's.
        warnings.filterwarnings("ignore", ".*'instance_norm' is set to train=True", UserWarning)
        # The odd padding of strided convolutions, which onnxruntime folds itself.
        warnings.filterwarnings("ignore", "Constant folding - Only steps=1", UserWarning)
        torch.onnx.export(
            network,
            given,
            Path(folder) / "traced.onnx",
            dynamo=False,
            opset_version=OPSET,
            input_names=list(names),
            output_names=list(outputs),
            dynamic_axes=axes,
        )
        return onnx.load(Path(folder) / "traced.onnx")


def _metadata(bundle: Bundle, judging: bytes) -> dict[str, str]:
    """What the file says beside its graph, as `onnx_file.read_metadata` reads it."""
    config = bundle.generator.config
    content: dict[str, Any] = {
        "notice": bundle.notice,
        "image_size": bundle.image_size,
        "multiple": config.multiple,
        "channels": bundle.channels,
        "opset": OPSET,
        "judge_share": bundle.judge_share,
        "generator": config.model_dump(),
        "atlas": bundle.atlas.model_dump(mode="json"),
        "estimators": judging,
        "trends": b"" if bundle.trends is None else bundle.trends.packed(),
    }
    return {
        **{key: content[key] for key in TEXT_KEYS},
        **{key: json.dumps(content[key]) for key in JSON_KEYS},
        **{key: base64.b64encode(content[key]).decode("ascii") for key in BYTES_KEYS},
    }


def store_in_half(graph: Any) -> None:
    """Turns the larger weights of an ``onnx.GraphProto`` into half precision, each cast back where it is used.

    A runtime casts them once, when it loads the file, so that they take less room on the disk and no more time.
    """
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for weight in graph.initializer:
        values = numpy_helper.to_array(weight)
        if weight.data_type != TensorProto.FLOAT or values.size < _SMALL:
            continue
        name, stored = weight.name, f"{weight.name}.half"
        weight.CopyFrom(numpy_helper.from_array(values.astype("float16"), stored))
        casts.append(helper.make_node("Cast", [stored], [name], to=TensorProto.FLOAT))
    # Ahead of the nodes that use them, since nodes stand in the order of their use.
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
