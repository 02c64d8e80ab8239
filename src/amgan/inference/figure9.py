"""The six aging maps of the paper's figure 9, for the page and for `amgan figure 9` alike."""

from __future__ import annotations

from amgan.inference.request import Request
from amgan.maps.places import BOTTOM, TOP, Place, signs_by_place
from amgan.signs.atlas import Atlas

_UNDER_EYE, _FOLD, _CORNER = "under_eye_wrinkles", "nasolabial_fold", "lip_corner_wrinkles"
_SPARED = tuple(f"{sign}.right" for sign in (_FOLD, _CORNER, _UNDER_EYE))
NAMED = (*_SPARED, f"{_UNDER_EYE}.left", f"{_FOLD}.left")
"""The zones that (b), (e) and (f) name."""


def figure_9(atlas: Atlas, young: float, old: float) -> dict[str, Request]:
    """What each of the figure's maps asks for; right and left as seen in the picture.

    The paper does not say where the top ends. Here it is below the eyes: forehead, brows and eyes are the top, and the
    cheeks with all that is below them the bottom.

    Args:
        atlas: The model's.
        young: Score in 0..1 of what is rejuvenated.
        old: Score in 0..1 of what is aged.

    Returns:
        Letter to request, in the figure's order; of an atlas that lacks a zone of `NAMED` only a, c and d.
    """
    requests = {
        "a": Request(),
        "c": Request(signs=_signs_in(atlas, BOTTOM, old)),
        "d": Request(signs=_signs_in(atlas, TOP, old)),
    }
    if set(NAMED) <= set(atlas.zones):
        rest = {zone: young for zone in atlas.zones if zone not in _SPARED}
        requests["b"] = Request(atlas.age.grade(young), rest)
        requests["e"] = Request(signs={_UNDER_EYE: old})
        requests["f"] = Request(signs={f"{_UNDER_EYE}.right": old, f"{_FOLD}.left": old})
    return dict(sorted(requests.items()))


def _signs_in(atlas: Atlas, places: tuple[Place, ...], score: float) -> dict[str, float]:
    found = signs_by_place(atlas)
    return {sign: score for place in places for sign in found[place]}
