"""Positions of the page's sliders, and what they ask for: a slider that stands on the face's own score asks nothing."""

from __future__ import annotations

from collections.abc import Mapping

from amgan.inference.request import Request
from amgan.inference.views import FaceView
from amgan.maps.sides import known_as, score_of, sides_of
from amgan.signs.atlas import AGE, Atlas

DIGITS = 2
"""Decimals of a score's slider; an age has none."""


def slider_values(atlas: Atlas, scores: Mapping[str, float]) -> dict[str, float]:
    """Where all sliders that there can be stand; the age's is in years.

    Args:
        atlas: Signs of the model.
        scores: Score in 0..1 of each zone and of ``age``; of a zone's halves too, if they differ.

    Returns:
        Zone, and side of any sign, to its score; ``age`` to years.
    """
    names = (*atlas.zones, *(side for sign in atlas.signs for side in sides_of(sign)))
    positions = {name: round(score_of(scores, name), DIGITS) for name in names}
    return {AGE: float(round(atlas.age.grade(scores[AGE]))), **positions}


def slider_request(atlas: Atlas, view: FaceView, values: Mapping[str, float], face: int) -> Request:
    """What the sliders ask for.

    Args:
        atlas: Signs of the model.
        view: The face.
        values: Position of each slider: of zones or of sides, and of ``age`` in years.
        face: Its number in the photo.

    Returns:
        A request that names only what was moved, so that all else keeps its exact score and no pixel of it changes.
    """
    own = slider_values(atlas, view.scores)
    # A browser may send 0.30000000000000004; what a slider shows is what is meant.
    moved = {zone: round(float(value), DIGITS) for zone, value in values.items() if zone != AGE}
    signs = {name: value for name, value in moved.items() if value != own[name]}
    for sign in atlas.signs:
        left, right = sides_of(sign)
        # Both alike are the sign, which any model knows and a recipe says in one word.
        if left in signs and signs[left] == signs.get(right):
            signs[sign] = signs.pop(left)
            del signs[right]
    years = float(round(values[AGE]))
    return Request(None if years == own[AGE] else years, signs, face=face)


def own_score(atlas: Atlas, view: FaceView, name: str) -> str:
    """The face's own score of a zone or of half of one, or apparent age, as it stands beside the slider."""
    if name == AGE:
        return f"looks {slider_values(atlas, view.scores)[AGE]:.0f}"
    zone = known_as(view.scores, name)
    if zone in view.report.covered:
        return f"now {view.scores[zone]:.2f}, covered"
    return f"now {view.scores[zone]:.2f} ± {view.report.deviations[zone]:.2f}"
