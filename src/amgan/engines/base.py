"""What an engine is: something that hands items to workers and gives back what they made of them, in order."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from types import TracebackType
from typing import Literal, Protocol, Self, TypeVar

from amgan.errors import EngineError, RequestError

Item = TypeVar("Item")
Result = TypeVar("Result")
_ItemIn = TypeVar("_ItemIn", contravariant=True)
_ResultOut = TypeVar("_ResultOut", covariant=True)
EngineName = Literal["local", "ray"]


class Worker(Protocol[_ItemIn, _ResultOut]):
    """Handles one item after the other, in one process; holds the models that this needs."""

    def run(self, item: _ItemIn) -> _ResultOut:
        """Handles an item; an `AmganError` that it raises ends the run."""

    def close(self) -> None:
        """Frees the models."""


class Engine(Protocol):
    """Use as a context manager. Results do not depend on which engine it is, nor on how many workers it has."""

    def __enter__(self) -> Self:
        """Nothing is started before there is work."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Ends what was started."""

    def run(
        self, start: Callable[[], Worker[Item, Result]], items: Iterable[Item], name: Callable[[Item], str]
    ) -> Generator[Result, None, None]:
        """Yields the results in the order of the items.

        Args:
            start: Makes a worker. It is pickled, and called once in each process that works.
            items: Taken as they are needed, so they may be a stream.
            name: What an item is called in an error.

        Raises:
            AmganError: One that a worker raised.
            EngineError: A process died, or the engine cannot be started.
        """


def open_engine(name: EngineName, workers: int | None = None, address: str | None = None) -> Engine:
    """The engine that a command asks for.

    Args:
        name: Which.
        workers: Processes; None for one a core.
        address: Of an existing Ray cluster; None for the environment's ``RAY_ADDRESS``, else one of its own.

    Raises:
        MissingExtraError: Ray is not installed.
        RequestError: An address is given to an engine that has none.
    """
    # Here, so that neither engine loads what the other needs.
    if name == "ray":
        from amgan.engines.ray_data import RayEngine

        return RayEngine(workers, address)
    if address is not None:
        raise RequestError("--ray-address is of the engine ray; give --engine ray too")
    from amgan.engines.local import LocalEngine

    return LocalEngine(workers)


def reachable(folder: Path, place: str) -> None:
    """Checks that a worker sees a folder of the run.

    Args:
        folder: Absolute.
        place: Name of the machine the worker is on.

    Raises:
        EngineError: It does not.
    """
    if not folder.is_dir():
        raise EngineError(f"{folder}: not there on {place}; all machines need it under the same path")
