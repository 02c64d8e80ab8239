"""Bars on stderr."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

_T = TypeVar("_T")


def bar(items: Iterable[_T], label: str, total: int | None) -> Iterable[_T]:
    """Passes items on, and shows how many of `total` have gone by."""
    from rich.console import Console
    from rich.progress import track

    return track(items, label, total=total, console=Console(stderr=True))


def frame_bar(frames: Iterable[_T], label: str, total: int | None) -> Iterator[_T]:
    """As `bar`, with frames a second and the time left."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task(label, total=total, rate="")
        for frame in frames:
            yield frame
            speed = progress.tasks[task].speed
            progress.update(task, advance=1, rate="" if speed is None else f"{speed:.2g} fps")
        progress.update(task, total=progress.tasks[task].completed)
