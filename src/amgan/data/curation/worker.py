"""What one process does with one photo, and the pool of processes that do it to all.

A worker reads SRC, writes aligned faces into DST and nothing else; rows go back to the parent, which alone writes the
table. So a worker may die at any moment without a row being lost half.
"""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import signal
import threading
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from amgan.data.curation.files import Destination, PhotoFile, aligned_name
from amgan.data.curation.limits import Limits
from amgan.data.curation.measure import Measured, PhotoMeasurer, read_pixels
from amgan.errors import DatasetError, OutputError, PhotoError
from amgan.faces.align import Alignment, align_face
from amgan.faces.detect import quiet_stderr

# Photos in the hands of the pool at once, for each worker: enough that none waits, few enough that memory is flat.
_AHEAD = 4
_ENCODING = {"png": [cv2.IMWRITE_PNG_COMPRESSION, 1], "jpg": [cv2.IMWRITE_JPEG_QUALITY, 97]}
_ENCODING["jpg"] += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]


@dataclass(frozen=True)
class Job:
    """What is the same for all photos of a run.

    Attributes:
        source: SRC, resolved.
        destination: DST.
        limits: What is kept.
    """

    source: Path
    destination: Destination
    limits: Limits


@dataclass(frozen=True)
class Task:
    """One photo to look at.

    Attributes:
        file: The photo.
        age: Years; NaN if unknown.
        matrix: Six numbers of a known alignment: then the face is only cut out again, nothing is measured.
    """

    file: PhotoFile
    age: float
    matrix: tuple[float, ...] | None = None


class Worker:
    """Handles one photo after the other; use as a context manager.

    The face detector is made when the first photo has to be measured: cutting out again needs none.

    Args:
        job: What is the same for all photos.
    """

    def __init__(self, job: Job) -> None:
        self.job = job
        self._measurer: PhotoMeasurer | None = None

    def __enter__(self) -> Worker:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._measurer is not None:
            self._measurer.__exit__(kind, error, trace)

    def run(self, task: Task) -> dict[str, Any]:
        """Does a task.

        Returns:
            A row as `table.MEASURED` has it; of a known alignment only ``path`` and ``error``.

        Raises:
            OutputError: The aligned face cannot be written.
        """
        file, rgb, error = task.file, None, task.file.error
        path = self.job.source / file.name
        if not error:
            try:
                rgb = read_pixels(path)
            except PhotoError as fault:
                error = str(fault).removeprefix(f"{path}: ")  # which the row names itself
        if task.matrix is not None:
            if rgb is not None:
                matrix = np.array(task.matrix, np.float64).reshape(2, 3)
                self._save(file.name, Alignment(matrix, self.job.destination.size), rgb)
            return {"path": file.name, "error": error}
        row: dict[str, Any] = {"path": file.name, "bytes": file.bytes, "modified_ns": file.modified_ns}
        row["sha256"] = _sha256(path)
        if rgb is None:
            return {**row, **asdict(Measured(error=error))}
        if self._measurer is None:
            with quiet_stderr():
                self._measurer = PhotoMeasurer()
                # Its remarks go on until the first picture is through.
                self._measurer.measure(np.zeros((64, 64, 3), np.uint8))
        measured, face = self._measurer.measure(rgb)
        row |= asdict(measured)
        if face is not None:
            alignment = align_face(face.landmarks, self.job.destination.size)
            row["landmarks"] = alignment.to_aligned(face.landmarks).ravel()
            row["matrix"] = alignment.matrix.ravel()
            row["blendshapes"] = face.blendshapes
            if not self.job.limits.reason(measured, task.age):
                self._save(file.name, alignment, rgb)
        return row

    def _save(self, name: str, alignment: Alignment, rgb: npt.NDArray[np.uint8]) -> None:
        """Writes an aligned face, aside first, so that its name never stands for half an image."""
        destination = self.job.destination
        bgr = cv2.cvtColor(alignment.crop(rgb), cv2.COLOR_RGB2BGR)
        _, encoded = cv2.imencode(f".{destination.image_format}", bgr, _ENCODING[destination.image_format])
        path = destination.aligned / aligned_name(name, destination.image_format)
        aside = path.with_name(path.name + ".part")
        try:
            aside.write_bytes(encoded.tobytes())
            aside.replace(path)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written ({error.strerror}); what is done stays, run again") from error


def run_tasks(job: Job, tasks: Iterable[Task], workers: int) -> Generator[dict[str, Any], None, None]:
    """Does tasks in processes of their own and yields their rows in the tasks' order.

    Tasks are taken only as fast as they are done, so they may be a stream of any length. One worker is this process.

    Raises:
        OutputError: An aligned face cannot be written.
        DatasetError: A worker process died.
    """
    if workers == 1:
        with Worker(job) as worker:
            yield from map(worker.run, tasks)
        return
    # Not forked: the parent has threads, which a forked C++ library would wait for in vain.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, _start, (job,))
    waiting: deque[tuple[str, Future[dict[str, Any]]]] = deque()
    try:
        for task in tasks:
            waiting.append((task.file.name, pool.submit(_run, task)))
            if len(waiting) >= _AHEAD * workers:
                yield waiting[0][1].result()
                waiting.popleft()
        while waiting:
            yield waiting[0][1].result()
            waiting.popleft()
    except BrokenProcessPool as error:
        undone = [name for name, future in waiting if not future.done() or future.exception() is not None]
        raise DatasetError(
            f"a worker process died at or near {', '.join(undone[:workers]) or 'the first photo'} (out of memory?); "
            "what is done stays: run again with fewer --workers, or take the photo away"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


_worker: Worker | None = None


def _start(job: Job) -> None:
    """Prepares a process of the pool."""
    global _worker
    # Ctrl-C is the parent's affair, which lets what has begun be finished.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A worker waits for work on a pipe that it holds open itself: it would outlive a parent that was killed.
    threading.Thread(target=_die_with_parent, daemon=True).start()
    cv2.setNumThreads(1)
    _worker = Worker(job)


def _die_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _run(task: Task) -> dict[str, Any]:
    assert _worker is not None
    return _worker.run(task)


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
