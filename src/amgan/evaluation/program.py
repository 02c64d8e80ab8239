"""Which amgan measured: what it says of a face depends on its own code as well as on the model."""

from __future__ import annotations

import hashlib
import importlib.resources
from pathlib import Path

from amgan import __version__
from amgan.faces.parsing import NAME

# What is no part of a measured line: what teaches and serves models, and what is made anew of the lines each time.
_WITHOUT = (
    "app",
    "cli",
    "engines",
    "training",
    "weights",
    *(f"evaluation/{name}" for name in ("figures", "panel", "report", "reproduce", "summary.py", "totals")),
)
# Code, atlases, limits and the tables and networks that lie beside the code.
_DECIDING = {".py", ".yaml", ".csv", ".json", ".safetensors"}


def program() -> dict[str, str]:
    """What an evaluation depends on beside its model and faces: amgan's version, and digests of what it is made of."""
    package = Path(str(importlib.resources.files("amgan")))
    parsing = hashlib.sha256((package / "weights" / NAME).read_bytes()).hexdigest()
    return {"amgan": __version__, "parsing": parsing, "code": digest_of_code(package)}


def digest_of_code(package: Path) -> str:
    """SHA-256 of the files that decide what is measured, and of their names.

    Args:
        package: The folder of amgan, or of a copy.
    """
    digest = hashlib.sha256()
    files = {path.relative_to(package).as_posix(): path for path in package.rglob("*") if path.suffix in _DECIDING}
    for name in sorted(files):
        if not any(name == part or name.startswith(f"{part}/") for part in _WITHOUT):
            content = files[name].read_bytes()
            digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()
