"""Where a face shows bare skin, in light and in shade: no hair, glasses, brows, eyes or lips."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from amgan.data.curation.occlusion import OcclusionDetector, load_detector
from amgan.faces.light import DARK, light_in
from amgan.faces.outlines import BROWS, EYES, LIPS, SIDE, disc, filled, hull, to_masks
from amgan.faces.parsing import FaceParser
from amgan.faces.whiskers import whiskers
from amgan.signs.atlas import Polygon
from amgan.signs.zones import polygon_points

# Between brow and eye, on the nose and on both cheeks: skin on nearly every face.
_SURELY_SKIN = (50, 280, 205, 425, 101, 330, 9, 151, 4)
_SPOT = 14
# The outline of the face; the mesh ends mid-forehead, so the upper edge is extrapolated towards the hairline.
OUTLINE: Polygon = [
    *((10, 9, 0.75), (338, 336, 0.75), (297, 296, 0.75), (332, 334, 0.7), (284, 6, 0.2)),
    *(251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132),
    *(93, 234, 127, 162, 21),
    *((54, 6, 0.2), (103, 105, 0.7), (67, 66, 0.75), (109, 107, 0.75)),
]
# What is no skin, each with how far around it is left out.
_HOLES = (*((eye, 3) for eye in EYES), (LIPS, 2), *((brow, 5) for brow in BROWS))
# Of the colours of what is surely skin the outermost fifth is left out: a highlight, a lock.
_TYPICAL = 0.8
# Least variance of skin in CIELAB (8 bits a channel): light differs over a face more than its hue.
_SPREAD = (260.0, 14.0, 14.0)
# Squared Mahalanobis distance from there on which a colour is another.
_FARTHEST = 9.0
# Skin in shade, under brows and beside noses, has the hue of skin but not its light. As logarithms: by how much more
# than green do red and blue change with light (what is in shade is lit by skin), least variance of both, and how much
# darker and lighter than most of the skin it may be.
_SHADE, _HUES, _DARKER, _LIGHTER = (-0.215, 0.075), (0.004, 0.004), 1.0, 0.5
# What is so much darker than around, over this blur, is no shade: frames of glasses, nostrils, lashes.
_BLACK, _AROUND = 0.5, 14.0
# Shares of skin by the parser and of hair by `whiskers` from which on it is that; and from which on, over this blur, a
# beard is so near that what is dark is no shade.
_PARSED, _HAIRY, _BEARDED, _NEAR = 0.3, 0.35, 0.08, 12.0
# How far around the mouth a beard is looked for, and a rim of glasses around eyes and brows; what lies under the nose.
_OF_MOUTH, _RIM, _UNDER_NOSE = 80, 44, (2, 97, 326, 98, 327, 94, 19)
# From which probability on somebody wears glasses, as a picture of this side says.
_GLASSES, _DETECTED = 0.3, 256


def bare_skin(
    rgb: npt.NDArray[np.uint8], landmarks: npt.NDArray[np.float32], shaded: bool = True
) -> npt.NDArray[np.uint8]:
    """Where skin is bare, by its colour, the landmarks and the parser of hair and skin.

    Args:
        rgb: (S, S, 3) uint8, aligned.
        landmarks: (478, 2) in its pixels.
        shaded: Whether what lies in shade counts, by its hue.

    Returns:
        (512, 512) uint8, 255 for bare skin; soft edges that lie within it.
    """
    shrunk = cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    small = np.asarray(cv2.GaussianBlur(shrunk, (0, 0), 2), np.uint8)
    points = to_masks(landmarks, rgb.shape[0])
    inside = cv2.erode(filled(polygon_points(OUTLINE, points)), disc(5))
    hairy = whiskers(rgb, landmarks)
    found = of_skin_colour(small, points)
    if shaded:
        found |= _of_skin_hue(small, points) & ~_no_shade(rgb, landmarks, points, hairy)
    skin = cv2.resize(_parser().parse(rgb).skin, (SIDE, SIDE), interpolation=cv2.INTER_LINEAR)
    found &= np.where((skin > _PARSED) & (hairy < _HAIRY), np.asarray(inside), 0).astype(np.uint8)
    for hole, around in _HOLES:
        found &= ~hull(points, hole, around)
    return np.asarray(cv2.GaussianBlur(cv2.erode(found, disc(3)), (0, 0), 2), np.uint8)


def _no_shade(
    rgb: npt.NDArray[np.uint8],
    landmarks: npt.NDArray[np.float32],
    points: npt.NDArray[np.float32],
    hairy: npt.NDArray[np.float32],
) -> npt.NDArray[np.uint8]:
    """(512, 512), 255 where what is dark is no shade on skin: at beards, under noses, and behind glasses."""
    bearded = cv2.GaussianBlur(hairy * _near(points, LIPS, _OF_MOUTH), (0, 0), _NEAR) > _BEARDED
    found = np.where(bearded, 255, 0).astype(np.uint8) | hull(points, _UNDER_NOSE, 4)
    small = cv2.resize(rgb, (_DETECTED, _DETECTED), interpolation=cv2.INTER_AREA)
    seen = _detector().measure(np.asarray(small, np.uint8), landmarks * np.float32(_DETECTED / rgb.shape[0]))
    if seen["glasses"] > _GLASSES:
        for eye, brow in zip(EYES, BROWS, strict=True):
            found |= np.where(_near(points, (*eye, *brow), _RIM), 255, 0).astype(np.uint8)
    return found


def _near(points: npt.NDArray[np.float32], landmarks: Sequence[int], around: int) -> npt.NDArray[np.bool_]:
    """What `hull` finds; quicker for much around it."""
    away = cv2.distanceTransform(255 - hull(points, landmarks, 0), cv2.DIST_L2, 3)
    return np.asarray(away <= around, np.bool_)


@functools.cache
def _parser() -> FaceParser:
    return FaceParser()


@functools.cache
def _detector() -> OcclusionDetector:
    return load_detector()


def of_skin_colour(rgb: npt.NDArray[np.uint8], points: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Where the colour (512, 512) is near that of what is surely skin, 255 for that."""
    lab = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2LAB), np.float32)
    return _smooth(near_in_colour(lab, lab[_surely_skin(points)], _TYPICAL, _SPREAD))


