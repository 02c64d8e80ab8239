"""How the shape of a face moves with age: lids and cheeks sink, lips grow thin, the jaw grows wide.

Lines alone leave an old face in a young one's shape. How shapes differ was measured on the landmarks of faces of known
age (`amgan.data.fit_sagging`); here a face is moved so, where and as far as its aging map asks for more or less.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from amgan.maps.mesh import in_pixels, mean_face_in, places_in

# Deviation of the blur that parts what moves from what does not, to a side of the face: a zone's own edge would crease.
_SOFT = 0.03
# How much of what was measured is made. A judge of identity took 1 of 64 faces of `val` at 0.9 for somebody else with
# all of it, and with 0.7 beside the light of `amgan.maps.shading` 1 of 60; with this none.
_SHARE = 0.6
# As how many times the whole scale a rise counts at most.
_FARTHEST = 2.0
# Side of the field on the mean face, which is finer than the triangles of the mesh; and of the picture of that face
# in whose pixels moves are measured.
_SIDE, _PICTURE = 128, 1024


def sagging(
    field: npt.NDArray[np.float32], places: npt.NDArray[np.float32], rise: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """By how much each place of a face moves.

    Args:
        field: (S, S, 2), of `field_of`.
        places: (2, R, R), X and Y on the mean face (`amgan.maps.mesh.face_places`).
        rise: (R, R), how much older each place gets, of the whole scale; what is beyond -1..1, as an atlas may want of
            a sign's zone (`amgan.signs.atlas.Sign.shape`), counts less and less, or the picture would fold.

    Returns:
        (2, R, R) float32, right and down, where a picture goes from -1 to 1.
    """
    side = places.shape[-1]
    xs, ys = in_pixels(places, len(field))
    moves = cv2.remap(field, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    amount = cv2.GaussianBlur(_limited(rise.astype(np.float32)), (0, 0), _SOFT * side)
    return np.ascontiguousarray((moves * (_SHARE * amount)[..., None]).transpose(2, 0, 1))


def moved(picture: npt.NDArray[np.float32], moves: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """A picture whose places have moved; those that did not are as they were, bit for bit.

    Args:
        picture: (H, W, 3) float32.
        moves: (2, H, W) float32, pixels right and down.

    Returns:
        (H, W, 3) float32.
    """
    height, width = picture.shape[:2]
    columns, rows = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    # What comes to lie at a place moved as far as the place that it came from, not as the place itself.
    from_x, from_y = (
        cv2.remap(part, columns - moves[0], rows - moves[1], cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for part in moves
    )
    found = cv2.remap(picture, columns - from_x, rows - from_y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return np.where((moves == 0).all(axis=0)[..., None], picture, found)


def field_of(moves: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """The moves of all places of the mean face.

    Args:
        moves: (468, 2), those of its landmarks, pixels of a square of 1024.

    Returns:
        (S, S, 2) float32, where a picture goes from -1 to 1.
    """
    young = mean_face_in(_PICTURE)
    steps = (np.arange(_SIDE, dtype=np.float32) + np.float32(0.5)) * np.float32(_PICTURE / _SIDE) - np.float32(0.5)
    found = places_in(young + moves, young, _PICTURE, steps, steps) - np.stack(np.meshgrid(steps, steps), axis=-1)
    return np.ascontiguousarray(found * np.float32(2 / _PICTURE), np.float32)


def _limited(rise: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """What is within -1..1 as it is, and what is beyond ever less, up to `_FARTHEST`."""
    room = np.float32(_FARTHEST - 1)
    beyond = np.abs(rise) - 1
    return np.where(beyond > 0, np.sign(rise) * (1 + room * np.tanh(beyond / room)), rise).astype(np.float32)
