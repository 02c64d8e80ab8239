"""A finished model in a folder: safetensors of its generator and its estimators, ``trends.npy`` and ``model.json``.

``model.json`` holds the generator's config, the whole sign atlas and the channel of each zone, so that a model
needs nothing but its folder. Nothing is pickled. The same in one ONNX file is `amgan.models.onnx_file`'s, and what
wants PyTorch is imported where a folder is read or written, so that such a file can do without.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from amgan.errors import AtlasError, MissingExtraError, WeightsError, in_one_line
from amgan.maps.trends import Trends, unpacked
from amgan.models.estimates import FaceEstimator
from amgan.models.generator_config import GeneratorConfig
from amgan.models.onnx_file import SUFFIX, OnnxEstimators, OnnxGenerator, open_onnx, read_metadata
from amgan.signs.atlas import Atlas, parse_atlas

if TYPE_CHECKING:
    from amgan.models.estimator import SignEstimators
    from amgan.models.generator import Generator

DEFAULT, PERMISSIVE = "default", "permissive"
PACKAGED = (DEFAULT, PERMISSIVE)
"""Models that come with the package: of all photos, and of those alone whose licences allow commercial use."""
GENERATOR, ESTIMATORS, SCHEMA = "generator.safetensors", "estimators.safetensors", "model.json"
# There is one only if the generator's config wants it.
TRENDS = "trends.npy"


@dataclass(frozen=True)
class Schema:
    """What ``model.json`` says.

    Attributes:
        path: Its folder, or its ONNX file.
        generator_config: Shape of its generator.
        atlas: Its signs.
        channels: Channel of each zone in the aging map.
        notice: Licence of the weights, one line.
        image_size: Side of the aligned faces it was trained on at last, pixels.
        judge_share: Share of the training identities that it never saw (``TrainConfig.judge_share``).
    """

    path: Path
    generator_config: GeneratorConfig
    atlas: Atlas
    channels: tuple[int, ...]
    notice: str
    image_size: int
    judge_share: float


@dataclass(frozen=True)
class Bundle(Schema):
    """A model ready to use.

    Attributes:
        generator: In eval mode, float32, channels-last; of an ONNX file one that onnxruntime runs.
        estimators: Of the present scores; of a folder `SignEstimators`.
        trends: Of light and shape; None if its config follows none.
    """

    generator: Generator | OnnxGenerator
    estimators: FaceEstimator
    trends: Trends | None


def save_bundle(
    folder: Path,
    generator: Generator,
    estimators: SignEstimators,
    atlas: Atlas,
    channels: tuple[int, ...],
    notice: str,
    image_size: int,
    judge_share: float,
    trends: Trends | None = None,
) -> Path:
    """Writes a model; the generator in half precision, since its rounding is far below one grey level.

    Returns:
        `folder`.

    Raises:
        ValueError: The generator's config follows trends, and there are none.
    """
    if generator.config.follows_trends != (trends is not None):
        raise ValueError("trends are given if and only if the generator's config follows them")
    from safetensors.torch import save_file

    from amgan.models.estimator_kinds import pack_estimators

    folder.mkdir(parents=True, exist_ok=True)
    half = {name: value.half().contiguous() for name, value in generator.state_dict().items()}
    save_file(half, folder / GENERATOR)
    (folder / ESTIMATORS).write_bytes(pack_estimators(estimators))
    if trends is not None:
        (folder / TRENDS).write_bytes(trends.packed())
    schema = {
        "notice": notice,
        "image_size": image_size,
        "judge_share": judge_share,
        "generator": generator.config.model_dump(),
        "channels": list(channels),
        "atlas": atlas.model_dump(mode="json"),
    }
    (folder / SCHEMA).write_text(json.dumps(schema, indent=1), encoding="utf-8")
    return folder


def load_bundle(path: Path | None = None) -> Bundle:
    """Loads a model.

    Args:
        path: Its folder, the generator file in it, or an ONNX file; or the name of one of `PACKAGED`, of which None
            is the default.

    Raises:
        WeightsError: A file is missing, damaged or does not fit the others.
        MissingExtraError: It is an ONNX file, and onnxruntime is not installed; or a folder, and PyTorch is not.
    """
    if path is not None and path.suffix == SUFFIX:
        return _load_onnx(path)
    schema = load_bundle_schema(path)
    try:
        import torch  # noqa: F401
    except ModuleNotFoundError as error:
        wanted = "a model's folder wants the package 'torch'; pip install torch, or give an ONNX file of `amgan export`"
        raise MissingExtraError(f"{schema.path}: {wanted}") from error
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    from amgan.models.backbone import channels_last
    from amgan.models.estimator_kinds import unpack_estimators
    from amgan.models.generator import Generator

    generator = Generator(schema.generator_config)
    try:
        generator.load_state_dict({k: v.float() for k, v in load_file(schema.path / GENERATOR).items()})
    except (SafetensorError, RuntimeError) as error:
        raise _damaged(schema.path, error) from error
    estimators = unpack_estimators((schema.path / ESTIMATORS).read_bytes(), schema.atlas, schema.path)
    generator = channels_last(generator.eval().requires_grad_(False))
    trends = read_trends(schema.path) if schema.generator_config.follows_trends else None
    return Bundle(**vars(schema), generator=generator, estimators=estimators, trends=trends)


def read_trends(folder: Path) -> Trends:
    """The trends of a model's folder.

    Raises:
        WeightsError: There are none, or they are damaged.
    """
    path = folder / TRENDS
    if not path.is_file():
        raise WeightsError(f"{folder}: no {TRENDS} there; `python -m amgan.training.fit_trends {folder}` measures them")
    return unpacked(path.read_bytes(), path)


def load_bundle_schema(path: Path | None = None) -> Schema:
    """Reads what a model knows, without its weights.

    Args:
        path: As for `load_bundle`.

    Raises:
        WeightsError: A file is missing, or what it says is malformed.
        MissingExtraError: It is an ONNX file, and onnxruntime is not installed.
    """
    folder = located(path)
    if folder.suffix == SUFFIX:
        return _schema(read_metadata(open_onnx(folder, optimise=False), folder), folder, folder)
    if folder.is_file():
        if folder.name != GENERATOR:
            raise WeightsError(f"{folder}: not a model; give its folder, the {GENERATOR} in it, or an ONNX file")
        folder = folder.parent
    for name in (GENERATOR, ESTIMATORS, SCHEMA):
        if not (folder / name).is_file():
            raise WeightsError(f"{folder}: no {name} there; give the folder that `amgan train` wrote as model/")
    try:
        content = json.loads((folder / SCHEMA).read_text(encoding="utf-8"))
    except ValueError as error:  # no JSON, or no UTF-8
        raise _malformed(folder / SCHEMA, error) from error
    return _schema(content, folder, folder / SCHEMA)


def _load_onnx(path: Path) -> Bundle:
    session = open_onnx(path)
    content = read_metadata(session, path)
    schema = _schema(content, path, path)
    estimators = OnnxEstimators(content["estimators"], schema.atlas, path)
    trends = unpacked(content["trends"], path) if schema.generator_config.follows_trends else None
    generator = OnnxGenerator(session, schema.generator_config)
    return Bundle(**vars(schema), generator=generator, estimators=estimators, trends=trends)


def _schema(content: Mapping[str, Any], path: Path, source: Path) -> Schema:
    """The schema of the model at `path` from the `content` of its `source`."""
    try:
        schema = Schema(
            path,
            GeneratorConfig.model_validate(content["generator"]),
            parse_atlas(content["atlas"], str(source)),
            tuple(int(c) for c in content["channels"]),
            str(content["notice"]),
            int(content["image_size"]),
            float(content["judge_share"]),
        )
        if len(schema.channels) != len(schema.atlas.zones):
            raise ValueError(f"channels: are {len(schema.channels)}, and the atlas has {len(schema.atlas.zones)} zones")
        return schema
    except (KeyError, TypeError, ValueError, AtlasError) as error:
        raise _malformed(source, error) from error


def _malformed(source: Path, error: Exception) -> WeightsError:
    return WeightsError(f"{source}: malformed ({in_one_line(error)})")


def _damaged(path: Path, error: Exception) -> WeightsError:
    return WeightsError(f"{path}: damaged model ({in_one_line(error)})")


def fingerprint(schema: Schema) -> str:
    """A hash over all files of a model: another for every model, whatever it is called."""
    files = [schema.path]
    if schema.path.suffix != SUFFIX:
        wanted = [GENERATOR, ESTIMATORS, SCHEMA] + [TRENDS] * schema.generator_config.follows_trends
        files = [schema.path / name for name in wanted]
    digest = hashlib.sha256()
    for path in files:
        digest.update(path.read_bytes())
    return digest.hexdigest()


def default_model() -> Path:
    """Folder of the default among the models that come with the package."""
    return _folder(DEFAULT)


def packaged_model(name: str) -> Path:
    """Folder of one of `PACKAGED`."""
    return default_model() if name == DEFAULT else _folder(name)


def _folder(name: str) -> Path:
    return Path(str(importlib.resources.files("amgan") / "weights" / name))


def located(path: Path | None) -> Path:
    """Where a model lies: what is there on the disk goes before the names of those that come with the package."""
    if path is None:
        return default_model()
    return packaged_model(str(path)) if str(path) in PACKAGED and not path.exists() else path
