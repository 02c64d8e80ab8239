"""The reference of all config files, written from the Pydantic models that read them."""

from __future__ import annotations

import inspect
import re
import types
import typing
from pathlib import Path
from typing import Any

from griffe import Docstring, DocstringSectionAttributes
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from amgan.data.curation.limits import Limits, default_limits
from amgan.inference.recipe_file import RecipeFile
from amgan.training.config import TrainConfig
from amgan.training.config_file import presets

INTRODUCTION = """# Configs

Made from the models that read these files when this site is built. A key that is not listed is refused, and an error
names the file and every key at fault.
"""

TRAINING = """## Training

The YAML of `amgan train`. `--set weights.age=50` and `--set stages.0.steps=10` change a key for one run.
"""

LIMITS = """## Limits of curation

The YAML of `amgan curate --limits`; what it does not name is as in the last column. `null` turns a limit off.
"""

RECIPE = """## Recipe

The JSON of `amgan age --recipe`.
"""


def config_page() -> str:
    """The page, as Markdown."""
    parts = [INTRODUCTION, TRAINING]
    for model in _nested(TrainConfig):
        parts += [f"### {model.__name__}", _summary(model), _table(model)]
    parts += [LIMITS, _table(Limits, default_limits()), RECIPE, _table(RecipeFile)]
    parts.append("## Presets\n\n`amgan train NAME` takes any of these files, as does a copy of it that you change.")
    parts += [f"### {name}\n\n```yaml\n{path.read_text('utf-8').strip()}\n```" for name, path in presets().items()]
    return "\n\n".join(parts) + "\n"


def _nested(model: type[BaseModel]) -> list[type[BaseModel]]:
    """A config and all that lie in its fields, outer ones first."""
    found = [model]
    for outer in found:
        for field in outer.model_fields.values():
            for inner in (field.annotation, *typing.get_args(field.annotation)):
                if inspect.isclass(inner) and issubclass(inner, BaseModel) and inner not in found:
                    found.append(inner)
    return found


def _documented(model: type[BaseModel]) -> dict[str, str]:
    sections = Docstring(inspect.getdoc(model) or "", parser="google").parse()
    attributes = [section for section in sections if isinstance(section, DocstringSectionAttributes)]
    return {item.name: " ".join(item.description.split()) for section in attributes for item in section.value}


def _summary(model: type[BaseModel]) -> str:
    return " ".join((inspect.getdoc(model) or "").split("\n\n")[0].split())


def _table(model: type[BaseModel], values: BaseModel | None = None) -> str:
    """Fields of a model.

    Args:
        model: The model.
        values: Defaults that lie in a file and not in the fields.
    """
    texts = _documented(model)
    rows = ["| key | type | default | |", "| --- | --- | --- | --- |"]
    for name, field in model.model_fields.items():
        default = getattr(values, name) if values is not None else _default(field)
        shown = "required" if default is PydanticUndefined else f"`{_written(default)}`"
        if isinstance(default, BaseModel):
            shown = "see below"
        text = texts[name].replace("|", "\\|").replace("<", "&lt;").replace("None ", "null ")
        rows.append(f"| `{name}` | {_type(field.annotation, field)} | {shown} | {text} |")
    return "\n".join(rows)


def _default(field: FieldInfo) -> Any:
    return field.get_default(call_default_factory=True, validated_data={})


def _written(value: Any) -> str:
    """A value as YAML writes it."""
    if value is None:
        return "null"
    return str(value).lower() if isinstance(value, bool) else str(list(value) if isinstance(value, tuple) else value)


def _type(annotation: Any, field: FieldInfo | None = None) -> str:
    """A type in words, with its limits."""
    origin, inner = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        text = _type(inner[0]) + _limits(inner[1:])
    elif origin is typing.Literal:
        text = ", ".join(f"`{value}`" for value in inner)
    elif origin in (typing.Union, types.UnionType):
        text = " or ".join(_type(part) for part in inner)
    elif origin is list:
        text = f"list of {_type(inner[0])}"
    elif origin is tuple:
        text = " and ".join(_type(part) for part in inner)
    elif origin is dict:
        text = f"{_type(inner[0])} to {_type(inner[1])}"
    elif inspect.isclass(annotation) and issubclass(annotation, tuple):
        parts = typing.get_type_hints(annotation)
        text = "list of " + " and ".join(f"{name} ({_type(part)})" for name, part in parts.items())
    elif annotation is types.NoneType:
        text = "null"
    elif annotation is Path:
        text = "path"
    else:
        names = {"float": "number", "int": "whole number", "bool": "true or false", "str": "text"}
        text = names.get(annotation.__name__, f"[{annotation.__name__}](#{annotation.__name__.lower()})")
    return text + (_limits(field.metadata) if field is not None else "")


def _limits(metadata: Any) -> str:
    """Limits such as `Ge(ge=0)`, or those inside of a `Field`."""
    words = {"ge": "≥", "gt": ">", "le": "≤", "lt": "<", "multiple_of": "multiple of", "min_length": "length ≥"}
    found = []
    for item in metadata:
        for limit in item.metadata if isinstance(item, FieldInfo) else (item,):
            found += [f"{word} {getattr(limit, key):g}" for key, word in words.items() if hasattr(limit, key)]
    return re.sub("<", "&lt;", f", {', '.join(found)}") if found else ""
