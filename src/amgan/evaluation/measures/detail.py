"""Fine detail: a blur loses it, a grid adds to it."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

Rgb = npt.NDArray[np.uint8]
# Periods in pixels that upsampling leaves behind where it goes wrong.
PERIODS = (2, 4, 8)


def fine_energy_ratio(before: Rgb, after: Rgb, skin: npt.NDArray[np.bool_]) -> float:
    """Energy of the finest detail (up to about 2 px) after over before.

    Args:
        before: (S, S, 3) aligned face.
        after: The same.
        skin: (S, S), what counts.

    Returns:
        1 if nothing changed, below 1 for a blur; NaN if there was none before.
    """
    energies = [float(np.square(_fine(rgb)[skin]).mean()) for rgb in (before, after)]
    return energies[1] / energies[0] if energies[0] > 0 else float("nan")


def grid_strength(before: Rgb, after: Rgb) -> float:
    """How far a lattice of period 2, 4 or 8 px stands out of the spectrum of a change.

    Args:
        before: (S, S, 3) aligned face, S divisible by 8.
        after: The same.

    Returns:
        The largest of the peaks over the median of the frequencies beside it; about 1 to 3 without a lattice, NaN if
        nothing changed.
    """
    change = _grey(after) - _grey(before)
    if not change.any():
        return float("nan")
    size = len(change)
    window = np.hanning(size)
    spectrum = np.abs(np.fft.fft2(change * window[:, None] * window)) ** 2
    # Along each axis, the other frequency near 0: lines of a lattice go straight through.
    lines = (spectrum[:, :3].mean(axis=1), spectrum[:3].mean(axis=0))
    peaks = []
    for line in lines:
        for period in PERIODS:
            place, reach = size // period, size // 32
            near = line[place - reach : place + reach + 1]
            beside = np.concatenate([near[: reach - 3], near[reach + 4 :]])
            peaks.append(float(near[reach - 1 : reach + 2].max() / max(np.median(beside), 1e-12)))
    return float(np.sqrt(max(peaks)))


def _grey(rgb: Rgb) -> npt.NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), np.float32)


def _fine(rgb: Rgb) -> npt.NDArray[np.float32]:
    grey = _grey(rgb)
    return grey - np.asarray(cv2.GaussianBlur(grey, (0, 0), 1.0), np.float32)
