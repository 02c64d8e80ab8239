"""Hair and brows: where they are, and what they look like when they go grey."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from amgan.data.grafts.skin_colour import OUTLINE, near_in_colour, of_skin_colour
from amgan.faces.light import DARK, LUMA
from amgan.faces.outlines import BROWS, LIPS, SIDE, disc, filled, hull, to_masks
from amgan.faces.whiskers import LOWER_FACE
from amgan.signs.atlas import Polygon
from amgan.signs.zones import polygon_points

# Around the hairline, where there is hair if there is any: its lower edge, then its upper one.
_BAND: Polygon = [
    *((54, 6, 0.2), (103, 105, 1.15), (67, 66, 1.3), (109, 107, 1.3), (10, 9, 1.3), (338, 336, 1.3), (297, 296, 1.3)),
    *((332, 334, 1.15), (284, 6, 0.2), (284, 6, 0.32), (332, 334, 1.6), (297, 296, 1.75), (338, 336, 1.8)),
    *((10, 9, 1.8), (109, 107, 1.8), (67, 66, 1.75), (103, 105, 1.6), (54, 6, 0.32)),
]
# How far around the lips no beard is looked for, and the fewest pixels that are one.
_OFF_LIPS, _BEARD = 4, 600
# Fewest pixels of the band that are no skin, and of them that a patch of hair has.
_FEWEST, _ROOTED = 300, 100
# Of the band's colours the outermost quarter is left out; and least variances, as for skin.
_TYPICAL = 0.75
_SPREAD = (150.0, 10.0, 10.0)
# How far in from the edge of the head greying fades, pixels: what hair hangs lower stays as it is.
_FADE = 45
# Share of brows' greying beside that of hair.
_OF_BROWS = 0.7
# Luma of white hair, pictures being 0..1, and how much of the way there greying goes.
WHITE, _WAY = 0.68, 0.7
# Of the colour that is left, and the power of lightness with which contrast grows.
_COLOUR_LEFT, _CONTRAST = 0.15, 0.4
# How much darker than white hair is greyed in full.
_NEAR = 0.15
# How much earlier than others light strands go grey, and the blur that parts them, to a side of the face.
_EARLIER, _STRAND = 0.5, 6 / 1024
# Hair has strands: how much they differ from what is around them, in logarithms of light, where there is certainly hair
# and where there is none; the blur around a strand, and that over strands, pixels.
_STRANDS, _AROUND, _OVER = (0.028, 0.045), 2.5, 6
# Half the width of holes in hair that are closed, pixels; and how near to the face what has no strands is hair
# all the same, and from where on it is not, to a side of the face.
_HOLE, _NEAR_BY, _FAR = 12, 0.05, 0.1
# How much darker than skin brows are, in CIELAB's L of 8 bits.
_DARKER = 20

_Array = npt.NDArray[np.float32]


def hair_mask(
    rgb: npt.NDArray[np.uint8],
    landmarks: npt.NDArray[np.float32],
    bare: npt.NDArray[np.uint8],
    head: npt.NDArray[np.uint8],
    bearded: bool,
) -> npt.NDArray[np.uint8]:
    """How grey hair may go at each place.

    Args:
        rgb: (S, S, 3) uint8, aligned.
        landmarks: (478, 2) in its pixels.
        bare: (512, 512), its bare skin (`bare_skin`).
        head: (512, 512) uint8, 255 on the head.
        bearded: Whether there may be a beard.

    Returns:
        (512, 512) uint8, 255 for all the way; less on brows, towards the edge of the head and where no strands are told
        apart, as in the dark behind dark hair. All 0 if the band around the hairline shows none.
    """
    shrunk = np.asarray(cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    small = np.asarray(cv2.GaussianBlur(shrunk, (0, 0), 1.5), np.uint8)
    lab = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2LAB), np.float32)
    points = to_masks(landmarks, rgb.shape[0])
    roots = filled(polygon_points(_BAND, points)) & ~np.asarray(cv2.dilate(bare, disc(3)), np.uint8)
    known = lab[roots > 127]
    if len(known) < _FEWEST:
        return np.zeros((SIDE, SIDE), np.uint8)
    inside = cv2.erode(filled(polygon_points(OUTLINE, points)), disc(12))
    # Ears and necks in the shade of hair are near to its colour.
    alike = near_in_colour(lab, known, _TYPICAL, _SPREAD) & (bare < 128)
    like = alike & (of_skin_colour(small, points) == 0) & (head > 127) & (inside == 0)
    found = cv2.morphologyEx(np.where(like, 255, 0).astype(np.uint8), cv2.MORPH_OPEN, disc(2))
    parts = cv2.connectedComponents(cv2.morphologyEx(found, cv2.MORPH_CLOSE, disc(4)))[1]
    rooted = np.bincount(parts[roots > 127], minlength=int(parts.max()) + 1) > _ROOTED
    rooted[0] = False
    away = cv2.distanceTransform(np.where(head > 127, 255, 0).astype(np.uint8), cv2.DIST_L2, 3)
    hair = _soft(rooted[parts]) * (away / _FADE).clip(max=1)
    if bearded:  # a beard ends on the face
        hair = np.maximum(hair, _soft(_beard(alike, points)))
    return np.asarray(np.maximum(hair * _stranded(shrunk), _OF_BROWS * _brows(lab, points, bare)), np.uint8)


def _soft(mask: npt.NDArray[np.bool_]) -> _Array:
    """A mask in 0..255, its edge blurred."""
    return np.asarray(cv2.GaussianBlur(np.where(mask, 255, 0).astype(np.float32), (0, 0), 2), np.float32)


def off_background(rgb: npt.NDArray[np.uint8], skin: npt.NDArray[np.float32]) -> _Array:
    """How much of a change off the skin is made: none of it far from the face where no strands are.

    Args:
        rgb: (S, S, 3) uint8, aligned.
        skin: (R, R) in 0..1, the face without hair.

    Returns:
        (R, R) in 0..1.
    """
    size = skin.shape[0]
    shrunk = np.asarray(cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)
    # Locks in the shade of others are hair too.
    strands = cv2.morphologyEx(_stranded(shrunk), cv2.MORPH_CLOSE, disc(_HOLE))
    strands = cv2.resize(strands, (size, size), interpolation=cv2.INTER_AREA)
    away = cv2.distanceTransform((skin < 0.5).astype(np.uint8), cv2.DIST_L2, 3) / size
    near = ((_FAR - away) / (_FAR - _NEAR_BY)).clip(0, 1)
    return np.asarray(np.maximum(near, strands), np.float32)


def _stranded(rgb: npt.NDArray[np.uint8]) -> _Array:
    """(512, 512) in 0..1, where a picture is as uneven as hair is. What is behind a head is smooth, or out of focus."""
    light = np.log(rgb / np.float32(255) @ LUMA + DARK)
    uneven = cv2.GaussianBlur(np.abs(light - cv2.GaussianBlur(light, (0, 0), _AROUND)), (0, 0), _OVER)
    low, high = _STRANDS
    return np.asarray(((uneven - low) / (high - low)).clip(0, 1), np.float32)


def _beard(alike: npt.NDArray[np.bool_], points: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """(512, 512), what has the colour of hair, `alike`, in the lower face; nothing if that is little."""
    like = alike & (filled(points[list(LOWER_FACE)]) > 0) & (hull(points, LIPS, _OFF_LIPS) == 0)
    found = cv2.morphologyEx(np.where(like, 255, 0).astype(np.uint8), cv2.MORPH_OPEN, disc(3)) > 0
    return np.asarray(found & (found.sum() >= _BEARD), np.bool_)


def _brows(lab: _Array, points: _Array, bare: npt.NDArray[np.uint8]) -> _Array:
    """(512, 512) in 0..255: what is darker than skin where the brows are."""
    skin = lab[bare > 127, 0]
    if not len(skin):
        return np.zeros((SIDE, SIDE), np.float32)
    around = np.zeros((SIDE, SIDE), np.uint8)
    for brow in BROWS:
        around |= hull(points, brow, 2)
    dark = np.where(lab[..., 0] < np.median(skin) - _DARKER, around, 0).astype(np.uint8)
    return np.asarray(cv2.GaussianBlur(cv2.erode(dark, disc(1)).astype(np.float32), (0, 0), 1), np.float32)


def evenly_greyed(rgb: npt.NDArray[np.uint8], hair: _Array, amount: float, size: int) -> npt.NDArray[np.uint8]:
    """A patch with greyer hair.

    Args:
        rgb: (P, P, 3) uint8.
        hair: (P, P) in 0..1, where it is.
        amount: 0 for none to 1 for all.
        size: Side of the whole face, pixels.
    """
    picture = rgb / np.float32(255)
    luma = picture @ LUMA
    weight = hair / max(float(hair.sum()), 1.0)
    around = cv2.GaussianBlur(luma, (0, 0), _STRAND * size)
    strand = luma - around
    usual = max(float(np.sqrt((strand**2 * weight).sum())), 1e-3)
    grey = (hair * amount * (1 + _EARLIER * (strand / usual).clip(-1, 1))).clip(0, 1)
    mean = float((luma * weight).sum())
    # Light and shade of a head of hair stay, and grow with its lightness, as on any brighter thing.
    white = mean + _WAY * max(WHITE - mean, 0.0)
    # What is as light already, skin between strands, stays.
    grey *= ((white - np.maximum((around + luma) / 2, luma)) / _NEAR).clip(0, 1)
    contrast = (white / max(mean, 0.05)) ** _CONTRAST
    lit = white + contrast * (around - mean) + contrast * strand
    lighter = luma + grey * (lit - luma)
    colour = (picture - luma[..., None]) * (1 - (1 - _COLOUR_LEFT) * grey)[..., None]
    return np.asarray(((lighter[..., None] + colour).clip(0, 1) * 255).round(), np.uint8)
