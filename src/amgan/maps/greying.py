"""How hair goes grey with age: strand by strand, from the temples on, every wave of it kept.

A network that learns from patches cannot tell where a head of hair ends, and greys it in fogs. Where hair is says
`amgan.faces.parsing`; which strands of it are grey already, noise that is drawn out along the strands of the photo.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from amgan.maps.guided import guided
from amgan.maps.shading import DARK, LUMA

# Years at which hair begins to go grey, and at which hardly any is left that is not.
FIRST, LAST = 40.0, 80.0
# Of the mask: the radius within which it follows the photo's edges, to a side of the face, how strong those have to be,
# and from where to where it is taken: outside, in doubt, hair stays as it is.
_REACH, _EDGE, _TAKEN = 10 / 1024, 2e-4, (0.2, 0.8)
# Beside its edge: how far from it colours are looked at, to a side of the face, how far apart those of hair and of what
# is beside must be to tell anything, as logarithms, and from where to where between the two a pixel is hair.
_BESIDE, _APART, _BETWEEN = 14 / 1024, 0.25, (0.35, 0.8)
# Side of a face in the pictures that colours are looked at in, pixels.
_COARSE = 512
# Share of what is around a pixel from which on its colour is known.
_SEEN = 0.05
# Scales, to a side of the face: of the noise, of what has one direction, of the strands' surroundings.
_THIN, _LOCK, _WAVE = 0.7 / 1024, 6 / 1024, 12 / 1024
# How much strands differ from what is around them where they are seen well, as logarithms of light.
_STRANDED = 0.2
# Each time noise is drawn out it gets three times as long.
_DRAWN_OUT = 4
# Light of grey hair is that of the hair to this power, times this: hair in the shade stays in the shade.
_POWER, _WHITE = 0.42, 0.9
# So many times as light as it was hair gets at most: what is black for want of light stays black.
_LIFTED = 5.0
# How much of the contrast is kept, as logarithms, of waves and of strands; and how much grey strands add.
_WAVES, _STRANDS, _MOTTLED = 0.9, 1.0, 0.18
# What is this many times as light as grey hair there is skin, and stays; lightest that hair gets.
_SKIN, _LIGHTEST = 1.5, 0.92
# Of the share of strands: from the first grey that is seen on one to white; and how much sooner temples go.
_SOFT, _SOONER = 1.2, 0.15
# Share of the colour that goes, and how much of skin's colour comes: light that is warm is so on white hair too.
_COLOUR, _WARM = 0.88, 0.12
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


def hair_strands(rgb: npt.NDArray[np.uint8], hair: Array, side: int) -> Array:
    """A coarse mask of hair, brought to a photo's own edges.

    Args:
        rgb: (H, W, 3) uint8, an aligned face, or a part of it and of what is around it.
        hair: (R, C) in 0..1, the same at any size.
        side: Of the face alone, pixels.

    Returns:
        (H, W) in 0..1; 0 all around in doubt.
    """
    size = (rgb.shape[1], rgb.shape[0])
    mask = np.asarray(cv2.resize(hair, size, interpolation=cv2.INTER_CUBIC), np.float32)
    radius = max(round(_REACH * side), 1)
    fine = guided(rgb, mask, radius, _EDGE)
    low, high = _TAKEN
    taken = np.asarray(((fine - low) / (high - low)).clip(0, 1), np.float32)
    return taken * cv2.resize(_by_colour(rgb, hair, side), size, interpolation=cv2.INTER_LINEAR)


def _by_colour(rgb: npt.NDArray[np.uint8], hair: Array, side: int) -> Array:
    """How much each pixel is like the hair around it rather than like what is beside the hair.

    Args:
        rgb: (H, W, 3) uint8.
        hair: (R, C) in 0..1.
        side: Of the face alone, pixels.

    Returns:
        (h, w) in 0..1, a face being `_COARSE`; 1 where there is nothing but hair around, or both are of one colour.
    """
    size = [round(length * _COARSE / side) for length in rgb.shape[1::-1]]
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    logs = np.log(small / np.float32(255) + np.float32(DARK))
    mask = cv2.resize(hair, size, interpolation=cv2.INTER_LINEAR)
    means, told = [], np.ones_like(mask)
    for known in (mask > 0.8, mask < 0.05):
        weight = known.astype(np.float32)
        blurred = cv2.GaussianBlur(np.dstack([logs * weight[..., None], weight]), (0, 0), _BESIDE * _COARSE)
        means.append(blurred[..., :3] / blurred[..., 3:].clip(min=1e-3))
        # Nothing is told where one of the two is all there is.
        told *= (blurred[..., 3] / np.float32(_SEEN)).clip(max=1)
    inside, outside = means
    way = inside - outside
    length = (way**2).sum(axis=2)
    place = ((logs - outside) * way).sum(axis=2) / length.clip(min=1e-6)
    low, high = _BETWEEN
    like = ((place - low) / (high - low)).clip(0, 1)
    told *= (length / _APART**2).clip(max=1)
    return np.asarray(1 - told * (1 - like), np.float32)


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
    luma = (cv2.transform(picture, LUMA[None]) + 1) / 2
    hue = picture - (2 * luma - 1)[..., None]
    light = np.asarray(cv2.log(luma.clip(min=0) + np.float32(DARK / 2)), np.float32)
    # What is nearly nothing but hair says how light and of what hue hair is around there.
    whole = hair**4
    there = whole + np.float32(1e-3)
    known = _smooth(there, _WAVE * side)
    around = _smooth(light * there, _WAVE * side) / known
    hues = _smooth(hue * there[..., None], _WAVE * side) / known[..., None]
    mean = float((around * whole).sum() / max(float(whole.sum()), 1e-3))
    white = np.float32(max(np.log(_WHITE) + _POWER * mean, mean)) + np.float32(_WAVES) * (around - np.float32(mean))
    # Where the photo shows no strands, in the dark or out of focus, none are drawn.
    strand = _drawn_out(light, origin, side)
    strand = strand * (_smooth(np.abs(light - around), _WAVE * side) / np.float32(_STRANDED)).clip(max=1)
    # The noise as a place in the order of strands, 0..1.
    order = 1 / (1 + cv2.exp(np.float32(-1.7) * strand))
    grey = ((_sooner(share, origin, side) * np.float32(1 + _SOFT) - order) / np.float32(_SOFT)).clip(0, 1) * hair
    # Of a pixel that is partly skin or wall: by how much the hair around gets lighter, and its hue goes.
    lightest = np.asarray(cv2.exp(white), np.float32)
    hairs = np.asarray(cv2.exp(around), np.float32) - np.float32(DARK / 2)
    lift = (np.minimum(_softly(lightest), np.float32(_LIFTED) * (hairs + np.float32(DARK / 4))) - hairs).clip(min=0)
    # Of a pixel of nothing but hair: its own gleam and its own hue count.
    white += (
        np.float32(_STRANDS) * (light - around).clip(max=np.float32(_GLEAM)) + np.float32(_MOTTLED) * share * strand
    )
    wanted = np.minimum(_softly(np.asarray(cv2.exp(white), np.float32)), np.float32(_LIFTED) * luma)
    own = (wanted - luma).clip(0, np.float32(_GLEAMING) * lift)
    own *= ((_SKIN * lightest - luma) / ((_SKIN - 1) * lightest)).clip(0, 1)
    lighter = luma + grey * (whole * own + (1 - whole) * lift)
    # No pixel loses more hue than it has, or it would turn blue.
    gone = whole[..., None] * hue + (1 - whole[..., None]) * hues.clip(np.minimum(hue, 0), np.maximum(hue, 0))
    warm = np.float32(_WARM) * (np.array(skin, np.float32) / np.float32(np.dot(skin, LUMA)) - 1)
    # 0 where nothing is grey.
    change = 2 * (lighter - luma)[..., None] - np.float32(_COLOUR) * grey[..., None] * gone
    return np.asarray(picture + change + (2 * lighter * grey)[..., None] * warm, np.float32)


def _softly(light: Array) -> Array:
    """Light that comes near to `_LIGHTEST` and never there, so that no highlight is flat."""
    return np.asarray(light / np.sqrt(np.sqrt(1 + (light / np.float32(_LIGHTEST)) ** 4)), np.float32)


def _smooth(values: Array, deviation: float) -> Array:
    """A wide blur of (H, W) or (H, W, C), made on a picture of a quarter of the size."""
    height, width = values.shape[:2]
    small = cv2.resize(values, (-(-width // 4), -(-height // 4)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(cv2.GaussianBlur(small, (0, 0), deviation / 4), (width, height)), np.float32)


def _sooner(share: Array, origin: tuple[int, int], side: int) -> Array:
    """Shares of grey strands with more of them beside the temples; none and all stay none and all."""
    height = (origin[0] + np.arange(share.shape[0], dtype=np.float32)) / side
    near = (1 - np.abs(height - _TEMPLES) / _FAR).clip(-1, 1)[:, None]
    return np.asarray(share + _SOONER * near * 4 * share * (1 - share), np.float32)


def _drawn_out(light: Array, origin: tuple[int, int], side: int) -> Array:
    """Noise (H, W) of deviation 1 that runs along the strands of a picture's `light`; the same in every part of it."""
    across, down = cv2.Scharr(light, cv2.CV_32F, 1, 0), cv2.Scharr(light, cv2.CV_32F, 0, 1)
    # Square roots of what would be summed, so that one hard edge does not decide for all around.
    weight = 1 / np.sqrt(across**2 + down**2 + np.float32(1e-4))
    xx, yy, xy = (cv2.GaussianBlur(part * weight, (0, 0), _LOCK * side) for part in (across**2, down**2, across * down))
    along = np.float32(0.5) * np.arctan2(2 * xy, xx - yy) + np.float32(np.pi / 2)
    dx, dy = np.cos(along), np.sin(along)
    rows, columns = (np.arange(start, start + count) for start, count in zip(origin, light.shape, strict=True))
    noise = _noise(max(_THIN * side, 0.3))
    noise = noise[np.ix_(rows % len(noise), columns % len(noise))]
    xs, ys = np.meshgrid(np.arange(len(columns), dtype=np.float32), np.arange(len(rows), dtype=np.float32))
    step = np.float32(side / 1024)
    for _ in range(_DRAWN_OUT):
        # What was drawn out to both sides is alike from either, so that a direction needs no sign.
        noise = noise + sum(
            cv2.remap(noise, xs + way * dx, ys + way * dy, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
            for way in (step, -step)
        )
        step *= 3
    noise = noise - _smooth(noise, 2 * _WAVE * side)
    return np.asarray(noise / max(float(noise.std()), 1e-6), np.float32)


@functools.lru_cache(maxsize=4)
def _noise(blur: float) -> Array:
    """A tile (512, 512) of noise."""
    white = np.random.default_rng(0).standard_normal((512, 512)).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(white, (0, 0), blur, borderType=cv2.BORDER_REFLECT_101), np.float32)
