"""A bounded memory of what is dear to make: decoded pictures, shrunk pictures, masks."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any

import numpy.typing as npt


class ArrayCache:
    """Keeps the arrays that were asked for last, up to a number of bytes. Threads may share one.

    Args:
        capacity: Bytes; an array that is larger by itself is never kept.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity, self.used, self.made = capacity, 0, 0
        self._arrays: OrderedDict[Hashable, npt.NDArray[Any]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """The array of a key.

        Args:
            key: What it is of.
            make: Makes it if it is not kept; always the same for the same key.

        Returns:
            Not to be written to: others may be given the same.
        """
        with self._lock:
            if key in self._arrays:
                self._arrays.move_to_end(key)
                return self._arrays[key]
        # Not under the lock, so that threads decode side by side; two may make the same one, which does no harm.
        array = make()
        array.flags.writeable = False
        with self._lock:
            self.made += 1
            if key not in self._arrays and array.nbytes <= self.capacity:
                while self.used + array.nbytes > self.capacity:
                    _, oldest = self._arrays.popitem(last=False)
                    self.used -= oldest.nbytes
                self._arrays[key] = array
                self.used += array.nbytes
        return array
