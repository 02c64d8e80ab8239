"""Reading the YAML files that a user may write: atlases, limits, training configs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from amgan.errors import AmganError


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
    except (yaml.YAMLError, UnicodeDecodeError) as fault:
        raise error(f"{path}: not a YAML file ({' '.join(str(fault).split())})") from fault
    if not isinstance(content, dict):
        raise error(f"{path}: {shape}")
    return content
