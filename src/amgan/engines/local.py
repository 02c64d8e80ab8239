"""The default engine: processes of this machine."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from types import TracebackType
from typing import Self

from amgan.engines.base import Item, Result, Worker
from amgan.errors import EngineError
from amgan.processes import end_now, run_in_worker, usable_cores, worker_pool

# Items in the hands of the pool at once, for each worker: enough that none waits, few enough that memory is flat.
_AHEAD = 4


class LocalEngine:
    """Does work in processes of this machine; one worker is this process.

    Args:
        workers: Processes; None for one a core.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or usable_cores()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """A pool lives no longer than its run."""

    def run(
        self, start: Callable[[], Worker[Item, Result]], items: Iterable[Item], name: Callable[[Item], str]
    ) -> Generator[Result, None, None]:
        """As `Engine.run`; items are taken only as fast as they are done."""
        if self.workers == 1:
            with contextlib.closing(start()) as worker:
                yield from map(worker.run, items)
            return
        pool = worker_pool(start, self.workers)
        waiting: deque[tuple[str, Future[Result]]] = deque()
        try:
            for item in items:
                waiting.append((name(item), pool.submit(run_in_worker, item)))
                if len(waiting) >= _AHEAD * self.workers:
                    yield waiting[0][1].result()
                    waiting.popleft()
            while waiting:
                yield waiting[0][1].result()
                waiting.popleft()
        except (GeneratorExit, KeyboardInterrupt):
            # Nobody takes what would still come, and an item may last.
            end_now(pool)
            raise
        except BrokenProcessPool as error:
            undone = [name for name, future in waiting if not future.done() or future.exception() is not None]
            raise EngineError(
                f"a worker process died at or near {', '.join(undone[: self.workers]) or 'the first photo'} (out of "
                "memory?); what is done stays: run again with fewer --workers, or take the photo away"
            ) from error
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
