"""How hair goes grey with age: strand by strand, from the temples on, every wave of it kept."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from amgan.faces.light import DARK, LUMA, luma_of
from amgan.faces.rising import rising
from amgan.maps.strands import smooth, strands_of

# Years at which hair begins to go grey, and at which hardly any is left that is not.
FIRST, LAST = 40.0, 80.0
# Light of grey hair is that of the hair to this power, times this: hair in the shade stays in the shade.
_POWER, _WHITE = 0.36, 0.9
# So many times as light as it was hair gets at most, with so much more light: what is black for want of light stays so,
# all the more where all around is, from which light to which.
_LIFTED, _BLACK, _UNLIT, _LIT = 9.0, 0.003, 2.0, (0.006, 0.025)
# How much of the contrast is kept, as logarithms, of waves and of strands, and the most that either deviates then: grey
# hair hands light on, and has no black between its strands. 13 grey heads of `train` have 0.28 and 0.18, light of 0.51,
# and 0.27 times the hue of their skin (medians). And how much grey strands add, where some are seen or must be.
_WAVES, _STRANDS, _MOTTLED = (0.9, 0.28), (1.0, 0.18), 0.18
# So many times as light as a head of grey hair is, from where on and surely, is a sky or a wall that shows between its
# strands where it is so much of what is around, within so far, to a side of the face: lighter strands are but thin.
_BRIGHT, _MOSTLY, _BETWEEN = (1.3, 1.7), (0.3, 0.6), 6 / 1024
# But not if it is golden, as hair in the sun is: by how much more red than blue there is, to its light.
_GOLDEN = (0.1, 0.2)
# What is this many times as light as grey hair there is skin, and stays; lightest that hair gets.
_SKIN, _LIGHTEST = 1.5, 0.92
# Of the share of strands: from the first grey that is seen on one to white; and how much sooner temples go.
_SOFT, _SOONER = 1.2, 0.15
# Share of the colour that goes, and how much of skin's comes, of red, green and blue: warm light is warm on white hair
# too. 15 grey heads of `train` have 0.060, -0.014 and -0.067 beside their light, their skin 0.28, -0.10 and -0.26
# (medians).
_COLOUR, _WARM = 0.93, (0.2, 0.14, 0.27)
# How much lighter than what is around it a strand counts at most, as a logarithm: more is skin beside the hair. And how
# many times as much as what is around it a strand gets lighter at most.
_GLEAM, _GLEAMING = 0.6, 3.0
# Height of the temples in an aligned face, and how far from there it is halfway, to its side.
_TEMPLES, _FAR = 0.45, 0.3

Array = npt.NDArray[np.float32]


def grey_share(years: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Share of strands that are grey at an age, 0..1.

    Example:
        >>> grey_share([25, 40, 52, 64, 80]).round(2).tolist()
        [0.0, 0.0, 0.22, 0.65, 1.0]
    """
    x = ((np.asarray(years, np.float64) - FIRST) / (LAST - FIRST)).clip(0, 1)
    return x * x * (3 - 2 * x)


