"""Crops of one sign's zone, pixel for pixel and all of one size, so that nothing but the skin differs."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from amgan.signs.atlas import Atlas
from amgan.signs.zones import polygon_points

Rgb = npt.NDArray[np.uint8]
Landmarks = npt.NDArray[np.float32]
# What is shown on each side of a zone, as a share of its longer side: what a wrinkle means is seen beside it.
MARGIN = 0.15
# Longer side that a crop is to have on a sheet at least, pixels; small zones are enlarged by a whole number, all alike.
SHOWN = 440


@dataclass(frozen=True)
class Window:
    """What is cut out for one sign, of every face.

    Attributes:
        zone: Zone that is shown; of two-sided signs the image-left one, as the labels have it.
        width: Pixels of the aligned face.
        height: As above.
        enlarged: How many pixels of a sheet a pixel of the face has, along each axis.
    """

    zone: str
    width: int
    height: int
    enlarged: int

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of a crop on a sheet, pixels."""
        return self.height * self.enlarged, self.width * self.enlarged

    def cut(self, rgb: Rgb, landmarks: Landmarks, atlas: Atlas) -> Rgb:
        """The crop of one face, (*shape, 3) uint8; near the border of the picture the zone is not in its middle.

        Args:
            rgb: (S, S, 3) uint8, an aligned face.
            landmarks: (478, 2) in it.
            atlas: Knows the zone.
        """
        middle = np.mean(_extent(atlas, self.zone, landmarks), axis=0)
        left, top = (
            min(max(round(float(at) - side / 2), 0), whole - side)
            for at, side, whole in zip(middle, (self.width, self.height), rgb.shape[1::-1], strict=True)
        )
        crop = rgb[top : top + self.height, left : left + self.width]
        if self.enlarged == 1:
            return crop
        return np.asarray(cv2.resize(crop, self.shape[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)


def window_of(atlas: Atlas, sign: str, faces: Iterable[Landmarks], size: int) -> Window:
    """The window of a sign that holds the zone of each of these faces, with a margin.

    Args:
        atlas: Signs and zones.
        sign: One of them.
        faces: (478, 2) each, at least one.
        size: Side of the aligned pictures, pixels; a window is no larger.
    """
    zone = atlas.zones_of(sign)[0]
    extents = [_extent(atlas, zone, landmarks) for landmarks in faces]
    sides = np.max([high - low for low, high in extents], axis=0)
    width, height = (min(math.ceil(side + 2 * MARGIN * sides.max()), size) for side in sides)
    return Window(zone, width, height, math.ceil(SHOWN / max(width, height)))


def _extent(atlas: Atlas, zone: str, landmarks: Landmarks) -> tuple[Landmarks, Landmarks]:
    """Upper left and lower right corner of a zone."""
    points = np.concatenate([polygon_points(polygon, landmarks) for polygon in atlas.polygons(zone)])
    return points.min(axis=0), points.max(axis=0)
