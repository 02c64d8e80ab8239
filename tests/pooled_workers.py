"""Workers for pools of processes, which import this file."""

import os
import time

from amgan.errors import PhotoError


class Doubler:
    """A worker that doubles and takes long over 7; it cannot be made of size 0, and dies of less."""

    def __init__(self, size: int, ballast: bytes = b"") -> None:
        if not size:
            raise PhotoError("0: not a size; take 1")
        if size < 0:
            os._exit(1)

    def run(self, number: int) -> int:
        if number == 7:
            time.sleep(600)
        return 2 * number

    def close(self) -> None:
        pass


class Fatal:
    """Ends the process that unpickles it."""

    def __reduce__(self) -> tuple[object, tuple[int]]:
        return os._exit, (1,)
