"""A whole model in one ONNX file, as `amgan export` writes it: opening it, and running it without PyTorch.

The graph is the generator. The file's metadata carry all else that a model folder has, so that one file is enough:
texts as they are, numbers and mappings as JSON, and the estimators, which are a graph of their own, as ONNX in base64.
"""

from __future__ import annotations

import base64
import binascii
import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from amgan.errors import MissingExtraError, WeightsError, in_one_line
from amgan.models.estimates import Estimate, face_crops
from amgan.models.generator_config import GeneratorConfig, check_shapes
from amgan.processes import network_threads
from amgan.signs.atlas import AGE, Atlas

SUFFIX = ".onnx"
INPUTS = ("image", "aging_map", "location")
OUTPUTS = ("aged", "change", "attention")
# Of the estimators' graph.
CROPS, ESTIMATES = "crops", "estimates"
# The keys of the metadata, by how their values are written.
TEXT_KEYS = ("notice",)
JSON_KEYS = ("image_size", "multiple", "channels", "opset", "judge_share", "generator", "atlas")
BYTES_KEYS = ("estimators", "trends")

Array = npt.NDArray[np.float32]


def open_onnx(path: Path, optimise: bool = True) -> Any:
    """Opens a file for onnxruntime, on the processor.

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
    return _session(str(path), path, optimise)


def _session(model: str | bytes, path: Path, optimise: bool = True) -> Any:
    """A session of a file's name or content; `path` is for messages."""
    try:
        import onnxruntime
    except ModuleNotFoundError as error:
        raise MissingExtraError(f"{path}: wants the package 'onnxruntime'; pip install 'amgan[export]'") from error
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = network_threads()
    if not optimise:
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    try:
        return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no common base
        raise WeightsError(f"{path}: cannot be opened as ONNX ({in_one_line(error)})") from error


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
        wanted = "not a file of this version's `amgan export`"
        raise WeightsError(f"{path}: {wanted}: its metadata lack {', '.join(lacking)}; export the model again")
    try:
        return {
            **{key: written[key] for key in TEXT_KEYS},
            **{key: json.loads(written[key]) for key in JSON_KEYS},
            **{key: base64.b64decode(written[key], validate=True) for key in BYTES_KEYS},
        }
    except (json.JSONDecodeError, binascii.Error) as error:
        raise WeightsError(f"{path}: malformed metadata ({error}); export the model again") from error


class OnnxGenerator:
    """The generator of an ONNX file; gives the answers of `amgan.models.generator.Generator`, in arrays.

    Args:
        session: Of `open_onnx`.
        config: Of the generator.
    """

    def __init__(self, session: Any, config: GeneratorConfig) -> None:
        self.config = config
        self._session = session

    def __call__(self, image: Array, aging_map: Array, location: Array | None = None) -> tuple[Array, Array, Array]:
        """Picture, change and attention; arguments, results and errors are those of `Generator.forward`, as arrays."""
        check_shapes(self.config, image, aging_map, location)
        given = zip(INPUTS, (image, aging_map, location), strict=True)
        feed = {name: np.ascontiguousarray(array) for name, array in given if array is not None}
        aged, change, attention = self._session.run(OUTPUTS, feed)
        return aged, change, attention

    def aged(self, image: Array, aging_map: Array, location: Array | None, bf16: bool = False) -> Array:
        """The aged picture, as `Generator.aged`.

        Raises:
            ValueError: A shape does not fit, or bf16 is asked for.
        """
        if bf16:
            raise ValueError("an ONNX file runs in fp32")
        return self(image, aging_map, location)[0]


class OnnxEstimators:
    """The estimators of an ONNX file; give the answers of `amgan.models.estimator.SignEstimators` on one face.

    Args:
        graph: The estimators' ONNX, as the metadata have it.
        atlas: Signs and zones.
        path: The file, for messages.

    Raises:
        WeightsError: It is no ONNX, or of other signs.
    """

    def __init__(self, graph: bytes, atlas: Atlas, path: Path) -> None:
        self.atlas = atlas
        self._zones = (*atlas.zones, AGE)
        self._session = _session(graph, path)
        (given,) = self._session.get_inputs()
        if given.name != CROPS or given.shape[0] != len(self._zones):
            raise WeightsError(f"{path}: its estimators are not of its atlas; export the model again")
        self._size = int(given.shape[1])

    def judged(self, crops: npt.NDArray[np.uint8]) -> Array:
        """(Z + 1, 3), the fields of `Estimate`, of the crops (Z + 1, S, S, 3) of all zones and the face."""
        found: Array = self._session.run([ESTIMATES], {CROPS: crops})[0]
        return found

    def estimate(self, rgb: npt.NDArray[np.uint8], landmarks: npt.NDArray[np.float32]) -> dict[str, Estimate]:
        """See `amgan.models.estimates.FaceEstimator`."""
        crops = face_crops(self.atlas, self._zones, rgb, landmarks, self._size)
        return {zone: Estimate(*row) for zone, row in zip(self._zones, self.judged(crops).tolist(), strict=True)}
