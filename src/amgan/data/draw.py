"""Whose patch is drawn for a training step, and which scores are asked of it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from torch import Tensor

from amgan.signs.atlas import Atlas

# Share of a patch from which a zone counts as shown.
LEAST_COVER = 0.04

_Scores = npt.NDArray[np.float32]


class Draw:
    """Draws faces and target scores.

    Args:
        atlas: Signs and zones.
        scores: (N, Z) zone scores of the faces to draw from, 0..1.
        ages: (N,) their normalised ages.
        alone: Share of the targets that ask for one sign alone.
        even: Share of the others that ask for one score everywhere.
        balance_ages: Whether every age is drawn about equally often, rather than every face.
    """

    def __init__(
        self,
        atlas: Atlas,
        scores: Tensor,
        ages: Tensor,
        alone: float = 0.0,
        even: float = 0.1,
        balance_ages: bool = True,
    ) -> None:
        self.scores, self.ages = scores.float().numpy(), ages.float().numpy()
        self.alone, self.even = alone, even
        self.of_sign = {sign: [atlas.zones.index(zone) for zone in atlas.zones_of(sign)] for sign in atlas.signs}
        weight = _by_age(self.ages) if balance_ages else np.ones(len(self.ages))
        self._ends = np.cumsum(weight / weight.sum())

    def faces(self, rng: np.random.Generator, count: int) -> npt.NDArray[np.int64]:
        """(count,) places of faces, each drawn by itself."""
        return drawn_below(self._ends, rng, count)

    def target(self, rng: np.random.Generator, pick: int, zones: _Scores) -> tuple[_Scores, np.float32]:
        """Target scores: a share `alone` of one sign, of the rest a share `even` of one score everywhere.

        What is left is another person's in 5 of 9, mixed in 3, at random in 1. One sign, or one side of it, is any
        score where all else stays as it is; a sign that shows in the patch, if any does. One score everywhere is what
        someone asks for who wants "all signs at 0.9". Mixed are own and other by zone. The other person is drawn as
        the faces are, so that the critic sees no more old skin among the real patches than among those made.

        Args:
            rng: Source of randomness.
            pick: The face.
            zones: (Z, h, w) in 0..1, its zones in the patch.

        Returns:
            (Z,) scores, and the age.
        """
        if self.alone and rng.random() < self.alone:
            scores = self.scores[pick].copy()
            scores[self.one_sign(rng, zones)] = rng.random()
            return scores, self.ages[pick]
        if rng.random() < self.even:
            level = np.float32(rng.random())
            return np.full(len(self.scores[pick]), level), level
        other = self.faces(rng, 1)[0]
        scores, age = self.scores[other].copy(), self.ages[other]
        kind = 9 * rng.random()
        if kind < 1:
            scores[:], age = rng.random(len(scores)), np.float32(rng.random())
        elif kind < 4:
            scores = np.where(rng.random(len(scores)) < 0.5, self.scores[pick], scores)
            if rng.random() < 0.5:
                age = self.ages[pick]
        return scores, age

    def one_sign(self, rng: np.random.Generator, zones: _Scores) -> list[int]:
        """Zones of one sign, or of one side of it, that shows in a patch, if any does; `zones` is (Z, h, w)."""
        cover = zones.mean(axis=(1, 2))
        shown = [sign for sign, places in self.of_sign.items() if cover[places].max() > LEAST_COVER]
        sign = rng.choice(shown or list(self.of_sign))
        places = self.of_sign[sign]
        seen = [place for place in places if cover[place] > LEAST_COVER]
        return places if rng.random() < 0.7 else [int(rng.choice(seen or places))]


def drawn_below(ends: npt.NDArray[np.float64], rng: np.random.Generator, count: int) -> npt.NDArray[np.int64]:
    """(count,) places, each as often as its share; `ends` are the shares summed up, (N,)."""
    found = np.searchsorted(ends, rng.random(count), side="right")
    # The last end may be a rounding error below 1.
    return np.minimum(found, len(ends) - 1)


def _by_age(ages: _Scores) -> npt.NDArray[np.float64]:
    """Weights that draw every age about equally often, as far as a factor of ten allows: the old are few."""
    counts, edges = np.histogram(ages, bins=10, range=(0, 1))
    density = counts[np.clip(np.digitize(ages, edges) - 1, 0, 9)].astype(np.float64)
    return 1 / np.maximum(density, density.max() / 10)
