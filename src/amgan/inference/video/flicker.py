"""How much a change flickers: what it adds to the unrest that the video has of itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt


class FlickerMeter:
    """Compares the frame-to-frame change of what is added with that of the face it is added to.

    Both are seen in the face's own aligned coordinates, so that movement of the head counts for neither.
    """

    def __init__(self) -> None:
        self._added = self._own = 0.0
        self._last: tuple[npt.NDArray[np.float32], npt.NDArray[np.uint8]] | None = None

    def restart(self) -> None:
        """Forgets the last frame: the next one follows a cut."""
        self._last = None

    def add(self, change: npt.NDArray[np.float32], face: npt.NDArray[np.uint8]) -> None:
        """Takes the next frame.

        Args:
            change: (S, S, 3) float32, what is added, where a picture goes from -1 to 1; 0 where nothing is.
            face: (S, S, 3) uint8, the aligned face it is added to.
        """
        if self._last is not None:
            change_before, face_before = self._last
            where = (change != 0) | (change_before != 0)
            self._added += float(np.abs(change - change_before).sum(dtype=np.float64)) * 127.5
            moved = np.abs(face.astype(np.int16) - face_before)
            self._own += float(moved.sum(where=where, dtype=np.float64))
        self._last = (change, face)

    @property
    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """What it remembers, for `restore`."""
        sums = {"sums": np.array([self._added, self._own])}
        return sums if self._last is None else {**sums, "change": self._last[0], "face": self._last[1]}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Goes on as the one whose `state` that was."""
        self._added, self._own = (float(value) for value in state["sums"])
        self._last = (state["change"], state["face"]) if "face" in state else None

    @property
    def flicker(self) -> float | None:
        """Mean change of what is added over that of the face: 0 for one that stands still, 1 if it is as restless.

        None where the face stood perfectly still.
        """
        return self._added / self._own if self._own else None
