"""Where installed packages keep the files that they are here for."""

from __future__ import annotations

import importlib.util
from pathlib import Path


def package_folder(module: str) -> Path | None:
    """Folder of a package, found without importing it, which would cost its own imports; None if it is not installed.

    Args:
        module: Import name of a top-level package.
    """
    spec = importlib.util.find_spec(module)
    if spec is None or not spec.submodule_search_locations:
        return None
    return Path(spec.submodule_search_locations[0])
