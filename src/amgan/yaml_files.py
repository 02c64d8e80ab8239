"""Reading the YAML files that a user may write: atlases, limits, training configs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from amgan.errors import AmganError, in_one_line


def read_mapping(path: Path, what: str, shape: str, error: type[AmganError]) -> dict[str, Any]:
    """The mapping that a YAML file holds.

    Args:
        path: The file.
        what: What it is to be, such as ``the atlas``, for the message.
        shape: What such a file looks like, for the message.
        error: The error of this kind of file.

    Raises:
        AmganError: Of the type `error`: the file cannot be read, is not YAML or is no mapping.
    """
    try:
        content: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as fault:
        raise error(f"{path}: cannot read {what} ({fault.strerror})") from fault
    except (yaml.YAMLError, ValueError) as fault:
        # A ValueError: not UTF-8, or what looks like a date and is none.
        raise error(f"{path}: not a YAML file ({in_one_line(fault, None)})") from fault
    if not isinstance(content, dict):
        raise error(f"{path}: {shape}")
    return content


@dataclass(frozen=True)
class Extending:
    """A kind of YAML file that may say `extends: OTHER` and then only what it has beyond the other one.

    OTHER is the name of a file that comes with the package, or a path as seen from the file that extends it.

    Attributes:
        noun: What one is called, such as ``atlas``.
        shape: What such a file looks like, for messages.
        error: The error of this kind of file.
        shipped: Folder of those that come with the package.
        check: Validates what a file says, with all that it extends; is given the file's name for the message.
        lay_over: Brings a base and what extends it together.
    """

    noun: str
    shape: str
    error: type[AmganError]
    shipped: Path
    check: Callable[[dict[str, Any], str], object]
    lay_over: Callable[[dict[str, Any], dict[str, Any]], dict[str, Any]]

    def names(self) -> list[str]:
        """Those that come with the package."""
        return sorted(path.stem for path in self.shipped.glob("*.yaml"))

    def locate(self, reference: str, folder: Path) -> Path:
        """The file that a reference means: a bare name is a shipped one, all else a path as seen from `folder`.

        Raises:
            AmganError: Of the type `error`: none that is shipped has this name.
        """
        if Path(reference).name != reference or Path(reference).suffix:
            return folder / reference
        if reference not in self.names():
            there = ", ".join(self.names())
            raise self.error(f"no {self.noun} {reference!r}; there are: {there}, or give a YAML file")
        return self.shipped / f"{reference}.yaml"

    def read(self, path: Path, heirs: tuple[Path, ...] = ()) -> dict[str, Any]:
        """What a file says, laid over the content of the one it extends.

        Args:
            path: The file.
            heirs: Those that extend it.

        Raises:
            AmganError: Of the type `error`: a file cannot be read, or what is extended is at fault by itself.
        """
        content = read_mapping(path, f"the {self.noun}", self.shape, self.error)
        reference = content.pop("extends", None)
        if reference is None:
            return content
        heirs = (*heirs, path.resolve())
        try:
            base_path = self.locate(str(reference), path.parent)
            if base_path.resolve() in heirs:
                raise self.error(f"a cycle: {' extends '.join(heir.name for heir in (*heirs, base_path))}")
            base = self.read(base_path, heirs)
            # Checked on its own, so that a fault is reported under the file that has it.
            self.check(base, str(base_path))
        except self.error as error:
            raise self.error(f"{path}: extends: {error}") from error
        return self.lay_over(base, content)


def laid_over(
    base: dict[str, Any], content: dict[str, Any], voids: Mapping[str, str] = MappingProxyType({})
) -> dict[str, Any]:
    """`content` over `base`: mappings key by key, a null takes a key out, all else, lists too, replaces.

    Args:
        base: What is extended.
        content: What extends it.
        voids: Key to the key beside it that no longer holds where `content` has the first one.

    Example:
        >>> laid_over({"a": {"b": 1, "c": 2}, "d": [3]}, {"a": {"b": None, "e": 4}, "d": [5]})
        {'a': {'c': 2, 'e': 4}, 'd': [5]}
    """
    void = {voids[key] for key in content if key in voids}
    merged = {key: value for key, value in base.items() if key not in void}
    for key, value in content.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, dict) and isinstance(merged.get(key), dict):
            merged[key] = laid_over(merged[key], value, voids)
        else:
            merged[key] = value
    return merged
