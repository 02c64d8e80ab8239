"""A whole model in one ONNX file, as `amgan export` writes it: opening it, and running its generator by onnxruntime.

The graph is the generator. The file's metadata carry all else that a model folder has, so that one file is enough:
texts as they are, numbers and mappings as JSON, the estimators' weights as safetensors in base64.
"""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from amgan.errors import MissingExtraError, WeightsError
from amgan.models.generator import GeneratorConfig, GeneratorOutput, check_shapes

SUFFIX = ".onnx"
INPUTS = ("image", "aging_map", "location")
OUTPUTS = ("aged", "change", "attention")
# The keys of the metadata, by how their values are written.
TEXT_KEYS = ("notice",)
JSON_KEYS = ("image_size", "multiple", "channels", "opset", "judge_share", "generator", "atlas")
BYTES_KEYS = ("estimators",)


def open_onnx(path: Path, optimise: bool = True) -> Any:
    """Opens a file for onnxruntime, on the processor and with as many threads as PyTorch has.

    Args:
        path: The file.
        optimise: Whether the graph is to be run; for its metadata alone it need not be made fast.

    Returns:
        An ``onnxruntime.InferenceSession``.

    Raises:
        MissingExtraError: onnxruntime is not installed.
        WeightsError: There is no such file, or it is no ONNX.
    """
    if not path.is_file():
        raise WeightsError(f"{path}: no such file; `amgan export -o {path.name}` makes one")
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"{path}: wants the package 'onnxruntime'; pip install 'amgan[export]'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    if not optimise:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common base
        raise WeightsError(f"{path}: cannot be opened as ONNX ({' '.join(str(error).split())[:160]})") from error


def read_metadata(session: Any, path: Path) -> dict[str, Any]:
    """What a file says beside its graph.

    Args:
        session: Of `open_onnx`.
        path: The file, for messages.

    Returns:
        Value by key, each as it was before it was written.

    Raises:
        WeightsError: The file is not of `amgan export`, or a value is malformed.
    """
    written: dict[str, str] = session.get_modelmeta().custom_metadata_map
    lacking = [key for key in (*TEXT_KEYS, *JSON_KEYS, *BYTES_KEYS) if key not in written]
    if lacking:
        raise WeightsError(f"{path}: not a file of `amgan export`: its metadata lack {', '.join(lacking)}")
    try:
        return {
            **{key: written[key] for key in TEXT_KEYS},
            **{key: json.loads(written[key]) for key in JSON_KEYS},
            **{key: base64.b64decode(written[key], validate=True) for key in BYTES_KEYS},
        }
    except (json.JSONDecodeError, binascii.Error) as error:
        raise WeightsError(f"{path}: malformed metadata ({error}); export the model again") from error


class OnnxGenerator:
    """The generator of an ONNX file; called like `amgan.models.generator.Generator`, with the same answer.

    Args:
        session: Of `open_onnx`.
        config: Of the generator.
    """

    def __init__(self, session: Any, config: GeneratorConfig) -> None:
        self.config = config
        self._session = session

    def __call__(self, image: Tensor, aging_map: Tensor, location: Tensor | None = None) -> GeneratorOutput:
        """Ages a patch or a whole picture; arguments, result and errors are those of `Generator.forward`."""
        check_shapes(self.config, image, aging_map, location)
        given = zip(INPUTS, (image, aging_map, location), strict=True)
        feed = {name: tensor.contiguous().numpy() for name, tensor in given if tensor is not None}
        return GeneratorOutput(*(torch.from_numpy(array) for array in self._session.run(OUTPUTS, feed)))
