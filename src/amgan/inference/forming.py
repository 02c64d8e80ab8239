"""What time does to a face that is not drawn by the generator: hair turns, light falls otherwise, the face sags."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from amgan.inference.hair import turned, turning
from amgan.inference.views import FaceView
from amgan.maps.arrays import grown
from amgan.maps.change import window
from amgan.maps.sagging import moved, sagging
from amgan.maps.shading import lit, shading
from amgan.maps.trends import Trends
from amgan.models.generator_config import GeneratorConfig

# Pixels around what changes, from which light and strands take what is around them.
_MARGIN = 64

Maps = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Rises:
    """By how much a face is to have more of each sign, as far as its light and its shape go with that.

    Attributes:
        light: (1, C, R, R), of `amgan.inference.facemaps.rise_of`.
        lit: (R, R) in 0..1, how much of that is made at each place.
        shape: (1, C, R, R), likewise.
        pliable: (R, R) in 0..1, how much of that is made.
    """

    light: Maps
    lit: Maps
    shape: Maps
    pliable: Maps


def formed(
    face: FaceView,
    change: Maps,
    rises: Rises | None,
    grey: Maps,
    config: GeneratorConfig,
    trends: Trends | None,
) -> Maps:
    """A change with that of the face's hair, light and shape, lines moving along with the skin that they lie on.

    Args:
        face: The face.
        change: (W, W, 3), what is added to what `FaceView.wide` shows; itself changed.
        rises: By how much its light and its shape are to change, if they follow any trends.
        grey: (R', R') in -1..1, which share of the strands is to turn grey at each place of `FaceView.wide`; below 0
            it is that of the grey ones which get their colour back.
        config: Of the generator, which says what of it all there is.
        trends: Of the model's light and shape, if that follows any.
    """
    wide, size = face.wide, len(face.rgb)
    touched = np.zeros(wide.rgb.shape[:2], np.float32)
    hair = turning(face, grey) if config.greys else None
    if rises is not None:
        moving = grown(np.maximum(rises.lit, rises.pliable)[None, None], (size, size))[0, 0]
        touched = np.pad(moving, wide.pad)
    if hair is not None:
        touched = np.maximum.reduce([touched, hair.hair, hair.beard])
    if not touched.any():
        return change
    part = window(touched, _MARGIN)
    still = wide.rgb[part].astype(np.float32) / np.float32(127.5) - 1
    made = still + change[part]

    def on_face(maps: Maps) -> Maps:
        """Maps (C, R, R) of the face's square on the part, (C, h, w); 0 beyond that square."""
        sides = [(0, 0), (wide.pad, wide.pad), (wide.pad, wide.pad)]
        found: Maps = np.pad(grown(maps[None], (size, size))[0], sides)[:, *part]
        return found

    if hair is not None and (hair.hair.any() or hair.beard.any()):
        origin = (part[0].start - wide.pad, part[1].start - wide.pad)
        made = turned(made, hair.part(part), origin, face)
    if trends is not None and rises is not None:
        places = face.places(rises.light.shape[-1])
        if config.shades:
            logs = shading(trends.lights, places, _most(rises.light)) * rises.lit
            made = lit(made, on_face(logs).transpose(1, 2, 0))
        if config.sags:
            moves = sagging(trends.field, places, _most(rises.shape)) * rises.pliable
            made = moved(made, on_face(moves) * np.float32(size / 2))
    change[part] = made - still
    return change


def _most(rise: Maps) -> Maps:
    """(R, R), of signs that lie at one place that which changes most."""
    return np.asarray(np.take_along_axis(rise[0], np.abs(rise[0]).argmax(axis=0)[None], axis=0)[0], np.float32)
