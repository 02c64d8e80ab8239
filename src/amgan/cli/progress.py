"""A bar on stderr."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

_T = TypeVar("_T")


def bar(items: Iterable[_T], label: str, total: int | None) -> Iterable[_T]:
    """Passes items on, and shows how many of `total` have gone by."""
    from rich.console import Console
    from rich.progress import track

    return track(items, label, total=total, console=Console(stderr=True))
