"""How light falls on a face with age: folds beside nose and mouth, bags, hollow cheeks, paler lips.

A memory of lines has what differs from face to face. What all old faces share is soft and lies at one place: how light
each place is, and of what hue, was regressed on the aging map there (`amgan.training.fit_shading`). Here a face is lit
so, where and as far as its map asks for more or less.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from amgan.faces.light import DARK, LUMA
from amgan.faces.outlines import LIPS, disc, filled, to_masks
from amgan.maps.mesh import in_pixels, mean_face

# By how much more than its light each colour of a line or a fold changes: light that comes out of one is red. On old
# faces of the training split red changes 0.7 to 0.9 times as much as light, blue 1.1 to 1.3 times, over few pixels and
# over many (`benchmarks/line_colour.py`).
TINT = (-0.16, 0.055, 0.13)
# How much of what was measured is made: of light more, since the folds of many do not lie on each other, so that their
# mean is fainter than one of them. Of hue that of the lips, which grow pale, as it is; that of skin is spread out, or
# it came out stained, blue under the eyes and green at the jaw. Taken on `val`, by how old and natural faces look.
_LIGHT, _SPREAD = 1.25, 10 / 256
# Over which share of the picture of the mean face it fades at its border.
_BORDER = 12 / 256


def as_made(measured: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(S, S, 3), logarithms of light on the mean face for one more of the whole scale, as made of those measured."""
    light = (measured @ LUMA)[..., None]
    # Means over people are of too many cameras and too much make-up to tell what colour shade has: it came out grey.
    shade = light.clip(max=0) * np.array(TINT, np.float32)
    hue, lips = measured - light, _lips(len(measured))[..., None]
    known = (measured != 0).any(axis=2).astype(np.float32)
    around = cv2.GaussianBlur(np.dstack([hue * known[..., None], known]), (0, 0), _SPREAD * len(measured))
    spread = known[..., None] * around[..., :3] / around[..., 3:].clip(min=1e-3)
    made = _LIGHT * (light + shade) + lips * hue + (1 - lips) * spread
    # Towards the border of what was measured it fades, or that would be seen on foreheads; a few cells where nothing
    # happened to be found are no border.
    whole = cv2.morphologyEx(np.pad(known, 8).astype(np.uint8), cv2.MORPH_CLOSE, disc(4))
    within = cv2.distanceTransform(whole, cv2.DIST_L2, 5)[8:-8, 8:-8, None]
    return np.asarray(made * (within / np.float32(_BORDER * len(measured))).clip(max=1), np.float32)


def _lips(side: int) -> npt.NDArray[np.float32]:
    """(side, side) in 0..1, the lips of the mean face."""
    points = to_masks(np.asarray(mean_face() / 2, np.float32), 1)
    lips = cv2.GaussianBlur(filled(points[list(LIPS)]).astype(np.float32) / 255, (0, 0), 3.0)
    return np.asarray(cv2.resize(lips, (side, side), interpolation=cv2.INTER_AREA), np.float32)


def shading(
    lights: npt.NDArray[np.float32], places: npt.NDArray[np.float32], rise: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """How much more light each place of a face gets.

    Args:
        lights: (S, S, 3), of `as_made`.
        places: (2, R, R), X and Y on the mean face (`amgan.maps.mesh.face_places`).
        rise: (R, R), how much more of its sign each place gets, of the whole scale: -1..1 times how far the atlas lets
            light go with that (`amgan.signs.atlas.Sign.light`), which is 4 at most.

    Returns:
        (3, R, R) float32, logarithms, for `lit`.
    """
    xs, ys = in_pixels(places, len(lights))
    found = cv2.remap(lights, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return np.ascontiguousarray((found * rise[..., None]).transpose(2, 0, 1))


def lit(picture: npt.NDArray[np.float32], logs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """A picture in another light; where the logarithm is 0 it is as it was, bit for bit.

    Args:
        picture: (H, W, 3) float32, where a picture goes from -1 to 1.
        logs: (H, W, 3) float32.

    Returns:
        (H, W, 3) float32.

    Example:
        >>> lit(np.zeros((1, 1, 3), np.float32), np.full((1, 1, 3), np.log(1.5), np.float32))[0, 0].round(2).tolist()
        [0.5600000023841858, 0.5600000023841858, 0.5600000023841858]
    """
    dark = np.float32(1 + 2 * DARK)
    return np.where(logs == 0, picture, (picture + dark) * np.exp(logs) - dark)
