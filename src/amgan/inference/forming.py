"""What time does to a face that is not drawn by the generator: hair turns, light falls otherwise, the face sags."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from amgan.inference.hair import turned, turning
from amgan.inference.views import FaceView
from amgan.maps.arrays import grown
from amgan.maps.change import window
from amgan.maps.mesh import face_places
from amgan.maps.sagging import moved, sagging
from amgan.maps.shading import lit, shading
from amgan.maps.trends import Trends
from amgan.models.generator_config import GeneratorConfig

# Pixels around what changes, from which light and strands take what is around them.
_MARGIN = 64

Maps = npt.NDArray[np.float32]


def formed(
    face: FaceView,
    change: Maps,
    rise: Maps,
    where: Maps,
    pliable: Maps,
    grey: Maps,
    config: GeneratorConfig,
    trends: Trends | None,
) -> Maps:
    """A change with that of the face's hair, light and shape, lines moving along with the skin that they lie on.

    Args:
        face: The face.
        change: (W, W, 3), what is added to what `FaceView.wide` shows; itself changed.
        rise: (1, C, R, R) in -1..1, by how much the face is to have more of each sign.
        where: (R, R) in 0..1, how much of that is made of its light at each place.
        pliable: (R, R) in 0..1, how much of it is made of its shape.
        grey: (R', R') in -1..1, which share of the strands is to turn grey at each place of `FaceView.wide`; below 0
            it is that of the grey ones which get their colour back.
        config: Of the generator, which says what of it all there is.
        trends: Of the model's light and shape, if that follows any.
    """
    wide, size = face.wide, len(face.rgb)
    # Of signs that lie at one place, that which changes most.
    most = np.take_along_axis(rise[0], np.abs(rise[0]).argmax(axis=0)[None], axis=0)[0]
    touched = np.pad(grown(np.maximum(where, pliable)[None, None], (size, size))[0, 0], wide.pad)
    strands, share = turning(face, grey) if config.greys else (np.zeros_like(touched), touched)
    touched = np.maximum(touched, strands)
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

    if strands.any():
        origin = (part[0].start - wide.pad, part[1].start - wide.pad)
        made = turned(made, strands[part], share[part], origin, face)
    if trends is not None:
        places = face_places(face.landmarks, size, most.shape[-1])
        if config.shades:
            made = lit(made, on_face(shading(trends.lights, places, most) * where).transpose(1, 2, 0))
        if config.sags:
            made = moved(made, on_face(sagging(trends.field, places, most) * pliable) * np.float32(size / 2))
    change[part] = made - still
    return change
