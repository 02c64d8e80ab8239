"""Prepares what comes next in threads while the caller is at work, or what is wanted now in several at once."""

from __future__ import annotations

import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import TypeVar

import torch

_LOWEST = 19

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


def made_ahead(make: Callable[[_Item], _Made], items: Iterable[_Item], workers: int) -> Generator[_Made, None, None]:
    """What is made of each item, in their order, the next ones prepared while one is used.

    Threads and not processes, so that all share one cache and nothing is copied; decoding, resizing and arithmetic on
    arrays let go of the interpreter. Each computes with one thread of its own, as those of `side_by_side` do, so that
    sums come out alike. Close the iterator (`contextlib.closing`) to end them early.

    Args:
        make: Makes something of an item; from several threads at once.
        items: What to make it of.
        workers: Threads, at least one; twice as many items are made ahead.

    Example:
        >>> list(made_ahead(lambda number: number**2, range(4), workers=2))
        [0, 1, 4, 9]
    """
    waiting: deque[Future[_Made]] = deque()
    pool = _single_threaded(workers, lowest=True)
    try:
        for item in items:
            waiting.append(pool.submit(make, item))
            if len(waiting) > 2 * workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


@contextmanager
def side_by_side(count: int) -> Iterator[ThreadPoolExecutor]:
    """So many threads for work that the caller waits for; leaving ends them.

    Example:
        >>> with side_by_side(2) as pool:
        ...     list(pool.map(abs, [-1, 2]))
        [1, 2]
    """
    pool = _single_threaded(count, lowest=False)
    try:
        yield pool
    finally:
        pool.shutdown(cancel_futures=True)


def _single_threaded(count: int, lowest: bool) -> ThreadPoolExecutor:
    """Threads in each of which PyTorch computes without more of them: they would fight with the step's.

    Args:
        count: How many.
        lowest: Whether they give way to everything else.
    """
    pool = ThreadPoolExecutor(count, "ahead")
    threads, started = torch.get_num_threads(), threading.Barrier(count + 1)

    def start() -> None:
        torch.get_num_threads()  # the first call in a thread sets the common number
        torch.set_num_threads(1)
        if lowest and sys.platform == "linux":  # elsewhere the priority is the process's
            # What is made ahead can wait: with more busy threads than cores each of the step's thousands of joint
            # operations waits for a time slice, and beside grafts a step took four times as long on two cores.
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), _LOWEST)
        started.wait()

    for _ in range(count):
        pool.submit(start)
    started.wait()
    # The number is each thread's own, but the last one set becomes the common one, of threads to come.
    torch.set_num_threads(threads)
    return pool
