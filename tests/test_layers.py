"""The folders in the order data flows; each imports from those before it and never back."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import amgan

ROOT = Path(amgan.__file__).parent
# `engines` says where work on many photos is done, and knows nothing of faces.
LAYERS = (
    "engines",
    "faces",
    "signs",
    "maps",
    "data",
    "models",
    "training",
    "inference",
    "evaluation",
    "app",
    "cli",
)


def imports(path: Path) -> Iterator[str]:
    """The modules of this package that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield from (f"{node.module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def test_every_folder_of_code_has_its_place() -> None:
    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} == set(LAYERS)


@pytest.mark.parametrize("layer", LAYERS)
def test_a_folder_imports_from_those_before_it(layer: str) -> None:
    later = set(LAYERS[LAYERS.index(layer) + 1 :])
    back = [
        f"{path.relative_to(ROOT)}: {module}"
        for path in sorted((ROOT / layer).rglob("*.py"))
        for module in imports(path)
        if module.startswith("amgan.") and module.split(".")[1] in later
    ]
    assert not back
