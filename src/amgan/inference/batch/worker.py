"""What one process does with one photo, and the pool of processes that do it to all.

A worker writes a result aside and nothing else; its parent alone names results and writes the table. So a worker may
die at any moment without a result being lost half.
"""

from __future__ import annotations

import sys
import time
import traceback
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType

from amgan.errors import AmganError, OutputError, PhotoError, in_one_line
from amgan.faces.output import write_image
from amgan.faces.photo import read_photo
from amgan.inference.ager import Ager, Precision
from amgan.inference.batch.recipes import Recipe
from amgan.inference.batch.results import AGED, FAILED, Result
from amgan.processes import quiet_stderr, run_in_worker, worker_pool
from amgan.signs.atlas import Atlas

# Photos in the hands of the pool at once, for each worker: enough that none waits.
_AHEAD = 2


@dataclass(frozen=True)
class Settings:
    """What is the same for all photos of a run.

    Attributes:
        model: As for `Ager`.
        face_model: As for `Ager`.
        precision: As for `Ager`.
        population: The atlas whose percentiles are meant.
        seed: Of the dither.
    """

    model: Path | None = None
    face_model: Path | None = None
    precision: Precision = "auto"
    population: Atlas | None = None
    seed: int = 0


@dataclass(frozen=True)
class Task:
    """One photo to age.

    Attributes:
        recipe: What is wanted.
        digest: `Result.recipe`.
        aside: Where the result is written.
    """

    recipe: Recipe
    digest: str
    aside: Path

    def failed(self, error: str, seconds: float = 0) -> Result:
        """The result of a task that came to nothing."""
        line = in_one_line(error, None)
        return Result(self.recipe.name, self.recipe.out, FAILED, line, seconds=f"{seconds:.2f}")


class Worker:
    """Ages one photo after the other; use as a context manager. The model is loaded for the first.

    Args:
        settings: What is the same for all photos.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._ager: Ager | None = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ager is not None:
            self._ager.close()

    def run(self, task: Task) -> Result:
        """Ages a photo and writes the result aside.

        Raises:
            AmganError: What would befall every photo: the model cannot be loaded, or nothing be written there.
        """
        if self._ager is None:
            with quiet_stderr():
                self._ager = Ager(self.settings.model, self.settings.face_model, self.settings.precision)
        start = time.perf_counter()
        recipe = task.recipe
        try:
            photo = read_photo(recipe.photo)
            aged = self._ager.age(
                photo, **vars(recipe.request), population=self.settings.population, seed=self.settings.seed
            )
            write_image(aged.image, task.aside, photo=photo, overwrite=True)
        except PhotoError as error:
            return task.failed(str(error), time.perf_counter() - start)
        except OutputError as error:
            if not _of_one_picture(error):
                raise
            return task.failed(str(error).replace(str(task.aside), recipe.out), time.perf_counter() - start)
        except AmganError:
            raise
        except Exception as error:
            # A fault of this program, which shows on one photo of many: told in full, and the others are still aged.
            traceback.print_exc(file=sys.stderr)
            return task.failed(f"{recipe.photo}: {type(error).__name__}: {error}", time.perf_counter() - start)
        return Result(
            recipe.name,
            recipe.out,
            AGED,
            estimated_age=str(aged.faces[0].age),
            faces=str(len(aged.faces)),
            seconds=f"{time.perf_counter() - start:.2f}",
            recipe=task.digest,
        )


def _of_one_picture(error: OutputError) -> bool:
    """Whether a picture cannot be written since it does not fit its format, and not for want of a disk or folder."""
    cause = error.__cause__
    # Pillow's encoders raise many types, OSError too; but only what the system says has a number.
    return cause is not None and not (isinstance(cause, OSError) and cause.errno is not None)


def run_tasks(settings: Settings, tasks: Iterable[Task], workers: int, report: Callable[[Task, Result], None]) -> None:
    """Does tasks in processes of their own. One worker is this process.

    On Ctrl-C, or when `report` raises, photos that are begun in other processes are finished and reported. In this
    process Ctrl-C drops the photo in hand.

    Args:
        settings: What is the same for all photos.
        tasks: What to do.
        workers: Number of processes.
        report: Called in this process with each task that is done, in no particular order.

    Raises:
        AmganError: As `Worker.run`.
    """
    if workers == 1:
        with Worker(settings) as worker:
            for task in tasks:
                report(task, worker.run(task))
        return
    waiting = deque(tasks)
    while waiting:
        for task in _in_pool(settings, waiting, workers, report):
            # One of these killed its process, none can say which. Alone in a process, only that one fails.
            if _in_pool(settings, deque([task]), 1, report):
                report(task, task.failed(f"{task.recipe.photo}: its process died (out of memory?); use less --workers"))


def _in_pool(
    settings: Settings, waiting: deque[Task], workers: int, report: Callable[[Task, Result], None]
) -> list[Task]:
    """Does tasks until all are done or a process dies.

    Args:
        settings: What is the same for all photos.
        waiting: What to do; what is taken in hand is taken out.
        workers: Number of processes.
        report: As for `run_tasks`.

    Returns:
        Tasks that were in hand when a process died.
    """
    pool = worker_pool(partial(Worker, settings), workers)
    running: dict[Future[Result], Task] = {}
    try:
        while waiting or running:
            while waiting and len(running) < _AHEAD * workers:
                running[pool.submit(run_in_worker, waiting[0])] = waiting[0]
                waiting.popleft()
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                result = future.result()
                report(running.pop(future), result)
    except BrokenProcessPool:
        return [task for future, task in running.items() if not _is_fine(future)]
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        for future in [future for future in running if _is_fine(future)]:
            report(running.pop(future), future.result())
    return []


def _is_fine(future: Future[Result]) -> bool:
    return future.done() and not future.cancelled() and future.exception() is None
