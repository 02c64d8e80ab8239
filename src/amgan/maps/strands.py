"""Hair, strand by strand: a mask that follows a photo's edges, the light of hair around each place, and which is which.

A network that learns from patches cannot tell where a head of hair ends, and recolours it in fogs. Where hair is says
`amgan.faces.parsing`; which strands are whose, noise that is drawn out along the strands of the photo.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from amgan.faces.light import DARK, logarithms, luma_of
from amgan.faces.rising import rising
from amgan.maps.guided import guided

# Of the mask: the radius within which it follows the photo's edges, to a side of the face, how strong those have to be,
# and from where to where it is taken: outside, in doubt, hair stays as it is.
_REACH, _EDGE, _TAKEN = 10 / 1024, 2e-4, (0.2, 0.8)
# Beside its edge: how far from it colours are looked at, to a side of the face, how far apart those of hair and of what
# is beside must be to tell anything, as logarithms, and from where to where between the two a pixel is hair.
_BESIDE, _APART, _BETWEEN = 14 / 1024, 0.25, (0.35, 0.8)
# How far a pixel's red, green and blue are apart from where on its hue is looked at, and how far that is then from
# brown, red and blond: from where on it may be no hair's, and surely none's.
_COLOURED, _OFF = (0.15, 0.3), (-0.04, 0.06)
# The same of colours that are too pure for hair though of its hue: how far apart, and as a share of the most.
_GLARING, _PURE = (0.4, 0.55), (0.72, 0.82)
# Deviation of the blur over which a colour is looked at, to a side of the face.
_CLOTH = 8 / 1024
# Side of a face in the pictures that colours are looked at in, pixels.
_COARSE = 512
# Share of what is around a pixel from which on its colour is known.
_SEEN = 0.05
# Scales, to a side of the face: of the noise, of what has one direction, of the strands' surroundings.
_THIN, _LOCK, WAVE = 0.7 / 1024, 6 / 1024, 12 / 1024
# How much strands differ from what is around them where they are seen well, as logarithms of light.
_STRANDED = 0.2
# Deviation of the noise that a camera and a JPEG add to light, of 1; and as logarithms, from where on and surely that
# drowns strands: in the dark.
_NOISE, _DROWNS = 0.005, (0.06, 0.11)
# Each time noise is drawn out it gets three times as long.
_DRAWN_OUT = 4

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Strands:
    """What is known of the hair in a part of an aligned face.

    Attributes:
        luma: (H, W) in 0..1, light of each pixel.
        hue: (H, W, 3), what a pixel has beside its light.
        light: (H, W), logarithm of that light.
        whole: (H, W) in 0..1, which pixels are nothing but hair.
        around: (H, W), logarithm of the light of the hair around each place.
        hues: (H, W, 3), hue of that.
        mean: Logarithm of the light of all of it.
        order: (H, W), noise of deviation 1 that runs along the strands: which of them differ first from the others.
        seen: (H, W) in 0..1, how well strands are seen: in the dark or out of focus not at all.
        lost: (H, W) in 0..1, how much of them is lost in the noise of the dark, where there must be some.
    """

    luma: Array
    hue: Array
    light: Array
    whole: Array
    around: Array
    hues: Array
    mean: float
    order: Array
    seen: Array
    lost: Array

    def chosen(self, share: Array, soft: float) -> Array:
        """(H, W) in 0..1, how far each strand is among the first of a share (H, W), over `soft` of their order."""
        # The noise as a place in the order of strands, 0..1.
        order = 1 / (1 + cv2.exp(np.float32(-1.7) * self.order * self.seen))
        return np.asarray(((share * np.float32(1 + soft) - order) / np.float32(soft)).clip(0, 1), np.float32)

    def hair_hue(self) -> Array:
        """(H, W, 3), the hue that hair has in each pixel: its own, or beside hair that of the hair around.

        No pixel has more of it than it has, or it would turn blue without.
        """
        whole = self.whole[..., None]
        there = self.hues.clip(np.minimum(self.hue, 0), np.maximum(self.hue, 0))
        return np.asarray(whole * self.hue + (1 - whole) * there, np.float32)


def strands_of(picture: Array, hair: Array, origin: tuple[int, int], side: int) -> Strands:
    """The strands of hair in a picture.

    Args:
        picture: (H, W, 3), a part of an aligned face, which goes from -1 to 1.
        hair: (H, W) in 0..1, how much of each pixel is hair, of `hair_strands`.
        origin: Row and column of the face at which the part begins.
        side: Of the whole face, pixels.
    """
    luma = luma_of(picture)
    hue = np.asarray(picture - (2 * luma - 1)[..., None], np.float32)
    light = np.asarray(cv2.log(luma.clip(min=0) + np.float32(DARK / 2)), np.float32)
    light, lost = _without_noise(light, side)
    # What is nearly nothing but hair says how light and of what hue hair is around there.
    whole = hair**4
    there = whole + np.float32(1e-3)
    known = smooth(there, WAVE * side)
    around = smooth(light * there, WAVE * side) / known
    hues = smooth(hue * there[..., None], WAVE * side) / known[..., None]
    mean = float((around * whole).sum() / max(float(whole.sum()), 1e-3))
    seen = (smooth(np.abs(light - around), WAVE * side) / np.float32(_STRANDED)).clip(max=1)
    order = _drawn_out(light, origin, side)
    return Strands(luma, hue, light, whole, around, hues, mean, order, np.asarray(seen, np.float32), lost)


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
    taken = rising(fine, _TAKEN)
    return taken * cv2.resize(_by_colour(rgb, hair, side), size, interpolation=cv2.INTER_LINEAR)


def _by_colour(rgb: npt.NDArray[np.uint8], hair: Array, side: int) -> Array:
    """How much each pixel is like the hair around it rather than like what is beside the hair, and of a hair's colour.

    Args:
        rgb: (H, W, 3) uint8.
        hair: (R, C) in 0..1.
        side: Of the face alone, pixels.

    Returns:
        (h, w) in 0..1, a face being `_COARSE`; 1 where there is nothing but hair around, or both are of one colour.
    """
    size = [round(length * _COARSE / side) for length in rgb.shape[1::-1]]
    small = np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)
    logs = logarithms(small)
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
    like = rising(place, _BETWEEN)
    told *= (length / _APART**2).clip(max=1)
    return np.asarray((1 - told * (1 - like)) * (1 - _never_hair(np.divide(small, 255, dtype=np.float32))), np.float32)


def _never_hair(rgb: Array) -> Array:
    """(H, W) in 0..1, what is of a colour that no hair has, as caps and leaves are: red without yellow, blue, green.

    All around, since single strands of dyed hair may gleam so.
    """
    rgb = np.asarray(cv2.GaussianBlur(rgb, (0, 0), _CLOTH * _COARSE), np.float32)
    red, green, blue = colours = cv2.split(rgb)
    chroma = np.asarray(np.maximum.reduce(colours) - np.minimum.reduce(colours), np.float32)
    off = np.maximum(np.maximum(blue - green, green - red), blue - red) / chroma.clip(min=1e-3)
    pure = np.asarray(chroma / np.maximum.reduce(colours).clip(min=1e-3), np.float32)
    other = rising(chroma, _COLOURED) * rising(np.asarray(off, np.float32), _OFF)
    return np.asarray(np.maximum(other, rising(chroma, _GLARING) * rising(pure, _PURE)), np.float32)


def smooth(values: Array, deviation: float) -> Array:
    """A wide blur of (H, W) or (H, W, C), made on a picture of a quarter of the size."""
    height, width = values.shape[:2]
    small = cv2.resize(values, (-(-width // 4), -(-height // 4)), interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(cv2.GaussianBlur(small, (0, 0), deviation / 4), (width, height)), np.float32)


def _without_noise(light: Array, side: int) -> tuple[Array, Array]:
    """Logarithms of light (H, W) without the noise of the dark, as a Wiener filter would leave them, and what it takes.

    Returns:
        (H, W), those logarithms, and (H, W) in 0..1, how much of all that differs from its surroundings was noise.
    """
    around = smooth(light, WAVE * side)
    differs = light - around
    noise = np.asarray(np.float32(_NOISE) * cv2.exp(-around), np.float32)
    lost = rising(noise, _DROWNS) * (noise**2 / smooth(differs**2, WAVE * side).clip(min=1e-6)).clip(max=1)
    return np.asarray(around + differs * (1 - lost), np.float32), np.asarray(lost, np.float32)


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
    noise = noise - smooth(noise, 2 * WAVE * side)
    return np.asarray(noise / max(float(noise.std()), 1e-6), np.float32)


@functools.lru_cache(maxsize=4)
def _noise(blur: float) -> Array:
    """A tile (512, 512) of noise."""
    white = np.random.default_rng(0).standard_normal((512, 512)).astype(np.float32)
    return np.asarray(cv2.GaussianBlur(white, (0, 0), blur, borderType=cv2.BORDER_REFLECT_101), np.float32)
