"""What time does to a face that is not drawn by the generator: hair greys, light falls otherwise, the face sags."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from amgan.faces.parsing import SIDE
from amgan.faces.whiskers import whiskers
from amgan.inference.views import FaceView
from amgan.maps.arrays import grown
from amgan.maps.change import window
from amgan.maps.greying import greyed, hair_strands
from amgan.maps.mesh import face_places
from amgan.maps.sagging import moved, sagging
from amgan.maps.shading import lit, shading
from amgan.maps.trends import Trends
from amgan.models.generator_config import GeneratorConfig

# Pixels around what changes, from which light and strands take what is around them.
_MARGIN = 64
# Beside skin, from such a share of it on, strands are mixed: so many of those that would turn grey do there, and all of
# them so far away, to a side of the face. A cap of even grey would end there at an edge.
_BARE, _LEAST, _MIXED = 0.3, 0.3, 0.055
# How much of a beard and of brows greys beside the hair of the head.
_ON_SKIN = 0.5

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
        grey: (R', R') in 0..1, which share of the strands is to turn grey at each place of `FaceView.wide`.
        config: Of the generator, which says what of it all there is.
        trends: Of the model's light and shape, if that follows any.
    """
    wide, size = face.wide, len(face.rgb)
    # Of signs that lie at one place, that which changes most.
    most = np.take_along_axis(rise[0], np.abs(rise[0]).argmax(axis=0)[None], axis=0)[0]
    touched = np.pad(grown(np.maximum(where, pliable)[None, None], (size, size))[0, 0], wide.pad)
    strands, share = _strands(face, grey) if config.greys else (np.zeros_like(touched), touched)
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
        made = greyed(made, strands[part], share[part], origin, size, _skin_colour(face))
    if trends is not None:
        places = face_places(face.landmarks, size, most.shape[-1])
        if config.shades:
            made = lit(made, on_face(shading(trends.lights, places, most) * where).transpose(1, 2, 0))
        if config.sags:
            made = moved(made, on_face(sagging(trends.field, places, most) * pliable) * np.float32(size / 2))
    change[part] = made - still
    return change


def _strands(face: FaceView, grey: Maps) -> tuple[Maps, Maps]:
    """(W, W) in 0..1, all hair of a face and around it that turns grey, and which part of its strands does."""
    wide, size = face.wide, len(face.rgb)
    shape = (wide.alignment.size, wide.alignment.size)
    on_skin, on_head = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    if not grey.any():
        return on_head, on_head
    skin, share, mixed = grown(np.stack([wide.skin, grey, grey * _from_skin(wide.skin)])[None], shape)[0]
    # Not on what covers skin, such as the frame of glasses.
    beard = grown(whiskers(face.rgb, face.landmarks)[None, None], (size, size))[0, 0]
    wide.of_face(on_skin)[:] = _ON_SKIN * beard * wide.of_face(skin)
    if wide.hair.any():
        hair = np.asarray(cv2.resize(wide.hair, shape, interpolation=cv2.INTER_CUBIC), np.float32)
        part = window(hair, _MARGIN)
        # Where both may be, it is skin that is seen through hair, or beside it.
        on_head[part] = hair_strands(wide.rgb[part], hair[part], size) * (1 - skin[part])
    return np.maximum(on_head, on_skin) * (share > 0), np.where(on_skin > on_head, share, mixed)


def _from_skin(skin: Maps) -> Maps:
    """(R, R) in 0..1, which part of the strands that are to turn grey does at each place: fewer beside skin (R, R)."""
    far = cv2.distanceTransform((skin < np.float32(_BARE)).astype(np.uint8), cv2.DIST_L2, 5)
    return np.asarray(_LEAST + (1 - _LEAST) * (far / np.float32(_MIXED * SIDE)).clip(max=1), np.float32)


def _skin_colour(face: FaceView) -> tuple[float, float, float]:
    """Mean red, green and blue of a face's skin."""
    skin = face.parts.skin
    small = cv2.resize(face.rgb, (skin.shape[1], skin.shape[0]), interpolation=cv2.INTER_AREA)
    red, green, blue = (small * skin[..., None]).sum(axis=(0, 1)).tolist()
    return (red, green, blue) if red + green + blue else (1.0, 1.0, 1.0)
