"""Where a face has hair that may turn, on its head and on its skin: the same whatever is asked of it."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from amgan.faces.fringe import fringe, hanging
from amgan.faces.outlines import eyes_of
from amgan.faces.parsing import SIDE
from amgan.faces.whiskers import whiskers
from amgan.inference.surroundings import Surroundings
from amgan.maps.arrays import grown
from amgan.maps.change import window
from amgan.maps.strands import hair_strands

# Pixels around hair that are looked at with it.
_MARGIN = 64
# Beside skin, from such a share of it on, strands are mixed: so many of those that would turn grey do there, and all of
# them so far away, to a side of the face. A cap of even grey would end there at an edge.
_BARE, _LEAST, _MIXED = 0.3, 0.3, 0.055
# And how much less they are where they hang over the forehead.
_HANGING = 0.5

Maps = npt.NDArray[np.float32]


class HairMasks(NamedTuple):
    """Hair of a face and around it.

    Attributes:
        head: (H, W) in 0..1, how much of each pixel is hair of the head.
        beard: (H, W) in 0..1, how much of it is in a beard or in brows.
        mixing: (R, R) in 0..1, which part of the strands that are to turn grey does at each place: fewer beside skin.
    """

    head: Maps
    beard: Maps
    mixing: Maps


def hair_masks(face: npt.NDArray[np.uint8], landmarks: npt.NDArray[np.float32], wide: Surroundings) -> HairMasks:
    """Finds the hair of a face.

    Args:
        face: (S, S, 3) uint8, its square.
        landmarks: (478, 2) in that.
        wide: What is around it, as large as which the masks are.
    """
    size, shape = len(face), (wide.alignment.size, wide.alignment.size)
    on_skin, on_head = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    skin = grown(wide.skin[None, None], shape)[0, 0]
    beard = grown(whiskers(face, landmarks)[None, None], (size, size))[0, 0]
    # Not on what covers skin, such as the frame of glasses, nor on somebody else's.
    own_skin = wide.of_face(skin) * grown(wide.whose[None, None], (size, size))[0, 0]
    wide.of_face(on_skin)[:] = beard * own_skin
    if wide.hair.any():
        hair = np.asarray(cv2.resize(wide.hair, shape, interpolation=cv2.INTER_CUBIC), np.float32)
        part = window(hair, _MARGIN)
        # Where both may be, it is skin that is seen through hair, or beside it.
        on_head[part] = hair_strands(wide.rgb[part], hair[part], size) * (1 - skin[part])
        own, known, bare = (wide.of_face(mask) for mask in (on_head, hair, skin))
        own[:] = fringe(face, landmarks, own, known, bare)
        # An iris may be as dark as hair, and the parser now and then takes an eye beside hair for that.
        own *= 1 - grown(eyes_of(landmarks, size)[None, None], (size, size))[0, 0]
    return HairMasks(on_head, on_skin * (1 - on_head), _mixing(landmarks, size, wide))


def _mixing(landmarks: npt.NDArray[np.float32], size: int, wide: Surroundings) -> Maps:
    far = cv2.distanceTransform((wide.skin < np.float32(_BARE)).astype(np.uint8), cv2.DIST_L2, 5)
    mixing = np.asarray(_LEAST + (1 - _LEAST) * (far / np.float32(_MIXED * SIDE)).clip(max=1), np.float32)
    # Roots are mixed: what hangs over the forehead is greyer.
    cells = slice(wide.cells, wide.cells + SIDE)
    mixing[cells, cells] += _HANGING * hanging(landmarks, size, SIDE) * (1 - mixing[cells, cells])
    return mixing