def newly_grey(now: npt.ArrayLike, wanted: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """Share of the strands that are not grey yet at an age and are at another, years; 0 if that is the younger one."""
    grey = grey_share(now)
    return (grey_share(wanted) - grey).clip(min=0) / (1 - grey).clip(min=1e-3)


def greyed(
    picture: Array, hair: Array, share: Array, origin: tuple[int, int], side: int, skin: Sequence[float] = (1, 1, 1)
) -> Array:
    """A picture with grey hair; where there is none it is as it was, bit for bit.

    Args:
        picture: (H, W, 3), a part of an aligned face, which goes from -1 to 1.
        hair: (H, W) in 0..1, how much of each pixel is hair, of `hair_strands`.
        share: (H, W) in 0..1, of the strands that are to turn grey.
        origin: Row and column of the face at which the part begins.
        side: Of the whole face, pixels.
        skin: Red, green and blue of the face's skin, of whatever lightness.

    Returns:
        (H, W, 3) float32.
    """
    hair = hair * (1 - _behind(picture, hair, side))
    found = strands_of(picture, hair, origin, side)
    luma, light, whole, around = found.luma, found.light, found.whole, found.around
    level = _level(found.mean)
    waves, strands = around - np.float32(found.mean), light - around
    white = np.asarray(np.float32(level) + _kept(waves, whole, *_WAVES) * waves, np.float32)
    grey = found.chosen(_sooner(share, origin, side), _SOFT) * hair
    # Of a pixel that is partly skin or wall: by how much the hair around gets lighter, and its hue goes.
    lightest = np.asarray(cv2.exp(white), np.float32)
    hairs = np.asarray(cv2.exp(around), np.float32) - np.float32(DARK / 2)
    lifted = _UNLIT + (_LIFTED - _UNLIT) * rising(hairs, _LIT)
    lift = (np.minimum(_softly(lightest), lifted * (hairs + np.float32(DARK / 4))) - hairs).clip(min=0)
    # Of a pixel of nothing but hair: its own gleam and its own hue count.
    white += _kept(strands, whole, *_STRANDS) * strands.clip(max=np.float32(_GLEAM))
    drawn = np.float32(_MOTTLED) * share * found.order * np.maximum(found.seen, found.lost)
    most = lifted * (np.asarray(cv2.exp(light), np.float32) - np.float32(DARK / 2 - _BLACK))
    wanted = np.minimum(_softly(np.asarray(cv2.exp(white + drawn), np.float32)), most * cv2.exp(drawn))
    own = (wanted - luma).clip(0, np.float32(_GLEAMING) * lift)
    # What is as light as grey hair between darker strands is skin.
    lift *= ((lightest - luma) / (lightest - hairs).clip(min=1e-3)).clip(0, 1)
    own *= ((_SKIN * lightest - luma) / ((_SKIN - 1) * lightest)).clip(0, 1)
    lighter = luma + grey * (whole * own + (1 - whole) * lift)
    # 0 where nothing is grey.
    change = 2 * (lighter - luma)[..., None] - np.float32(_COLOUR) * grey[..., None] * found.hair_hue()
    return np.asarray(picture + change + (2 * lighter * grey)[..., None] * warmth(skin), np.float32)


def warmth(skin: Sequence[float]) -> Array:
    """What white hair has of red, green and blue beside its light, as a share of that, by the colour of the skin.

    Example:
        >>> [round(float(part), 2) for part in warmth((200, 150, 120))]
        [0.05, -0.01, -0.07]
    """
    return np.asarray(np.array(_WARM) * (np.array(skin) / np.dot(skin, LUMA) - 1), np.float32)


def _level(mean: float) -> float:
    """Logarithm of the light of grey hair, by that of the hair."""
    return float(max(np.log(_WHITE) + _POWER * mean, mean))


def _behind(picture: Array, hair: Array, side: int) -> Array:
    """How much of each pixel (H, W) is too light for its hair, also when that is grey: it is of what lies behind."""
    luma = np.asarray(luma_of(picture).clip(min=DARK / 2), np.float32)
    whole = hair**4
    mean = float((cv2.log(luma) * whole).sum() / max(float(whole.sum()), 1e-3))
    bright = rising(luma / np.float32(np.exp(_level(mean))), _BRIGHT)
    golden = np.asarray((picture[..., 0] - picture[..., 2]) / (2 * luma), np.float32)
    bright *= 1 - rising(golden, _GOLDEN)
    around = smooth(np.stack([bright * hair, hair], axis=-1), _BETWEEN * side)
    return bright * rising(around[..., 0] / (around[..., 1] + np.float32(1e-2)), _MOSTLY)


def _kept(part: Array, weight: Array, share: float, most: float) -> np.float32:
    """What share of a contrast is kept, so that it deviates by no more than the most."""
    deviation = np.sqrt((part * part * weight).sum() / max(float(weight.sum()), 1e-3))
    return np.float32(min(share, most / max(float(deviation), 1e-3)))


def _softly(light: Array) -> Array:
    """Light that comes near to `_LIGHTEST` and never there, so that no highlight is flat."""
    return np.asarray(light / np.sqrt(np.sqrt(1 + (light / np.float32(_LIGHTEST)) ** 4)), np.float32)


def _sooner(share: Array, origin: tuple[int, int], side: int) -> Array:
    """Shares of grey strands with more of them beside the temples; none and all stay none and all."""
    height = (origin[0] + np.arange(share.shape[0], dtype=np.float32)) / side
    near = (1 - np.abs(height - _TEMPLES) / _FAR).clip(-1, 1)[:, None]
    return np.asarray(share + _SOONER * near * 4 * share * (1 - share), np.float32)
