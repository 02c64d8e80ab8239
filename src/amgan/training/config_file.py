"""Reads training configs: one YAML, which may extend another, and what the command line lays over it."""

from __future__ import annotations

import importlib.resources
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from amgan.errors import ConfigError
from amgan.models.bundle import load_bundle_schema
from amgan.training.config import TrainConfig, start_folder
from amgan.yaml_files import Extending, laid_over

# What the ``config.json`` of a run, which is a config too, has beside a config's keys (`amgan.training.run_folder`).
ATLAS_DIGEST = "atlas_sha256"
SHIPPED = Path(str(importlib.resources.files("amgan.training"))) / "configs"


def load_config(path: Path, overrides: list[str] | None = None, data: Path | None = None) -> TrainConfig:
    """Reads a training config, with what it takes from the one it `extends`.

    Args:
        path: YAML file.
        overrides: ``key=value`` with dots for nesting and YAML values: ``weights.age=50``, ``stages.0.steps=10``; a
            null takes the key out, as in a file that extends another.
        data: Replaces the config's data folder.

    Raises:
        ConfigError: Names the file and every key at fault.
    """
    content = _EXTENDING.read(path)
    content.pop(ATLAS_DIGEST, None)
    for override in overrides or []:
        _set(content, override)
    if data is not None:
        content["data"] = str(data)
    return _validated(content, str(path))


def presets() -> dict[str, Path]:
    """The configs that come with the package, by name."""
    return {name: SHIPPED / f"{name}.yaml" for name in _EXTENDING.names()}


def config_path(config: str) -> Path:
    """The file that a preset's name or a path stands for; a file of one's own goes before a preset.

    Raises:
        ConfigError: It is neither.
    """
    path = Path(config)
    if path.is_file():
        return path
    if config in presets():
        return presets()[config]
    raise ConfigError(f"{config}: no such file, and no preset; there are: {', '.join(presets())}")


def _validated(content: dict[str, Any], source: str) -> TrainConfig:
    start = content.get("start")
    if start is not None:
        of_model = load_bundle_schema(start_folder(start)).generator_config.model_dump()
        # The `config.json` of a run has it, beside `start`.
        if content.get("generator", of_model) != of_model:
            raise ConfigError(f"{source}: generator: leave it out, it is that of start: {start}")
        content = {**content, "generator": of_model}
    for part in ("generator", "critic") if start is None else ("critic",):
        asked = content.get(part)
        # The default stands in every config that is printed, and asks for nothing.
        if isinstance(asked, dict) and asked.get("map_channels", 1) != 1:
            fault = f"{part}.map_channels: is counted from generator.maps and the atlas; leave it out"
            raise ConfigError(f"{source}: {fault}")
    try:
        return TrainConfig.model_validate(content)
    except ValidationError as error:
        faults = [f"{'.'.join(str(part) for part in e['loc'])}: {e['msg']}" for e in error.errors()]
        raise ConfigError(f"{source}: {'; '.join(faults)}") from error


def _check_base(content: dict[str, Any], source: str) -> None:
    # The folder of photos may be left to those that extend it.
    _validated({"data": ".", **content}, source)


_EXTENDING = Extending(
    "config", "a config is a mapping of keys to values", ConfigError, SHIPPED, _check_base, laid_over
)


def _set(content: dict[str, Any], override: str) -> None:
    key, equals, text = override.partition("=")
    if not equals:
        raise ConfigError(f"--set {override}: write key=value")
    *parents, last = key.split(".")
    node: Any = content
    try:
        for part in parents:
            node = node[int(part)] if isinstance(node, list) else node.setdefault(part, {})
        value = yaml.safe_load(text)
        if value is None and isinstance(node, dict):
            node.pop(last, None)
        else:
            node[int(last) if isinstance(node, list) else last] = value
    except (ValueError, IndexError, AttributeError, TypeError, yaml.YAMLError) as error:
        raise ConfigError(f"--set {override}: no such place in the config, or no YAML value") from error
