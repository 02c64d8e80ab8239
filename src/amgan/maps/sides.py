"""Left and right of a sign that has one zone over both: each half of it can be aimed at by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from amgan.signs.atlas import SIDES

# On the mean face, whose picture is 2 wide: from the middle to where the other side has no more say. Lines that run
# across the middle, as on a forehead, fade over it as they do at the end of a zone.
_PASSAGE = 0.08


def sides_of(sign: str) -> tuple[str, str]:
    """What the left and the right of a sign are called.

    Example:
        >>> sides_of("crows_feet")
        ('crows_feet.left', 'crows_feet.right')
    """
    left, right = (f"{sign}.{side}" for side in SIDES)
    return left, right


def across(zones: Sequence[str]) -> list[int]:
    """Where each zone finds itself in a mirror: the place of the same sign's other side; its own, if it has no side.

    Example:
        >>> across(["forehead_wrinkles", "crows_feet.left", "crows_feet.right"])
        [0, 2, 1]
    """
    left, right = SIDES
    other = {left: right, right: left}
    named = (zone.partition(".") for zone in zones)
    return [zones.index(f"{sign}{dot}{other.get(side, side)}") for sign, dot, side in named]


def known_as(scores: Iterable[str], name: str) -> str:
    """Under which name the score of a zone, or of half of one, is found: the whole's unless the half has its own."""
    return name if name in scores else name.partition(".")[0]


def score_of(scores: Mapping[str, float], name: str) -> float:
    """The score of a zone or of half of one, as `known_as` finds it.

    Example:
        >>> score_of({"forehead_wrinkles": 0.3}, "forehead_wrinkles.left")
        0.3
    """
    return scores[known_as(scores, name)]


def with_both_halves(scores: Mapping[str, float]) -> dict[str, float]:
    """Gives a zone of which one half has its own score two halves, and itself the mean of them.

    Example:
        >>> with_both_halves({"forehead_wrinkles": 0.25, "forehead_wrinkles.left": 0.75})
        {'forehead_wrinkles': 0.5, 'forehead_wrinkles.left': 0.75, 'forehead_wrinkles.right': 0.25}
    """
    whole = dict(scores)
    for zone in halved(scores):
        halves = {half: score_of(scores, half) for half in sides_of(zone)}
        whole |= {zone: sum(halves.values()) / len(halves), **halves}
    return whole


def halved(scores: Iterable[str]) -> set[str]:
    """The zones of which a half has its own score."""
    names = set(scores)
    return {name.partition(".")[0] for name in names if "." in name} & names


def right_share(x: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """How far places belong to the right half of a face, as seen in the picture.

    Args:
        x: On the mean face, as of `amgan.maps.mesh.face_places`.

    Returns:
        As large, in 0..1: 0 on the left, 1 on the right.

    Example:
        >>> right_share(np.array([-0.5, 0.0, 0.04, 0.5], np.float32)).tolist()
        [0.0, 0.5, 0.75, 1.0]
    """
    return np.asarray((x / np.float32(2 * _PASSAGE) + np.float32(0.5)).clip(0, 1), np.float32)
