"""The figures of the paper by their numbers: what each shows, and what draws it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from amgan.evaluation.figures.age_fill import age_filled_and_signs_only
from amgan.evaluation.figures.compared import aged_by_each, rejuvenated_and_aged_by_each
from amgan.evaluation.figures.grids import rejuvenated_and_aged
from amgan.evaluation.figures.recombined import six_maps
from amgan.evaluation.figures.strips import continuous_strips
from amgan.evaluation.figures.subjects import FigureOptions
from amgan.evaluation.figures.zones import zones_and_map
from amgan.faces.photo import Photo
from amgan.inference.ager import Ager

if TYPE_CHECKING:
    from matplotlib.figure import Figure

OfOne = Callable[[Ager, Sequence[Photo], FigureOptions], "Figure"]
OfSeveral = Callable[[Mapping[str, Ager], Sequence[Photo], FigureOptions], "Figure"]


@dataclass(frozen=True)
class OneModel:
    """A figure of what one model does.

    Attributes:
        caption: What is seen.
        draw: Makes it.
        options: Fields of `FigureOptions` that it heeds, beside those all do.
        steps: Of a strip, unless another number is asked for.
    """

    caption: str
    draw: OfOne
    options: frozenset[str] = frozenset()
    steps: int | None = None


@dataclass(frozen=True)
class SeveralModels:
    """A figure that compares models.

    Attributes:
        caption: What is seen.
        draw: Makes it.
        wanted: Which models, and how they are trained.
        options: As of `OneModel`.
    """

    caption: str
    draw: OfSeveral
    wanted: str
    options: frozenset[str] = frozenset()


_LOW, _HIGH, _STEPS, _SIGNS = "low", "high", "steps", "signs"

FIGURES: dict[int, OneModel | SeveralModels] = {
    1: OneModel(
        "Faces aged in a continuous manner; above, the target of all signs and the age.",
        continuous_strips,
        frozenset({_LOW, _HIGH, _STEPS}),
        7,
    ),
    2: OneModel(
        "Zones of signs with their scores, and the aging map that all zones make: the brighter, the severer; where "
        "no sign is defined it is the age.",
        zones_and_map,
        frozenset({_SIGNS}),
    ),
    6: OneModel(
        "Rejuvenation (left), original (centre) and aging (right).", rejuvenated_and_aged, frozenset({_LOW, _HIGH})
    ),
    7: OneModel(
        "Aged by a map that is filled with the age where no sign is defined, and by the signs alone, which keeps the "
        "look of the hair; their difference, and below each face its aging map.",
        age_filled_and_signs_only,
        frozenset({_HIGH}),
    ),
    8: OneModel(
        "Faces aged in a continuous manner, fewer and larger; zoom in to see the fine details.",
        continuous_strips,
        frozenset({_LOW, _HIGH, _STEPS}),
        5,
    ),
    9: OneModel(
        "One face (a) by different aging maps, shown below: (b) all signs rejuvenated but nasolabial fold, corner of "
        "the lips and under-eye at the right, (c) the bottom of the face aged, (d) the top, (e) under the eyes alone, "
        "(f) right under-eye and left nasolabial fold.",
        six_maps,
        frozenset({_LOW, _HIGH}),
    ),
    10: SeveralModels(
        "Rejuvenation and aging by models trained on patches of different sizes, and their difference from the "
        "original.",
        rejuvenated_and_aged_by_each,
        "one model a patch size, of `amgan train paper-128`, `paper-256` and `paper-512`",
        frozenset({_LOW, _HIGH}),
    ),
    11: SeveralModels(
        "Aged without (left) and with (right) location maps, and the difference from the original.",
        aged_by_each,
        "one model without location maps and one with them, of `amgan train no-location-maps-128` and `paper-128`",
        frozenset({_HIGH}),
    ),
    12: SeveralModels(
        "Aged by a model of individual uniform feature maps (left) and one of aging maps (right), and the difference "
        "from the original.",
        aged_by_each,
        "one model that got each score as a uniform map of its own and one with aging maps, of `amgan train "
        "no-aging-maps-256` and `paper-256`",
        frozenset({_HIGH}),
    ),
}
