"""Whether the name of a result says a format that can be written: a wrong one is a wrong call, found at once."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import typer


def check_suffix(path: Path, suffixes: Collection[str], option: str = "-o") -> None:
    """Refuses a name that does not end in one of `suffixes`, in whatever case.

    Raises:
        typer.BadParameter: It does not.
    """
    if path.suffix.lower() not in suffixes:
        wrong = f"cannot write {path.suffix}" if path.suffix else "has no suffix to say its format"
        raise typer.BadParameter(f"{path}: {wrong}; end it in {', '.join(suffixes)}", param_hint=option)
