"""What is known of one face of a photo, and what a photo has become."""

from __future__ import annotations

import functools
from dataclasses import dataclass, field, replace
from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt
from PIL import Image

from amgan.faces.align import Alignment, points_at
from amgan.faces.parsing import Parts
from amgan.faces.photo import Photo, photo_from_image
from amgan.inference.hair_masks import HairMasks, hair_masks
from amgan.inference.surroundings import Surroundings
from amgan.maps.mesh import LOCATED, face_places, places_at
from amgan.signs.zones import ZoneMasks

PictureT = TypeVar("PictureT")

GAIN = 4
"""How many times larger `difference` shows a change."""


@dataclass(frozen=True)
class FaceReport:
    """What was found and done on one face.

    Attributes:
        box: (left, top, right, bottom) around the landmarks, pixels of the photo.
        region: (left, top, right, bottom) around its square and its hair; no pixel outside of it was touched.
        age: Estimated apparent age, years.
        scores: Estimated score in 0..1 of each zone.
        deviations: Standard deviation that the error of each of those is expected to have.
        covered: Zones that are hidden by hair, beard or the like; their scores mean little.
        target_age: Age aimed at, years; None if the face was only analysed.
        targets: Score aimed at of each zone.
        seconds: Stage to its duration.
        picture: Which picture of a batch in one array or tensor the face is of; 0 where there is but one.
    """

    box: tuple[float, float, float, float]
    region: tuple[int, int, int, int]
    age: float
    scores: dict[str, float]
    deviations: dict[str, float] = field(default_factory=dict)
    covered: tuple[str, ...] = ()
    target_age: float | None = None
    targets: dict[str, float] = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    picture: int = 0


@dataclass(frozen=True)
class FaceView:
    """One face, aligned and scored.

    Attributes:
        alignment: Where it lies in the photo.
        rgb: (S, S, 3) uint8.
        landmarks: (478, 2) aligned coordinates.
        masks: Its zones.
        parts: Hair and skin in its square.
        wide: What is around it, as far as its hair reaches.
        scores: Zone, and ``age``, to score in 0..1.
        report: What is told of it.
    """

    alignment: Alignment
    rgb: npt.NDArray[np.uint8]
    landmarks: npt.NDArray[np.float32]
    masks: ZoneMasks
    parts: Parts
    wide: Surroundings
    scores: dict[str, float]
    report: FaceReport

    # What the same face is asked for again and again, whatever it is to become, is found once.

    @functools.cached_property
    def hair(self) -> HairMasks:
        """Its hair, as large as ``wide.rgb``."""
        return hair_masks(self.rgb, self.landmarks, self.wide)

    @functools.cached_property
    def _places(self) -> npt.NDArray[np.float32]:
        return face_places(self.landmarks, len(self.rgb))

    def places(self, side: int = LOCATED) -> npt.NDArray[np.float32]:
        """Where on the mean face each place lies, (2, side, side), as of `amgan.maps.mesh.face_places`."""
        return places_at(self._places, side)

    def resized(self, rgb: npt.NDArray[np.uint8], size: int) -> FaceView:
        """The same face in a square of another side.

        Args:
            rgb: (H, W, 3) uint8, the photo.
            size: Side of the square, pixels; a multiple of what the generator wants.
        """
        alignment = self.alignment.resized(size)
        landmarks = points_at(self.landmarks, self.alignment.size, size)
        wide = self.wide.resized(rgb, alignment)
        return replace(self, alignment=alignment, rgb=wide.face, landmarks=landmarks, wide=wide)


@dataclass(frozen=True)
class Aged(Generic[PictureT]):
    """A result: the picture in the photo's own mode, and a report of every face of the photo that was aged.

    Attributes:
        image: Of the kind that was given: for a path or a `Photo` a Pillow image.
        faces: The largest first; of a batch in one array or tensor, those of one picture after the other.
    """

    image: PictureT
    faces: list[FaceReport]


def shown(image: Image.Image, name: str, box: tuple[int, int, int, int]) -> npt.NDArray[np.uint8]:
    """A part of a picture as a screen shows it: as it would be read back, a grey photo grey, a colour profile applied.

    Args:
        image: The picture.
        name: What messages call it.
        box: (left, top, right, bottom), pixels.

    Returns:
        (H, W, 3) uint8 sRGB; what is transparent lies on white.
    """
    return cut(photo_from_image(image, name), box)


def cut(photo: Photo, box: tuple[int, int, int, int]) -> npt.NDArray[np.uint8]:
    """A part of a photo, as it is.

    Args:
        photo: The photo.
        box: (left, top, right, bottom), its pixels.

    Returns:
        (H, W, 3) uint8 sRGB; what is transparent in the photo lies on white.
    """
    left, top, right, bottom = box
    rgb = photo.rgb[top:bottom, left:right]
    if photo.alpha is None:
        return rgb
    opacity = photo.alpha[top:bottom, left:right, None] / 255
    return np.rint(rgb * opacity + 255 * (1 - opacity)).astype(np.uint8)


def difference(before: npt.NDArray[np.uint8], after: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """What a change adds to a picture, `GAIN` times, on middle grey: lighter is lighter, darker is darker.

    Args:
        before: (H, W, 3) uint8.
        after: (H, W, 3) uint8.

    Returns:
        (H, W, 3) uint8; exactly 128 wherever no bit changed.
    """
    return np.clip(128 + GAIN * (after.astype(np.int16) - before), 0, 255).astype(np.uint8)
