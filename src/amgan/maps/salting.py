"""How a beard and brows go grey: hair by hair, dark ones left between, on skin that stays as it is.

They let skin be seen, so that a cap of grey as on a head (`amgan.maps.greying`) would be a fog over half a face.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from amgan.faces.light import DARK, LUMA
from amgan.faces.rising import rising
from amgan.maps.greying import warmth
from amgan.maps.strands import strands_of

# So many of the hairs that are to turn do, and from the first grey that is seen on one to white, as shares of all; and
# how much the others fade with them.
_MOST, _SOFT, _FADED = 0.75, 0.45, 0.15
# Light of a white hair, as a logarithm: so much above that of skin, less a share of the way to the hair around it, as
# a beard in the shade stays there; with a share of its own gleam, of at least and at most so much; and how much hairs
# differ beyond that.
_ABOVE, _SHADE, _GLEAM, _GLEAMING, _MOTTLED = 0.45, 0.4, 0.5, (-1.0, 0.4), 0.15
# Share of the colour that goes.
_COLOUR = 0.9
# How much darker than the face's skin a hair is, as a logarithm: from where on, and surely.
_DARKER = (-0.05, 0.2)
# How well hairs have to be seen (`Strands.seen`): shade on a cheek is smooth.
_STRANDED = (0.3, 0.6)

Array = npt.NDArray[np.float32]


def salted(
    picture: Array, beard: Array, share: Array, origin: tuple[int, int], side: int, skin: Sequence[float]
) -> Array:
    """A picture with white hairs in beard and brows; where there are none it is as it was, bit for bit.

    Args:
        picture: (H, W, 3), a part of an aligned face, which goes from -1 to 1.
        beard: (H, W) in 0..1, where hair grows on skin (`amgan.faces.whiskers`).
        share: (H, W) in 0..1, of the hairs that are to turn.
        origin: Row and column of the face at which the part begins.
        side: Of the whole face, pixels.
        skin: Red, green and blue of the face's skin, 0..255.

    Returns:
        (H, W, 3) float32.
    """
    found = strands_of(picture, beard, origin, side)
    of_skin = np.float32(np.log(np.dot(skin, LUMA) / 255 + DARK / 2))
    gleam = np.float32(_GLEAM) * (found.light - found.around).clip(*_GLEAMING)
    level = of_skin + np.float32(_SHADE) * (found.around - of_skin) + np.float32((1 - _SHADE) * _ABOVE)
    white = np.asarray(cv2.exp(level + gleam + np.float32(_MOTTLED) * found.order * found.seen), np.float32)
    turned = np.float32(_FADED) + np.float32(1 - _FADED) * found.chosen(np.float32(_MOST) * share, _SOFT)
    grey = turned * share * beard * rising(found.seen, _STRANDED) * rising(of_skin - found.light, _DARKER)
    lighter = found.luma + grey * (white - found.luma).clip(min=0)
    change = 2 * (lighter - found.luma)[..., None] - np.float32(_COLOUR) * grey[..., None] * found.hue
    return np.asarray(picture + change + (2 * lighter * grey)[..., None] * warmth(skin), np.float32)
