"""Target scores from what a user asks for: any mix of an age, whole signs and single sides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from amgan.errors import AtlasError
from amgan.maps.arrays import ArrayT
from amgan.maps.sides import with_both_halves
from amgan.signs.atlas import AGE, Atlas, shipped_atlases


@dataclass(frozen=True)
class Percentile:
    """A score said by its place in a population: that which `percent`, 0..100, of the faces do not exceed."""

    percent: float

    def __str__(self) -> str:
        return f"{self.percent:g}%"


Score = float | Percentile
# What a generator is asked for: the score that is wanted, or how much it is more than the face's own or what share of
# that goes.
Asks = Literal["score", "change"]
# Of a lower score than this nobody tells the shares apart.
_LEAST = 0.05


def target_scores(
    atlas: Atlas,
    own: Mapping[str, float],
    *,
    age: float | None = None,
    signs: Mapping[str, Score] | None = None,
    every: Score | None = None,
    population: Atlas | None = None,
) -> dict[str, float]:
    """Scores to aim at; what is not named keeps the face's own score. The more specific wins over the general.

    Args:
        atlas: The signs of the model.
        own: Zone to the face's score in 0..1, and ``age`` to its normalised age.
        age: Years.
        signs: Sign, or sign with a side, to score in 0..1 or percentile. A sign alone means both its sides. The left
            or right of a sign with one zone over both is half of it.
        every: Score in 0..1 or percentile of all signs and of the age.
        population: The atlas whose percentiles are meant.

    Returns:
        The keys of `own` with target scores in 0..1; and of each zone of which a half is named both its halves, such as
        ``forehead_wrinkles.left``, the whole then being their mean.

    Raises:
        AtlasError: An unknown sign, a score, percentile or age out of range, or a percentile of no population or of
            one that does not know it.

    Example:
        >>> from amgan.signs.atlas import unit_atlas
        >>> own = {"crows_feet.left": 0.2, "crows_feet.right": 0.2, "age": 0.3}
        >>> target_scores(unit_atlas(), own, signs={"crows_feet": 0.5, "crows_feet.left": 0.9})
        {'crows_feet.left': 0.9, 'crows_feet.right': 0.5, 'age': 0.3}
    """
    target = dict(own)
    if every is not None:
        target = {zone: _score("all", every, zone, atlas, population) for zone in target}
    if age is not None:
        low, high = sorted(atlas.age.grades)
        if not low <= age <= high:
            raise AtlasError(f"age {age:g} is out of range; this model knows {low:g} to {high:g} years")
        target[AGE] = atlas.age.normalise(age)
    # Whole signs first, then single sides: a name with a dot is the more specific.
    for name, score in sorted((signs or {}).items(), key=lambda item: "." in item[0]):
        for aimed in atlas.targets_of(name):
            target[aimed] = _score(name, score, aimed, atlas, population)
    return with_both_halves(target)


def asked_map(asks: Asks, own: ArrayT, target: ArrayT) -> ArrayT:
    """What a generator is given.

    Args:
        asks: What it is asked for.
        own: (B, C, H, W) in 0..1, the aging map of the face as it is.
        target: (B, C, H, W), the one that is wanted.

    Returns:
        (B, C, H, W): `target`; or in -1..1 by how much it is more, and where it is less what share of the face's own
        goes, -1 for all of it: what lines there are to lose are not the same on every face.

    Example:
        >>> import numpy as np
        >>> asked_map("change", np.array([0.5, 0.5, 0.8]), np.array([0.7, 0.4, 0.0])).round(2).tolist()
        [0.2, -0.2, -1.0]
    """
    if asks == "score":
        return target
    rise: ArrayT = target - own
    return rise.clip(min=0) + (rise / own.clip(min=_LEAST)).clip(min=-1, max=0)


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


def _score(name: str, wanted: Score, zone: str, atlas: Atlas, population: Atlas | None) -> float:
    if isinstance(wanted, Percentile):
        if population is None:
            known = ", ".join(other for other in shipped_atlases() if other != "unit")
            raise AtlasError(f"{name}={wanted}: a percentile wants a population; there are: {known}")
        scale = population.scale_for(zone, atlas)
        try:
            return scale.percentile(wanted.percent)
        except AtlasError as error:
            raise AtlasError(f"{name}={wanted}: atlas {population.name!r}, {zone}: {error}") from error
    if not 0 <= wanted <= 1:
        raise AtlasError(f"{name}={wanted:g} is out of range; scores go from 0 (none) to 1 (the atlas's severest)")
    return float(wanted)
