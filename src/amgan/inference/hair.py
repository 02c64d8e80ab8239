"""Which hair of a face turns grey with the years, or gets its colour back, and the picture of that."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from amgan.faces.light import LUMA
from amgan.faces.rising import rising
from amgan.faces.whiskers import brows_of
from amgan.inference.views import FaceView
from amgan.maps.arrays import grown
from amgan.maps.change import window
from amgan.maps.darkening import darkened, pigment
from amgan.maps.greying import greyed
from amgan.maps.salting import salted

# Pixels around a beard that are looked at with it.
_MARGIN = 64
# Of strands that turn dark so many do in any case.
_DARK = 0.5
# How far red, green and blue of skin are apart, of 255, in a photo with colours: from where on, and surely.
_COLOURED = (4.0, 16.0)
# From which share on a pixel lies in the brows.
_BROW = 0.5
# How much of a beard and of brows gets its colour back beside the hair of the head.
_ON_SKIN = 0.5

Maps = npt.NDArray[np.float32]


class Turning(NamedTuple):
    """What hair of a face and around it turns, each (H, W).

    Attributes:
        hair: In 0..1, how much of each pixel is hair of the head that turns.
        share: In -1..1, which share of its strands turns grey; below 0, gets its colour back.
        beard: In 0..1, how much of each pixel is in a beard or in brows.
        of_beard: In -1..1, as `share`.
    """

    hair: Maps
    share: Maps
    beard: Maps
    of_beard: Maps

    def part(self, place: tuple[slice, slice]) -> Turning:
        """A part of it."""
        return Turning(*(maps[place] for maps in self))


def turning(face: FaceView, grey: Maps) -> Turning:
    """What hair of a face and around it turns grey, or dark again.

    Args:
        face: The face.
        grey: (R, R) in -1..1, which share of its strands is to turn grey at each place of `FaceView.wide`; below 0 it
            is that of the grey ones which get their colour back.

    Returns:
        It, as large as what `FaceView.wide` shows.
    """
    if not grey.any():
        nothing = np.zeros(face.wide.rgb.shape[:2], np.float32)
        return Turning(nothing, nothing, nothing, nothing)
    head, beard, mixing = face.hair
    at_roots = grey * np.where(grey > 0, mixing, _DARK + (1 - _DARK) * mixing)
    share, mixed = grown(np.stack([grey, at_roots])[None], head.shape)[0]
    there = share != 0
    return Turning(head * there, mixed, beard * there, share)


def turned(picture: Maps, turning: Turning, origin: tuple[int, int], face: FaceView) -> Maps:
    """A picture with that hair turned.

    Args:
        picture: (H, W, 3), a part of `FaceView.wide`, which goes from -1 to 1.
        turning: Of that part.
        origin: Row and column of the face's square at which the part begins.
        face: The face.
    """
    hair, share, beard, of_beard = turning
    size, skin = len(face.rgb), _skin_colour(face)
    if hair.any() and (share > 0).any():
        picture = greyed(picture, hair, share.clip(min=0), origin, size, skin)
    if beard.any() and (of_beard > 0).any():
        place, picture = window(beard, _MARGIN), picture.copy()
        corner = (origin[0] + place[0].start, origin[1] + place[1].start)
        picture[place] = salted(picture[place], beard[place], of_beard[place].clip(min=0), corner, size, skin)
    # Of a photo without colours nobody can tell what hair is grey.
    told = rising(np.float32(max(skin) - min(skin)), _COLOURED)
    if told and (share < 0).any():
        hair, share = np.maximum(hair, _ON_SKIN * beard), np.where(_ON_SKIN * beard > hair, of_beard, share)
        colour = pigment(skin, _brow_colour(face, skin))
        picture = darkened(picture, hair, told * (-share).clip(min=0), origin, size, colour)
    return picture


def _skin_colour(face: FaceView) -> tuple[float, float, float]:
    """Mean red, green and blue of a face's skin, 0..255."""
    skin = face.parts.skin
    small = cv2.resize(face.rgb, (skin.shape[1], skin.shape[0]), interpolation=cv2.INTER_AREA)
    red, green, blue = (small * skin[..., None]).sum(axis=(0, 1)).tolist()
    whole = float(skin.sum())
    return (red / whole, green / whole, blue / whole) if red + green + blue else (255.0, 255.0, 255.0)


def _brow_colour(face: FaceView, skin: tuple[float, float, float]) -> tuple[float, float, float]:
    """Mean red, green and blue of the darkest quarter of a face's brows, 0..255; the skin's if none are in sight."""
    brows = brows_of(face.landmarks, len(face.rgb))
    small = cv2.resize(face.rgb, (brows.shape[1], brows.shape[0]), interpolation=cv2.INTER_AREA)[brows > _BROW]
    if not len(small):
        return skin
    light = small @ LUMA
    red, green, blue = small[light <= np.quantile(light, 0.25)].mean(axis=0).tolist()
    return red, green, blue
