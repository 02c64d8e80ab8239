"""The relief of a face: its lines, folds and spots, without its shape, its light and its colour."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from amgan.faces.light import DARK, light_in, logarithms

# Deviations of the blurs that part pores and creases, folds, and the light, to a side of the face.
_FINE, _FOLDS = 5 / 1024, 22 / 1024
_SPOTS = 3 / 1024
# Of what is lighter than around: highlights are lighter too, and lie elsewhere in another light.
_LIGHTER = 0.4
# Of the colour of spots, and the most of it: hue jumps where a photo is compressed or overexposed.
_HUE, _MOST_HUE = 0.6, 0.12
# What stands for no light at all, of 255; the fourth is there since OpenCV wants four.
_GROUND = np.full(4, 255 * DARK)

_Array = npt.NDArray[np.float32]


def relief_of(rgb: npt.NDArray[np.uint8], bare: _Array, size: int) -> _Array:
    """The relief of a part of a face: logarithms of each pixel's light over that around it.

    Args:
        rgb: (H, W, 3) uint8, cut out of an aligned face with `reach` more on each side than is used.
        bare: (H, W) in 0..1, where it shows bare skin.
        size: Side of the whole face, pixels.

    Returns:
        (H, W, 3) float32, for `laid_on`; 0 where skin is not bare.
    """
    skin = bare.clip(min=1e-3)
    logs = logarithms(rgb)
    light = light_in(logs)
    mid, wide = blurred(light, skin, _FINE * size), blurred(logs, skin, _FOLDS * size)
    folds = mid - light_in(wide)
    folds = np.where(folds > 0, np.float32(_LIGHTER) * folds, folds)
    hue = blurred(logs, skin, _SPOTS * size) - wide
    hue -= light_in(hue)[..., None]
    lines = ((light - mid).clip(-0.35, 0.15) + folds.clip(-0.4, 0.09))[..., None]
    found: _Array = (lines + np.float32(_HUE) * hue.clip(-_MOST_HUE, _MOST_HUE)) * bare[..., None]
    return found


def reach(size: int) -> int:
    """How far around a pixel its relief depends on, pixels of a face of this side."""
    return round(3 * _FOLDS * size)


def laid_on(rgb: npt.NDArray[np.uint8], relief: _Array) -> npt.NDArray[np.uint8]:
    """A picture (H, W, 3) with a relief (H, W, 3), in logarithms, laid on it."""
    lit = np.asarray(cv2.exp(relief), np.float32)
    lit *= rgb + np.float32(255 * DARK)
    # Rounds, too, and keeps to what a byte can hold.
    return np.asarray(cv2.subtract(lit, _GROUND, dtype=cv2.CV_8U), np.uint8)


def weighted(relief: _Array, weight: _Array) -> _Array:
    """A relief (H, W, 3) times a weight (H, W)."""
    # Three times the same: NumPy takes longer to repeat it for pixels of three numbers each.
    return np.asarray(cv2.multiply(relief, cv2.merge([weight] * 3)), np.float32)


def blurred(picture: _Array, weight: _Array, deviation: float) -> _Array:
    """A weighted mean around each pixel; wide blurs are made small, where they look the same.

    Args:
        picture: (H, W) or (H, W, 3).
        weight: (H, W) above 0.
        deviation: Of the blur, pixels.
    """
    shrink = max(1, int(deviation / 2))
    size = (picture.shape[1], picture.shape[0])
    small = (size[0] // shrink, size[1] // shrink)

    def around(part: _Array) -> _Array:
        shrunk = part if shrink == 1 else cv2.resize(part, small, interpolation=cv2.INTER_AREA)
        return np.asarray(cv2.GaussianBlur(shrunk, (0, 0), deviation / shrink), np.float32)

    # Colour by colour: OpenCV takes six times as long for four at once as for one.
    share = around(weight)
    means = [around(np.asarray(part * weight, np.float32)) / share for part in cv2.split(picture)]
    grown = means if shrink == 1 else [cv2.resize(part, size, interpolation=cv2.INTER_LINEAR) for part in means]
    return np.asarray(cv2.merge(grown), np.float32)
