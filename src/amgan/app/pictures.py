"""The pictures that the page shows of one face: its zones and its aging map."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import cv2
import numpy as np
import numpy.typing as npt

from amgan.faces.photo import Photo
from amgan.inference.facemaps import map_of
from amgan.inference.overlay import draw_zones
from amgan.inference.views import FaceView
from amgan.models.bundle import Bundle

Rgb = npt.NDArray[np.uint8]

# Zones and their numbers can be read on a picture of at least this side.
_READABLE = 900


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
    face = replace(view, alignment=view.alignment.within(*view.report.region[:2], factor), scores=dict(targets))
    return np.asarray(draw_zones(large, [face], bundle.atlas))


def map_picture(bundle: Bundle, view: FaceView, targets: Mapping[str, float], painted: Photo | None = None) -> Rgb:
    """The aging map that is aimed at (paper figure 2), as it lies on the photo; white is 1.

    Args:
        bundle: The model.
        view: The face.
        targets: Score in 0..1 of each zone and of ``age``.
        painted: A map painted over those, as large as the photo.

    Returns:
        (h, w, 3) uint8, as large as the report's `region`; the map's channels from left to right.
    """
    left, top, right, bottom = view.report.region
    shape = (bottom - top, right - left)
    window = (0, 0, shape[1], shape[0])
    maps = map_of(bundle, view, targets, painted)[0]
    small = view.alignment.within(left, top).resized(maps.shape[-1])
    row = np.concatenate([small.paste(channel, shape, window) for channel in maps], axis=1)
    grey = np.rint(np.clip(row, 0, 1) * 255).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)
