"""What becomes of the generator's change before it is added to a picture, in training and in use alike."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from amgan.faces.outlines import disc
from amgan.maps.arrays import ArrayT, grown, pooled, smoothed

# Off the skin, on hair and what lies beside the head, this much of the change is made: hair goes grey in flat patches
# rather than by strands yet.
OFF_SKIN = 0.35
# On skin that no sign's zone covers (nose, lids, brows, lips) this much: only the age is asked for there, and what
# generators add to please it is creases across the nose and outlines above the brows.
OFF_ZONES = 0.5
# Squares over which the hue must stay, to a side of the face: larger than spots, smaller than a cheek.
HUE_CELLS = 32
# Side of the squares that hair fades in over from the outline of the head, to a side of the face.
FADE = 1 / 6
# How far around a person what is behind it gives way where the face moves, to a side of the face.
GIVES_WAY = 0.03


def where_changed(editable: ArrayT, skin: ArrayT, zoned: ArrayT, guarded: bool = True) -> ArrayT:
    """How much of a change is made at each place.

    All of it in the signs' zones, some on other skin and on hair, none outside and in the eyes.

    Args:
        editable: (..., H, W) in 0..1, where the picture may change at all.
        skin: (..., H, W) in 0..1, the face without hair.
        zoned: (..., H, W) in 0..1, 1 in the zone of any sign; everywhere if a model knows no zones.
        guarded: Whether the generator is (`GeneratorConfig.guarded`); else all of a change is made wherever it may be.

    Returns:
        (..., H, W) in 0..1.
    """
    if not guarded:
        return editable
    on_skin = OFF_ZONES + (1 - OFF_ZONES) * zoned
    return editable * (OFF_SKIN + (on_skin - OFF_SKIN) * skin)


def inward(head: npt.NDArray[np.float32], skin: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """How much of an unguarded change is made in use: off the skin less and less towards the outline of the head.

    Hair that hangs beyond the outline stays as it is, and an edge through grey hair would be seen.

    Args:
        head: (R, R) in 0..1, face and hair.
        skin: (R, R) in 0..1, the face without hair.

    Returns:
        (R, R) in 0..1.
    """
    side = max(round(head.shape[0] * FADE), 1)
    around = np.asarray(cv2.blur(head, (side, side), borderType=cv2.BORDER_REPLICATE), np.float32)
    return skin + (1 - skin) * (2 * around - 1).clip(0, 1)


def carried_along(where: npt.NDArray[np.float32], skin: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """What moves where a face changes its shape: that, and what lies beside the face there, or its outline would stay.

    Args:
        where: (R, R) in 0..1, where a face changes.
        skin: (R, R) in 0..1, the face.

    Returns:
        (R, R) in 0..1, on the face as it was; beside it nothing at the edge of the square, beyond which nothing moves.
    """
    side = max(round(len(where) * GIVES_WAY), 1)
    beside = cv2.blur(cv2.dilate(where, disc(side)), (side | 1, side | 1)) * (1 - skin)
    ends = (np.arange(len(where), dtype=np.float32) / np.float32(1.5 * side)).clip(max=1)
    ends = np.minimum(ends, ends[::-1])
    beside *= np.minimum(ends[:, None], ends)
    return np.asarray(np.maximum(where, beside), np.float32)


def around(person: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """What moves with a person's face: the person, and less and less what is close behind.

    Args:
        person: (R, R) in 0..1.

    Returns:
        (R, R) in 0..1, 1 on the person.
    """
    side = max(round(len(person) * GIVES_WAY), 1)
    return np.asarray(cv2.blur(cv2.dilate(person, disc(side)), (2 * side + 1, 2 * side + 1)), np.float32)


def window(where: npt.NDArray[np.float32], margin: int) -> tuple[slice, slice]:
    """Rows and columns of all that may change, and `margin` pixels around; where (H, W) is 0 nothing will.

    Example:
        >>> window(np.array([[0.0, 0.0, 0.0], [0.0, 0.0, 1.0]], np.float32), 1)
        (slice(0, 2, None), slice(1, 3, None))
    """
    sides = []
    for axis in (1, 0):
        touched = np.flatnonzero(where.any(axis=axis))
        first, last = int(touched[0]), int(touched[-1])
        sides.append(slice(max(first - margin, 0), min(last + 1 + margin, where.shape[1 - axis])))
    return sides[0], sides[1]


def hue_kept(change: ArrayT, where: ArrayT, cells: int = HUE_CELLS) -> ArrayT:
    """Takes from a change what it adds to the colour of a region, beyond its brightness; spots and lines stay.

    Age changes the light on skin and draws lines and spots. That it should tint a cheek, generators learn from few
    photos all too easily.

    Args:
        change: (B, 3, H, W), what to add to a picture; 0 where `where` is 0.
        where: (B, 1, H, W) in 0..1, how much of the change is made at each place.
        cells: Squares to a side of the picture; `HUE_CELLS` for a whole face, fewer for a patch of it.

    Returns:
        (B, 3, H, W); 0 where `where` is 0.
    """
    size = (change.shape[-2], change.shape[-1])
    colour = change - change.mean(1)[:, None]
    # Averaged over what is edited alone: the edge of the face is no reason to leave a tint there.
    tint, edited = smoothed(pooled(colour, cells)), smoothed(pooled(where, cells))
    return change - where * grown(tint / edited.clip(min=1e-3), size)


def restrain(change: ArrayT, where: ArrayT, guarded: bool, cells: int = HUE_CELLS) -> ArrayT:
    """What is made of a generator's change; arguments are those of the two above."""
    made = change * where
    return hue_kept(made, where, cells) if guarded else made
