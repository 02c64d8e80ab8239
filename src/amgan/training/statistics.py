"""The losses of a run on its way: means over some steps, as lines of ``stats.jsonl`` and, if wanted, in TensorBoard."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING

from torch import Tensor

from amgan.errors import MissingExtraError
from amgan.faces.output import write_whole

if TYPE_CHECKING:
    from torch.utils.tensorboard import SummaryWriter


class Means:
    """Means of losses since they were last taken; kept where the losses are, so that no GPU is waited for."""

    def __init__(self) -> None:
        self._sums: dict[str, Tensor] = {}
        self._counts: dict[str, int] = {}

    def add(self, losses: Mapping[str, Tensor]) -> None:
        """Counts in those of one step."""
        for name, value in losses.items():
            self._sums[name] = self._sums[name] + value if name in self._sums else value
            self._counts[name] = self._counts.get(name, 0) + 1

    def take(self) -> dict[str, Tensor]:
        """The means so far; then none have been counted."""
        means = {name: total / self._counts[name] for name, total in self._sums.items()}
        self._sums, self._counts = {}, {}
        return means


class Statistics:
    """Where a run's statistics go; a context manager.

    Args:
        folder: The run's: ``stats.jsonl`` and ``tensorboard/`` are in it.
        done: Steps behind the run. Lines of later ones, which will be made again, are taken out.
        tensorboard: Whether TensorBoard's files are written too.

    Raises:
        MissingExtraError: `tensorboard` is wanted and not installed.
        OutputError: The lines cannot be written.
    """

    def __init__(self, folder: Path, done: int, tensorboard: bool = False) -> None:
        self._board = _board(folder / "tensorboard", done) if tensorboard else None
        path = folder / "stats.jsonl"
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        # A line without its end is one in which the machine went down.
        lines = [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
        write_whole(path, "".join(line for line in lines if json.loads(line)["step"] <= done))
        self._file = path.open("a", encoding="utf-8")

    def write(self, step: int, seconds_per_step: float, losses: Mapping[str, float]) -> None:
        """Adds the means up to a step."""
        line = {"step": step, "seconds_per_step": round(seconds_per_step, 3), **losses}
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        if self._board is not None:
            for name, value in losses.items():
                # g_age is shown as g/age: one group for each network.
                self._board.add_scalar(name.replace("_", "/", 1), value, step)
            self._board.add_scalar("seconds_per_step", seconds_per_step, step)
            self._board.flush()

    def __enter__(self) -> Statistics:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()
        if self._board is not None:
            self._board.close()


def _board(folder: Path, done: int) -> SummaryWriter:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ModuleNotFoundError as error:
        raise MissingExtraError("--tensorboard needs tensorboard; pip install 'amgan[tensorboard]'") from error
    return SummaryWriter(folder, purge_step=done + 1 if done else None)
