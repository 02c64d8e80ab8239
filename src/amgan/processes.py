"""What every pool of worker processes needs."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading


def usable_cores() -> int:
    """Processor cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


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
