"""The relief of a face: its lines, folds and spots, without its shape, its light and its colour."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from amgan.maps.shading import DARK, LUMA

# Deviations of the blurs that part pores and creases, folds, and the light, to a side of the face.
_FINE, _FOLDS = 5 / 1024, 22 / 1024
_SPOTS = 3 / 1024
# Of what is lighter than around: highlights are lighter too, and lie elsewhere in another light.
_LIGHTER = 0.4
# Of the colour of spots, and the most of it: hue jumps where a photo is compressed or overexposed.
_HUE, _MOST_HUE = 0.6, 0.12


def relief_of(rgb: npt.NDArray[np.uint8], bare: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float32]:
    """The relief of a part of a face: logarithms of each pixel's light over that around it.

    Args:
        rgb: (H, W, 3) uint8, cut out of an aligned face with `reach` more on each side than is used.
        bare: (H, W) in 0..1, where it shows bare skin.
        size: Side of the whole face, pixels.

    Returns:
        (H, W, 3) float32, for `laid_on`; 0 where skin is not bare.
    """
    skin = bare.clip(min=1e-3)
    logs = np.log(rgb / np.float32(255) + np.float32(DARK))
    light = logs @ LUMA
    mid, wide = (blurred(light, skin, share * size) for share in (_FINE, _FOLDS))
    fine, folds = light - mid, mid - wide
    folds = np.where(folds > 0, np.float32(_LIGHTER) * folds, folds)
    hue = logs - light[..., None]
    hue = blurred(hue, skin, _SPOTS * size) - blurred(hue, skin, _FOLDS * size)
    lines = (fine.clip(-0.35, 0.15) + folds.clip(-0.4, 0.09))[..., None]
    found: npt.NDArray[np.float32] = (lines + np.float32(_HUE) * hue.clip(-_MOST_HUE, _MOST_HUE)) * bare[..., None]
    return found


def reach(size: int) -> int:
    """How far around a pixel its relief depends on, pixels of a face of this side."""
    return round(3 * _FOLDS * size)


def laid_on(rgb: npt.NDArray[np.uint8], relief: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """A picture (H, W, 3) with a relief (H, W, 3), in logarithms, laid on it."""
    lit = (rgb / np.float32(255) + np.float32(DARK)) * np.exp(relief) - np.float32(DARK)
    return np.asarray(np.round(lit * 255).clip(0, 255), np.uint8)


def blurred(
    picture: npt.NDArray[np.float32], weight: npt.NDArray[np.float32], deviation: float
) -> npt.NDArray[np.float32]:
    """A weighted mean around each pixel; wide blurs are made small, where they look the same.

    Args:
        picture: (H, W) or (H, W, C).
        weight: (H, W) above 0.
        deviation: Of the blur, pixels.
    """
    shrink = max(1, int(deviation / 3))
    size = (picture.shape[1], picture.shape[0])
    small = (size[0] // shrink, size[1] // shrink)
    weighed = picture * (weight if picture.ndim == 2 else weight[..., None])
    both = []
    for part in (weighed, weight):
        shrunk = part if shrink == 1 else cv2.resize(part, small, interpolation=cv2.INTER_AREA)
        blurred = cv2.GaussianBlur(shrunk, (0, 0), deviation / shrink)
        both.append(blurred if shrink == 1 else cv2.resize(blurred, size, interpolation=cv2.INTER_LINEAR))
    total, share = both
    return np.asarray(total / (share if picture.ndim == 2 else share[..., None]), np.float32)
