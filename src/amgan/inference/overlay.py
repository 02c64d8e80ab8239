"""Zones and scores drawn on a photo, for people to check."""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from amgan.signs.atlas import Atlas
from amgan.signs.zones import polygon_points

if TYPE_CHECKING:
    from amgan.inference.views import FaceView


def draw_zones(rgb: npt.NDArray[np.uint8], views: list[FaceView], atlas: Atlas) -> Image.Image:
    """Draws every zone of every face, filled in its sign's colour, with its score.

    Args:
        rgb: (H, W, 3) uint8 photo.
        views: The faces found in it.
        atlas: Its zones.

    Returns:
        An RGB picture as large as the photo.
    """
    out = rgb.copy()
    colours = {sign: _colour(index / len(atlas.signs)) for index, sign in enumerate(atlas.signs)}
    for view in views:
        width = max(round(view.alignment.scale * view.alignment.size / 500), 1)
        fill = out.copy()
        outlines = []
        for zone in atlas.zones:
            colour = colours[zone.partition(".")[0]]
            for polygon in atlas.polygons(zone):
                points = view.alignment.to_photo(polygon_points(polygon, view.landmarks))
                corners = np.round(points).astype(np.int32)
                cv2.fillPoly(fill, [corners], colour, cv2.LINE_AA)
                outlines.append((corners, colour, zone))
        out = np.asarray(cv2.addWeighted(out, 0.65, fill, 0.35, 0), np.uint8)
        for corners, colour, zone in outlines:
            cv2.polylines(out, [corners], True, colour, width, cv2.LINE_AA)
            x, y = (int(v) for v in corners.mean(axis=0))
            text, size = f"{view.scores[zone]:.2f}", width * 0.45
            (w, h), _ = cv2.getTextSize(text, cv2.FONT_HERSHEY_SIMPLEX, size, width)
            at = (x - w // 2, y + h // 2)
            cv2.putText(out, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, (0, 0, 0), 3 * width, cv2.LINE_AA)
            cv2.putText(out, text, at, cv2.FONT_HERSHEY_SIMPLEX, size, (255, 255, 255), width, cv2.LINE_AA)
    return Image.fromarray(out)


def _colour(hue: float) -> tuple[int, int, int]:
    red, green, blue = (round(255 * v) for v in colorsys.hsv_to_rgb(hue, 0.8, 1))
    return red, green, blue
