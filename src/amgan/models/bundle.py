"""A finished model in a folder: ``generator.safetensors``, ``estimators.safetensors`` and ``model.json``.

``model.json`` holds the generator's config, the whole sign atlas and the channel of each zone, so that a model
needs nothing but its folder. Nothing is pickled.
"""

from __future__ import annotations

import importlib.resources
import json
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file

from amgan.errors import AtlasError, WeightsError
from amgan.models.backbone import channels_last
from amgan.models.estimator import SignEstimators
from amgan.models.generator import Generator, GeneratorConfig
from amgan.signs.atlas import Atlas, parse_atlas

GENERATOR, ESTIMATORS, SCHEMA = "generator.safetensors", "estimators.safetensors", "model.json"


@dataclass(frozen=True)
class Schema:
    """What ``model.json`` says.

    Attributes:
        folder: Of the model.
        generator_config: Shape of its generator.
        atlas: Its signs.
        channels: Channel of each zone in the aging map.
        notice: Licence of the weights, one line.
        image_size: Side of the aligned faces it was trained on at last, pixels.
        judge_share: Share of the training identities that it never saw (``TrainConfig.judge_share``).
    """

    folder: Path
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
        generator: In eval mode, float32, channels-last.
        estimators: Of the present scores.
    """

    generator: Generator
    estimators: SignEstimators


def save_bundle(
    folder: Path,
    generator: Generator,
    estimators: SignEstimators,
    atlas: Atlas,
    channels: tuple[int, ...],
    notice: str,
    image_size: int,
    judge_share: float,
) -> Path:
    """Writes a model; the generator in half precision, since its rounding is far below one grey level.

    Returns:
        `folder`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    half = {name: value.half().contiguous() for name, value in generator.state_dict().items()}
    save_file(half, folder / GENERATOR)
    save_file({name: value.contiguous() for name, value in estimators.state_dict().items()}, folder / ESTIMATORS)
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
        path: Its folder, or the generator file in it; None loads the default model that comes with the package.

    Raises:
        WeightsError: A file is missing, damaged or does not fit the others.
    """
    schema = load_bundle_schema(path)
    generator, estimators = Generator(schema.generator_config), SignEstimators(schema.atlas)
    try:
        generator.load_state_dict({k: v.float() for k, v in load_file(schema.folder / GENERATOR).items()})
        estimators.load_state_dict(load_file(schema.folder / ESTIMATORS))
    except (SafetensorError, RuntimeError) as error:
        raise WeightsError(f"{schema.folder}: damaged model ({' '.join(str(error).split())[:160]})") from error
    generator = channels_last(generator.eval().requires_grad_(False))
    return Bundle(**vars(schema), generator=generator, estimators=estimators)


def load_bundle_schema(path: Path | None = None) -> Schema:
    """Reads what a model knows, without its weights.

    Args:
        path: As for `load_bundle`.

    Raises:
        WeightsError: A file is missing, or ``model.json`` is malformed.
    """
    folder = default_model() if path is None else path
    if folder.is_file():
        if folder.name != GENERATOR:
            raise WeightsError(f"{folder}: not a model; give its folder, or the {GENERATOR} in it")
        folder = folder.parent
    for name in (GENERATOR, ESTIMATORS, SCHEMA):
        if not (folder / name).is_file():
            raise WeightsError(f"{folder}: no {name} there; give the folder that `amgan train` wrote as model/")
    try:
        content = json.loads((folder / SCHEMA).read_text(encoding="utf-8"))
        return Schema(
            folder,
            GeneratorConfig.model_validate(content["generator"]),
            parse_atlas(content["atlas"], str(folder / SCHEMA)),
            tuple(int(c) for c in content["channels"]),
            str(content["notice"]),
            int(content["image_size"]),
            float(content["judge_share"]),
        )
    except (json.JSONDecodeError, KeyError, TypeError, ValidationError, AtlasError) as error:
        raise WeightsError(f"{folder / SCHEMA}: malformed ({' '.join(str(error).split())[:160]})") from error


def default_model() -> Path:
    """Folder of the model that comes with the package."""
    return Path(str(importlib.resources.files("amgan") / "weights" / "default"))
