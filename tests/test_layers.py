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
    """The modules of this package that a file imports, wherever in it and however it names them."""
    package = ("amgan", *path.relative_to(ROOT).parent.parts)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else ()
            module = ".".join((*above, *filter(None, [node.module])))
            yield from (f"{module}.{name.name}" for name in node.names)
        elif isinstance(node, ast.Import):
            yield from (name.name for name in node.names)


def test_imports_are_found_however_they_are_written() -> None:
    # This one names its neighbours by a dot.
    assert "amgan.evaluation.judges.signs.SignJudge" in set(imports(ROOT / "evaluation" / "judges" / "cross.py"))


def test_what_lies_beside_the_folders_imports_from_none() -> None:
    # The package itself hands on what it is used for, and starts the program.
    beside = [path for path in ROOT.glob("*.py") if path.stem not in ("__init__", "__main__")]
    names = {f"amgan.{layer}" for layer in LAYERS}
    assert beside
    assert not [name for path in beside for name in imports(path) if ".".join(name.split(".")[:2]) in names]


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
