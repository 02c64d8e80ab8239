"""How a program of ours takes memory from the system; it is the program's to choose, never the library's."""

from __future__ import annotations

import ctypes
import os
import sys

# Numbers of mallopt(3).
_TRIM_THRESHOLD, _MMAP_MAX = -1, -4


def keep_freed_memory() -> None:
    """Has the C library keep memory that is freed for whoever asks next; called where a program begins.

    By default it gives every array of some megabytes back to the system, which hands the next one out page by page,
    blank. In a training step that took a fifth of the time (docs/training.md). Only glibc has the choice.

    Processes that this one starts take large pages too, which can only be asked for before a process begins. Who set
    ``GLIBC_TUNABLES`` is left alone.
    """
    if sys.platform != "linux" or not hasattr(library := ctypes.CDLL(None), "mallopt"):
        return
    # No block lies outside of the heap, and nothing of the heap goes back.
    for choice, value in ((_MMAP_MAX, 0), (_TRIM_THRESHOLD, -1)):
        library.mallopt(choice, value)
    os.environ.setdefault("GLIBC_TUNABLES", "glibc.malloc.hugetlb=1")
