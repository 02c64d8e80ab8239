"""A face without its own lines: creases filled, folds and blotches evened out, pores kept.

Of an old face nobody has a photo of the same day without lines. So what is learned of taking them away is what a
retoucher does: light is parted into bands, and each is evened out where, and as far as, a line runs through it.
"""

from __future__ import annotations

import functools

import cv2
import numpy as np
import numpy.typing as npt

from amgan.data.grafts.relief import blurred
from amgan.faces.light import light_in, logarithms

# Deviations of the blurs that part pores, creases, folds and the light, to a side of the face.
_WIDTHS = (2.5 / 1024, 8 / 1024, 22 / 1024)
# For thin lines and for deep ones: how much smaller the picture is made, the blur before, the length in pixels of what
# is wider than a line, and how much darker than beside it a line is that goes whole.
_THIN, _DEEP = (1, 1.0, 13, 0.07), (2, 3.0, 15, 0.06)
# What pores and noise amount to.
_FAINT = 0.03
# Directions in which lines are looked for.
_DIRECTIONS = 8
# What of creases and folds goes where no line is seen, what of folds where one is, and what of uneven colour.
_CREASES, _FOLDS, _DEEP_FOLDS, _HUE = 0.45, 0.6, 0.95, 0.5

_Array = npt.NDArray[np.float32]


def own_lines(rgb: npt.NDArray[np.uint8], bare: _Array, size: int) -> _Array:
    """What a face has to lose of lines, folds and blotches.

    Args:
        rgb: (H, W, 3) uint8, cut out of an aligned face with `amgan.data.grafts.relief.reach` more on each side than is
            used.
        bare: (H, W) in 0..1, where it shows bare skin.
        size: Side of the whole face, pixels.

    Returns:
        (H, W, 3), logarithms of light: with less of it by `amgan.data.grafts.relief.laid_on` a face has fewer of its
        lines. 0 where skin is not bare.
    """
    skin = bare.clip(min=1e-3)
    logs = logarithms(rgb)
    light = light_in(logs)
    thin, deep = (_lines(light, size, *scale) for scale in (_THIN, _DEEP))
    narrow, mid = (blurred(light, skin, share * size) for share in _WIDTHS[:-1])
    around = blurred(logs, skin, _WIDTHS[-1] * size)
    wide = light_in(around)
    line = np.maximum(thin, deep)
    away = (light - narrow) * thin + (narrow - mid) * (_CREASES + (1 - _CREASES) * line)
    away += (mid - wide) * (_FOLDS + (_DEEP_FOLDS - _FOLDS) * deep)
    # The ground of a crease is redder than skin, down to its thinnest.
    found = logs - around
    found -= (light - wide)[..., None]
    found *= (_HUE + (1 - _HUE) * line)[..., None]
    found += away[..., None]
    found *= bare[..., None]
    return found


def _lines(light: _Array, size: int, shrink: int, blur: float, length: int, whole: float) -> _Array:
    """(H, W) in 0..1, 1 on dark lines.

    Closing by a short stroke fills what is narrower than that along it: a pore whichever way the stroke lies, a line
    only by strokes across. What the fullest filling has over the least is the line.
    """
    factor = size / 1024
    smooth = cv2.GaussianBlur(light, (0, 0), max(blur * factor, 0.3))
    shape = (light.shape[1], light.shape[0])
    if shrink > 1:
        smooth = cv2.resize(smooth, (shape[0] // shrink, shape[1] // shrink), interpolation=cv2.INTER_AREA)
    odd = max(round(length * factor) | 1, 3)
    filled = [cv2.morphologyEx(smooth, cv2.MORPH_CLOSE, stroke) for stroke in _strokes(odd)]
    depth = functools.reduce(np.maximum, filled) - functools.reduce(np.minimum, filled)
    share = ((depth - np.float32(_FAINT)) / np.float32(whole)).clip(0, 1)
    soft = cv2.GaussianBlur(np.asarray(share, np.float32), (0, 0), max(2 * factor, 0.3))
    return np.asarray(soft if shrink == 1 else cv2.resize(soft, shape, interpolation=cv2.INTER_LINEAR), np.float32)


@functools.cache
def _strokes(length: int) -> tuple[npt.NDArray[np.uint8], ...]:
    """A stroke of so many pixels in each direction."""
    found = []
    for number in range(_DIRECTIONS):
        angle = np.pi * number / _DIRECTIONS
        x, y = np.cos(angle) * (length // 2), np.sin(angle) * (length // 2)
        stroke, middle = np.zeros((length, length), np.uint8), length // 2
        cv2.line(stroke, (round(middle - x), round(middle - y)), (round(middle + x), round(middle + y)), 1)
        found.append(stroke)
    return tuple(found)
