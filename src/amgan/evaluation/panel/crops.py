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
# What is shown around a zone, as a share of it: what a wrinkle means is seen beside it.
MARGIN = 1.25
# Longer side that a crop is to have on a sheet, pixels; small zones are enlarged by a whole number, all of them alike.
SHOWN = 480
GREY = 128


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
        """The crop of one face, (*shape, 3) uint8; grey where it reaches beyond the picture.

        Args:
            rgb: (S, S, 3) uint8, an aligned face.
            landmarks: (478, 2) in it.
            atlas: Knows the zone.
        """
        low, high = _extent(atlas, self.zone, landmarks)
        left, top = (round((a + b - side) / 2) for a, b, side in zip(low, high, (self.width, self.height), strict=True))
        crop = np.full((self.height, self.width, 3), GREY, np.uint8)
        y0, y1 = max(top, 0), min(top + self.height, rgb.shape[0])
        x0, x1 = max(left, 0), min(left + self.width, rgb.shape[1])
        if y0 < y1 and x0 < x1:
            crop[y0 - top : y1 - top, x0 - left : x1 - left] = rgb[y0:y1, x0:x1]
        if self.enlarged == 1:
            return crop
        return np.asarray(cv2.resize(crop, self.shape[::-1], interpolation=cv2.INTER_CUBIC), np.uint8)


def window_of(atlas: Atlas, sign: str, faces: Iterable[Landmarks]) -> Window:
    """The window of a sign that holds the zone of each of these faces, with a margin.

    Args:
        atlas: Signs and zones.
        sign: One of them.
        faces: (478, 2) each, at least one.
    """
    zone = atlas.zones_of(sign)[0]
    extents = [_extent(atlas, zone, landmarks) for landmarks in faces]
    width, height = (math.ceil(side * MARGIN) for side in np.max([high - low for low, high in extents], axis=0))
    return Window(zone, width, height, max(round(SHOWN / max(width, height)), 1))


def _extent(atlas: Atlas, zone: str, landmarks: Landmarks) -> tuple[Landmarks, Landmarks]:
    """Upper left and lower right corner of a zone."""
    points = np.concatenate([polygon_points(polygon, landmarks) for polygon in atlas.polygons(zone)])
    return points.min(axis=0), points.max(axis=0)
