"""Adds a change of RGB to the planes of a decoded frame, so that pixels outside of it are not touched at all."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

# Weights of red and blue in the brightness, by ffmpeg's number of the colour space; the rest is BT.601.
_WEIGHTS = {1: (0.2126, 0.0722), 9: (0.2627, 0.0593)}
_BT601 = (0.299, 0.114)


def add_change(
    frame: Any, change: npt.NDArray[np.float32], corner: tuple[int, int], space: int, full_range: bool
) -> None:
    """Adds a change to a frame in place.

    A change of RGB is linear in Y, Cb and Cr, so nothing has to be converted there and back.

    Args:
        frame: A planar YUV frame of 8 or 10 bits, writable.
        change: (h, w, 3) float32 in -2..2, where a picture goes from -1 to 1.
        corner: (left, top) of the change in the frame.
        space: ffmpeg's number of the colour space.
        full_range: Whether black is 0 rather than 16.
    """
    bits = frame.format.components[0].bits
    red, blue = _WEIGHTS.get(space, _BT601)
    # Half of the range, since changes go from -2 to 2.
    step = (2 ** (bits - 8)) / 2
    light, tint = (255, 255) if full_range else (219, 224)
    y = change @ np.array([red, 1 - red - blue, blue], np.float32)
    cb = (change[..., 2] - y) / (2 * (1 - blue))
    cr = (change[..., 0] - y) / (2 * (1 - red))
    left, top = corner
    for index, (part, span) in enumerate(((y, light), (cb, tint), (cr, tint))):
        plane = frame.planes[index]
        pixels = _pixels(plane, bits)
        # How many pixels of the picture share one of this plane, across and down.
        across, down = round(frame.width / plane.width), round(frame.height / plane.height)
        small, x, row = _shared(part, left, top, across, down)
        height = min(small.shape[0], plane.height - row)
        width = min(small.shape[1], plane.width - x)
        at = pixels[row : row + height, x : x + width]
        steps = np.rint(small[:height, :width] * (span * step))
        at[:] = np.clip(at + steps, 0, 2**bits - 1).astype(at.dtype)


def _shared(
    part: npt.NDArray[np.float32], left: int, top: int, across: int, down: int
) -> tuple[npt.NDArray[np.float32], int, int]:
    """Averages over the pixels that share a sample, and says which sample is the first."""
    if across == down == 1:
        return part, left, top
    before, above = left % across, top % down
    height, width = part.shape
    after, below = -(before + width) % across, -(above + height) % down
    padded = np.pad(part, ((above, below), (before, after)))
    size = (padded.shape[1] // across, padded.shape[0] // down)
    return np.asarray(cv2.resize(padded, size, interpolation=cv2.INTER_AREA)), left // across, top // down


def _pixels(plane: Any, bits: int) -> npt.NDArray[Any]:
    """(H, W) view of a plane's samples, to be written to."""
    kind = np.dtype(np.uint8 if bits == 8 else "<u2")
    rows = np.frombuffer(plane, kind).reshape(-1, plane.line_size // kind.itemsize)
    return rows[: plane.height, : plane.width]
