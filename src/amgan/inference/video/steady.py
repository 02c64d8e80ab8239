"""Keeps what is added to a face from flickering: it follows the skin from frame to frame, and changes slowly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

# Share of the change of the frame before in that of this one.
KEPT = 0.8
# Side of the face in the pictures by which the skin is followed.
_SMALL = 256
# Where the face of the frame before, moved to this one, differs by so many grey levels, the past counts little: a hand
# came before it, or the mouth opened.
_TOLERANCE = 12.0


class SteadyChange:
    """An exponential mean over time, in the coordinates of the skin.

    Args:
        kept: Share in 0..1 of the past in each frame; 0 does nothing.
    """

    def __init__(self, kept: float = KEPT) -> None:
        self.kept = kept
        self._flow = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
        self._last: tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]] | None = None

    def restart(self) -> None:
        """Forgets the past: the next frame follows a cut."""
        self._last = None

    @property
    def state(self) -> dict[str, npt.NDArray[np.generic]]:
        """What it remembers, for `restore`."""
        return {} if self._last is None else {"grey": self._last[0], "smoothed": self._last[1]}

    def restore(self, state: Mapping[str, npt.NDArray[Any]]) -> None:
        """Goes on as the one whose `state` that was."""
        self._last = (state["grey"], state["smoothed"]) if state else None

    def __call__(
        self, rgb: npt.NDArray[np.uint8], change: npt.NDArray[np.float32], face: int
    ) -> npt.NDArray[np.float32]:
        """Smooths the next frame's change.

        Args:
            rgb: (W, W, 3) uint8, the aligned face and what is around it.
            change: (W, W, 3) float32, what is to be added to it.
            face: Side of the face alone, pixels.

        Returns:
            (W, W, 3) float32; 0 where `change` is 0, so that what may not be touched is not.
        """
        side = rgb.shape[0]
        few = round(_SMALL * side / face)
        small = cv2.resize(rgb, (few, few), interpolation=cv2.INTER_AREA)
        grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.uint8)
        if self._last is None or self._last[1].shape != change.shape:
            smoothed = change
        else:
            grey_before, before = self._last
            flow = np.asarray(self._flow.calc(grey, grey_before, None), np.float32)  # type: ignore[call-overload]
            moved = _moved(grey_before.astype(np.float32), flow)
            difference = cv2.GaussianBlur(np.abs(moved - grey), (0, 0), 2.0)
            trust = cv2.resize(np.exp(-((difference / _TOLERANCE) ** 2)), (side, side), interpolation=cv2.INTER_LINEAR)
            past = _moved(before, cv2.resize(flow, (side, side)) * np.float32(side / few))
            weight = (self.kept * trust)[..., None].astype(np.float32)
            smoothed = np.where(change == 0, np.float32(0), change + weight * (past - change))
        self._last = (grey, smoothed)
        return smoothed


def _moved(picture: npt.NDArray[np.float32], flow: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Fetches each pixel from where `flow` (H, W, 2) says it was."""
    height, width = picture.shape[:2]
    x = flow[..., 0] + np.arange(width, dtype=np.float32)
    y = flow[..., 1] + np.arange(height, dtype=np.float32)[:, None]
    return np.asarray(cv2.remap(picture, x, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE), np.float32)
