"""Target scores from what a user asks for: any mix of an age, whole signs and single sides."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from amgan.errors import AtlasError
from amgan.signs.atlas import AGE, Atlas


def target_scores(
    atlas: Atlas,
    own: Mapping[str, float],
    *,
    age: float | None = None,
    signs: Mapping[str, float] | None = None,
    every: float | None = None,
) -> dict[str, float]:
    """Scores to aim at; what is not named keeps the face's own score. The more specific wins over the general.

    Args:
        atlas: The signs.
        own: Zone to the face's score in 0..1, and ``age`` to its normalised age.
        age: Years.
        signs: Sign, or sign with a side, to score in 0..1. A sign alone means both its sides.
        every: Score in 0..1 of all signs and of the age.

    Returns:
        The keys of `own` with target scores in 0..1.

    Raises:
        AtlasError: An unknown sign, or a score or age out of range.

    Example:
        >>> from amgan.signs.atlas import unit_atlas
        >>> own = {"crows_feet.left": 0.2, "crows_feet.right": 0.2, "age": 0.3}
        >>> target_scores(unit_atlas(), own, signs={"crows_feet": 0.5, "crows_feet.left": 0.9})
        {'crows_feet.left': 0.9, 'crows_feet.right': 0.5, 'age': 0.3}
    """
    target = dict(own)
    if every is not None:
        target = dict.fromkeys(target, _checked("all", every))
    if age is not None:
        low, high = sorted(atlas.age.grades)
        if not low <= age <= high:
            raise AtlasError(f"age {age:g} is out of range; this model knows {low:g} to {high:g} years")
        target[AGE] = atlas.age.normalise(age)
    # Whole signs first, then single sides: a name with a dot is the more specific.
    for name, score in sorted((signs or {}).items(), key=lambda item: "." in item[0]):
        for zone in atlas.zones_of(name):
            target[zone] = _checked(name, score)
    return target


def painted_map(
    own: npt.NDArray[np.float32], paint: npt.NDArray[np.float32], opacity: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """Lays a painted map over a face's own aging map.

    Args:
        own: (C, H, W) in 0..1.
        paint: (H, W) target scores in 0..1 times their opacity; they go into every channel.
        opacity: (H, W) in 0..1; 0 keeps the face's own score.

    Returns:
        (C, H, W) in 0..1.
    """
    return (own * (1 - opacity) + paint).astype(np.float32)


def _checked(name: str, score: float) -> float:
    if not 0 <= score <= 1:
        raise AtlasError(f"{name}={score:g} is out of range; scores go from 0 (none) to 1 (the atlas's severest)")
    return float(score)
