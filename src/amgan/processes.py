"""What every pool of worker processes needs, and silence while C++ libraries start."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import pickle
import signal
import sys
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from amgan.errors import AmganError
from amgan.memory import keep_freed_memory

# Where Linux says how much memory is free, and how much of it a container may have.
_MEMORY, _CONTAINER = Path("/proc/meminfo"), Path("/sys/fs/cgroup")


def usable_cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def fitting_workers(size: int) -> int:
    """A worker a core, as far as free memory has room for so many of `size` bytes; one at least."""
    free = free_memory()
    return usable_cores() if free is None else max(1, min(usable_cores(), free // size))


def free_memory() -> int | None:
    """Bytes that may still be taken of the machine's memory, or of what its container may have; None if not known."""
    found = []
    with contextlib.suppress(OSError):
        fields = dict(line.split(":", 1) for line in _MEMORY.read_text().splitlines())
        found.append(int(fields["MemAvailable"].split()[0]) * 1024)
    with contextlib.suppress(OSError, ValueError):  # of a container without a limit it says "max"
        limit, taken = (int((_CONTAINER / name).read_text()) for name in ("memory.max", "memory.current"))
        found.append(max(0, limit - taken))
    return min(found, default=None)


def worker_pool(start: Callable[[], Any], workers: int) -> ProcessPoolExecutor:
    """Processes with a worker each, to which `run_in_worker` is submitted. They end with this process.

    Args:
        start: Makes a worker, which has a method ``run``; pickled, and called once in each process. An `AmganError`
            that it raises comes out of the first item.
        workers: Number of processes.
    """
    # Not by the pipe that starts a process: of one that dies before it has read all, what is written waits for ever.
    with tempfile.NamedTemporaryFile(prefix="amgan-", suffix=".worker", delete=False) as file:
        pickle.dump(start, file)
    # Not forked: the parent has threads, which a forked C++ library would wait for in vain.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(workers, context, _start, (file.name, workers))
    weakref.finalize(pool, Path(file.name).unlink, missing_ok=True)
    return pool


def end_now(pool: ProcessPoolExecutor) -> None:
    """Ends the processes of a pool in the midst of their work, which is lost."""
    for process in list(pool._processes.values()):
        process.terminate()


def run_in_worker(item: Any) -> Any:
    """What the worker of this process makes of an item."""
    return _worker.run(item)


_worker: Any = None


def _start(file: str, workers: int) -> None:
    """Prepares a process of the pool."""
    global _worker
    follow_parent()
    keep_freed_memory()
    try:
        # Read first, which imports PyTorch where it is needed.
        start = pickle.loads(Path(file).read_bytes())
        share_cores(workers)
        _worker = start()
    except AmganError as error:
        # Raised here it would be a traceback, and a pool that is broken for no reason.
        _worker = _Unable(error)


class _Unable:
    """Stands for a worker that could not be made."""

    def __init__(self, error: AmganError) -> None:
        self._error = error

    def run(self, item: Any) -> Any:
        raise self._error


def share_cores(workers: int) -> None:
    """Gives this process its part of the threads when so many are at work: more would wait for each other."""
    import cv2

    threads = max(1, usable_cores() // workers)
    cv2.setNumThreads(threads)
    # Not imported for work that does without: it takes 300 MB.
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(threads)


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Has PyTorch and OpenCV work with one thread: with more, sums come out otherwise in the last digit."""
    import cv2
    import torch

    before = torch.get_num_threads(), cv2.getNumThreads()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before[0])
        cv2.setNumThreads(before[1])


def network_threads() -> int:
    """Threads for a network that PyTorch does not run: as many as PyTorch has, where it is loaded."""
    if torch := sys.modules.get("torch"):
        return int(torch.get_num_threads())
    import cv2

    asked = os.environ.get("OMP_NUM_THREADS", "")
    return min(int(asked) if asked.isdigit() and int(asked) else usable_cores(), max(cv2.getNumThreads(), 1))


def follow_parent() -> None:
    """Makes a worker process end with its parent and not by Ctrl-C; called once in the worker."""
    # Ctrl-C is the parent's affair, which lets what has begun be finished.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # A worker waits for work on a pipe that it holds open itself: it would outlive a parent that was killed.
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


@contextlib.contextmanager
def quiet_stderr() -> Iterator[None]:
    """Sends file descriptor 2 nowhere for a moment.

    MediaPipe's graph and Ray's core write their start-up remarks there and know no option against it; their errors are
    exceptions.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
