"""Where a face shows bare skin, in light and in shade: no hair, glasses, brows, eyes or lips."""

from __future__ import annotations

import functools
from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from amgan.data.curation.occlusion import FACE_SIZE, OcclusionDetector, load_detector
from amgan.data.grafts.skin_colour import OUTLINE, TYPICAL, near_in_colour, of_skin_colour, surely_skin, without_specks
from amgan.faces.align import at_side, points_at
from amgan.faces.light import DARK, light_in
from amgan.faces.outlines import BROWS, EYES, LIPS, SIDE, disc, filled, hull, to_masks
from amgan.faces.parsing import FaceParser
from amgan.faces.whiskers import whiskers
from amgan.maps.shading import TINT
from amgan.signs.zones import polygon_points

# What is no skin, each with how far around it is left out.
_HOLES = (*((eye, 3) for eye in EYES), (LIPS, 2), *((brow, 5) for brow in BROWS))
# Skin in shade, under brows and beside noses, has the hue of skin but not its light. As logarithms: by how much more
# than green do red and blue change with light, as in folds, least variance of both, and how much darker and lighter
# than most of the skin it may be.
_SHADE = (TINT[0] - TINT[1], TINT[2] - TINT[1])
_HUES, _DARKER, _LIGHTER = (0.004, 0.004), 1.0, 0.5
# What is so much darker than around, over this blur, is no shade: frames of glasses, nostrils, lashes.
_BLACK, _AROUND = 0.5, 14.0
# Shares of skin by the parser and of hair by `whiskers` from which on it is that; and from which on, over this blur, a
# beard is so near that what is dark is no shade.
_PARSED, _HAIRY, _BEARDED, _NEAR = 0.3, 0.35, 0.08, 12.0
# How far around the mouth a beard is looked for, and a rim of glasses around eyes and brows; what lies under the nose.
_OF_MOUTH, _RIM, _UNDER_NOSE = 80, 44, (2, 97, 326, 98, 327, 94, 19)
# From which probability on somebody wears glasses.
_GLASSES = 0.3


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
    seen = _detector().measure(at_side(rgb, FACE_SIZE), points_at(landmarks, len(rgb), FACE_SIZE))
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


def _of_skin_hue(rgb: npt.NDArray[np.uint8], points: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    """Where the hue (512, 512) is near that of what is surely skin, if it were in as much light, 255 for that."""
    logs = np.log(rgb / np.float32(255) + np.float32(DARK))
    light, known = light_in(logs), surely_skin(points)
    above = light - np.median(light[known])
    hues = logs[..., ::2] - logs[..., 1:2] - above.clip(max=0)[..., None] * np.array(_SHADE, np.float32)
    near = near_in_colour(hues, hues[known], TYPICAL, _HUES)
    shade = (above > -_DARKER) & (above < _LIGHTER) & (light > cv2.GaussianBlur(light, (0, 0), _AROUND) - _BLACK)
    return without_specks(near & shade)