def _of_skin_hue(rgb: npt.NDArray[np.uint8], points: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Where the hue (512, 512) is near that of what is surely skin, if it were in as much light, 255 for that."""
    logs = np.log(rgb / np.float32(255) + np.float32(DARK))
    light, known = light_in(logs), _surely_skin(points)
    darker = (light - np.median(light[known])).clip(max=0)
    hues = logs[..., ::2] - logs[..., 1:2] - darker[..., None] * np.array(_SHADE, np.float32)
    near = near_in_colour(hues, hues[known], _TYPICAL, _HUES)
    above = light - np.median(light[known])
    shade = (above > -_DARKER) & (above < _LIGHTER) & (light > cv2.GaussianBlur(light, (0, 0), _AROUND) - _BLACK)
    return _smooth(near & shade)


def _surely_skin(points: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
    """(512, 512), some spots that are."""
    spots = np.zeros((SIDE, SIDE), np.uint8)
    for index in _SURELY_SKIN:
        x, y = (int(v) for v in points[index])
        cv2.circle(spots, (x, y), _SPOT, 255, -1)
    return spots > 0


def _smooth(found: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint8]:
    """A mask of 255 without holes of pores, moles and lines, which are skin, and without single hairs' worth of it."""
    closed = cv2.morphologyEx(np.where(found, 255, 0).astype(np.uint8), cv2.MORPH_CLOSE, disc(3))
    return np.asarray(cv2.morphologyEx(closed, cv2.MORPH_OPEN, disc(3)), np.uint8)


def near_in_colour(
    colours: npt.NDArray[np.float32], known: npt.NDArray[np.float32], typical: float, spread: tuple[float, ...]
) -> npt.NDArray[np.bool_]:
    """Where colours are near to most of the known ones.

    Args:
        colours: (H, W, C).
        known: (N, C).
        typical: Share of them that counts; the outermost are left out.
        spread: Least variance of each channel.
    """
    away = np.abs(known - np.median(known, axis=0)).sum(axis=1)
    known = known[away <= np.quantile(away, typical)]
    inverse = np.linalg.inv(np.cov(known.T) + np.diag(spread)).astype(np.float32)
    difference = colours - known.mean(axis=0)
    return np.asarray(((difference @ inverse) * difference).sum(axis=2) < _FARTHEST, np.bool_)
