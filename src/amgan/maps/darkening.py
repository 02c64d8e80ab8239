"""How grey hair gets its colour back when a face grows younger: strand by strand, as it went (`amgan.maps.greying`).

What colour it had cannot be seen any more. What is commonest is taken: brown, darker the darker the skin is, and of the
hue of the brows in part.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from amgan.faces.light import DARK, LUMA
from amgan.faces.rising import rising
from amgan.maps.greying import grey_share
from amgan.maps.strands import WAVE, Strands, smooth, strands_of

# Share of grey strands that an age must make likely, for grey hair to be taken for such.
_SURELY = 0.3
# Brown, as shares of its light; and how much of the hue of brows is that of the hair.
_BROWN, _OF_BROWS = (1.22, 0.95, 0.74), 0.4
# Light of brows, 0..255, from where on their hue is told from noise, and surely.
_TOLD = (8.0, 25.0)
# How much lighter than hair with its colour, as a logarithm, grey hair is: from where on it is, and surely.
_LIGHTER = (0.0, 0.15)
# Light of hair, of 0..1: of a share of the skin's, but at least and at most.
_OF_SKIN, _DARKEST, _LIGHTEST = 0.33, 0.08, 0.25
# Saturation up to which hair is surely grey, and from which on it has a colour of its own, as blond hair has.
_GREY = (0.24, 0.42)
# What is lighter all around than the hair, as a logarithm, is a white cap or a wall: from where on, and surely; and how
# well strands have to be seen in what is hair.
_CAP, _SEEN = (0.4, 0.7), 0.3
# How much of the contrast is kept, as logarithms, of waves and of strands, which is greater in dark hair than in grey;
# and how much strands differ beyond that.
_WAVES, _STRANDS, _MOTTLED = 1.0, 1.35, 0.15
# Of the share of strands: from the first that is dark to the last; and how many at most: some stay grey.
_SOFT, _MOST = 1.2, 0.9

Array = npt.NDArray[np.float32]


def newly_dark(now: npt.ArrayLike, wanted: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Share of the grey strands at an age that are to have colour again at another, years; 0 if that is the older one.

    Before `_SURELY` of somebody's hair should be grey, what looks grey may well be fair: fewer get darker then.

    Example:
        >>> newly_dark([80, 80, 52, 30], [30, 60, 30, 20]).round(2).tolist()
        [1.0, 0.5, 0.72, 0.0]
    """
    grey = grey_share(now)
    return (grey - grey_share(wanted)).clip(min=0) / grey.clip(min=_SURELY)


def pigment(skin: Sequence[float], brows: Sequence[float]) -> Array:
    """The colour that somebody's hair had before it was grey.

    Args:
        skin: Red, green and blue of the skin, 0..255.
        brows: The same of the darkest parts of the brows.

    Returns:
        (3,) in 0..1.

    Example:
        >>> [f"{part:.2f}" for part in pigment((210, 160, 140), (60, 40, 30))]
        ['0.27', '0.19', '0.15']
    """
    light_of = [float(np.dot(colour, LUMA)) / 255 for colour in (skin, brows)]
    light = float(np.clip(min(_OF_SKIN * light_of[0], 1.2 * light_of[1]), _DARKEST, _LIGHTEST))
    part = _OF_BROWS * float(np.clip((255 * light_of[1] - _TOLD[0]) / (_TOLD[1] - _TOLD[0]), 0, 1))
    hue = np.array(brows, np.float32) / np.float32(max(255 * light_of[1], 1e-3))
    colour = (1 - part) * np.array(_BROWN, np.float32) + part * hue
    return np.asarray(light / float(colour @ LUMA) * colour, np.float32)


def darkened(
    picture: Array, hair: Array, share: Array, origin: tuple[int, int], side: int, colour: npt.ArrayLike
) -> Array:
    """A picture in which grey hair has its colour back; where there is none it is as it was, bit for bit.

    Args:
        picture: (H, W, 3), a part of an aligned face, which goes from -1 to 1.
        hair: (H, W) in 0..1, how much of each pixel is hair.
        share: (H, W) in 0..1, of the grey strands that are to have colour again.
        origin: Row and column of the face at which the part begins.
        side: Of the whole face, pixels.
        colour: Red, green and blue of that, 0..1, of `pigment`.

    Returns:
        (H, W, 3) float32, nowhere of more light than it was.
    """
    found = strands_of(picture, hair, origin, side)
    tint = np.asarray(colour, np.float32)
    dark = float(tint @ LUMA)
    level = np.float32(np.log(dark)) + np.float32(_WAVES) * (found.around - np.float32(found.mean))
    lights = np.asarray(cv2.exp(found.around), np.float32) - np.float32(DARK / 2)
    chosen = found.chosen(np.float32(_MOST) * share, _SOFT) * hair * _greyness(found, dark, side)
    darker = np.asarray(cv2.exp(level), np.float32)
    fall = (lights - darker).clip(min=0)
    strand = np.float32(_STRANDS) * (found.light - found.around) + np.float32(_MOTTLED) * found.order * found.seen
    wanted = np.asarray(cv2.exp(level + strand), np.float32)
    own = (found.luma - wanted).clip(min=0)
    # No pixel beside hair gets darker than the hair.
    part = np.minimum(fall, (found.luma - darker).clip(min=0))
    luma = found.luma - chosen * (found.whole * own + (1 - found.whole) * part)
    hue = 2 * (luma * chosen)[..., None] * (tint / np.float32(dark) - 1)
    return np.asarray(
        picture + 2 * (luma - found.luma)[..., None] - chosen[..., None] * found.hair_hue() + hue, np.float32
    )


def _greyness(found: Strands, dark: float, side: int) -> Array:
    """(H, W) in 0..1, how surely the hair around each place is grey: no white cap, of hardly any colour, and lighter.

    Args:
        found: The hair.
        dark: Light of hair that has its colour, 0..1.
        side: Of the whole face, pixels.
    """
    height, width = found.light.shape
    # All of it is smooth.
    light, around, whole, seen, hues = (
        np.asarray(cv2.resize(part, (-(-width // 4), -(-height // 4)), interpolation=cv2.INTER_AREA), np.float32)
        for part in (found.light, found.around, found.whole, found.seen, found.hues)
    )
    colours = cv2.split(hues / 2)
    most, least = np.maximum.reduce(colours), np.minimum.reduce(colours)
    grey = 1 - rising((most - least) / (np.exp(around) + most).clip(min=1e-3), _GREY)
    grey *= rising(around - np.float32(np.log(dark)), _LIGHTER)
    sure = (whole > 0.5) & (seen > _SEEN)
    typical = np.float32(np.median(around[sure]) if sure.any() else found.mean)
    grey *= 1 - rising(smooth(light, WAVE * side / 4) - typical, _CAP)
    return np.asarray(cv2.resize(grey, (width, height), interpolation=cv2.INTER_LINEAR), np.float32)
