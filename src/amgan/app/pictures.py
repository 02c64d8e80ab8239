"""The pictures that the page shows of one face: the face itself, what changed, the zones and the aging map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from amgan.faces.align import Alignment
from amgan.inference.change import map_of
from amgan.inference.overlay import draw_zones
from amgan.inference.views import FaceView
from amgan.models.bundle import Bundle

Rgb = npt.NDArray[np.uint8]

GAIN = 4
"""How many times larger the difference view shows a change."""

# Zones and their numbers can be read on a picture of at least this side.
_READABLE = 900


def difference(before: Rgb, after: Rgb) -> Rgb:
    """What a change adds to a picture, `GAIN` times, on middle grey: lighter is lighter, darker is darker.

    Args:
        before: (H, W, 3) uint8.
        after: (H, W, 3) uint8.

    Returns:
        (H, W, 3) uint8; exactly 128 wherever no bit changed.
    """
    change = after.astype(np.int16) - before
    return np.clip(128 + GAIN * change, 0, 255).astype(np.uint8)


def zones_picture(bundle: Bundle, rgb: Rgb, view: FaceView, targets: Mapping[str, float]) -> Rgb:
    """The zones of a face on its part of the photo, each with the score that is aimed at.

    Args:
        bundle: The model.
        rgb: (h, w, 3) uint8, the part of the photo that is the report's `region`.
        view: The face.
        targets: Score in 0..1 of each zone.

    Returns:
        (h', w', 3) uint8; a small face is enlarged until the numbers can be read.
    """
    height, width = rgb.shape[:2]
    factor = max(_READABLE / max(height, width), 1.0)
    size = (round(width * factor), round(height * factor))
    large = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_CUBIC), np.uint8)
    face = replace(view, alignment=_in_region(view, factor), scores=dict(targets))
    return np.asarray(draw_zones(large, [face], bundle.atlas))


def map_picture(bundle: Bundle, view: FaceView, targets: Mapping[str, float]) -> Rgb:
    """The aging map that is aimed at (paper figure 2), as it lies on the photo; white is 1.

    Returns:
        (h, w, 3) uint8, as large as the report's `region`; the map's channels from left to right.
    """
    left, top, right, bottom = view.report.region
    shape = (bottom - top, right - left)
    window = (0, 0, shape[1], shape[0])
    maps = map_of(bundle, view, targets)[0]
    small = _in_region(view, 1.0).resized(maps.shape[-1])
    row = np.concatenate([small.paste(channel, shape, window) for channel in maps], axis=1)
    grey = np.rint(np.clip(row, 0, 1) * 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def _in_region(view: FaceView, factor: float) -> Alignment:
    """Where the face lies in its region of the photo, enlarged `factor` times."""
    left, top = view.report.region[:2]
    matrix = view.alignment.matrix.copy()
    # Pixel centres are at integers in both resolutions.
    matrix[:, 2] = (matrix[:, 2] - (left, top) + 0.5) * factor - 0.5
    matrix[:, :2] *= factor
    return Alignment(matrix, view.alignment.size)
