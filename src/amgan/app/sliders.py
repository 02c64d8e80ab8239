"""Positions of the page's sliders, and what they ask for: a slider that stands on the face's own score asks nothing."""

from __future__ import annotations

from collections.abc import Mapping

from amgan.inference.request import Request
from amgan.inference.views import FaceView
from amgan.signs.atlas import AGE, Atlas

DIGITS = 2
"""Decimals of a score's slider; an age has none."""


def slider_values(atlas: Atlas, scores: Mapping[str, float]) -> dict[str, float]:
    """Where the sliders stand for these scores in 0..1 of each zone and of ``age``; the age's is in years."""
    positions = {zone: round(scores[zone], DIGITS) for zone in atlas.zones}
    return {AGE: float(round(atlas.age.grade(scores[AGE]))), **positions}


def slider_request(atlas: Atlas, view: FaceView, values: Mapping[str, float], face: int) -> Request:
    """What the sliders ask for.

    Args:
        atlas: Signs of the model.
        view: The face.
        values: Position of each zone's slider, and ``age`` in years.
        face: Its number in the photo.

    Returns:
        A request that names only what was moved, so that all else keeps its exact score and no pixel of it changes.
    """
    own = slider_values(atlas, view.scores)
    # A browser may send 0.30000000000000004; what a slider shows is what is meant.
    moved = {zone: round(float(value), DIGITS) for zone, value in values.items() if zone != AGE}
    signs = {zone: value for zone, value in moved.items() if value != own[zone]}
    years = float(round(values[AGE]))
    return Request(None if years == own[AGE] else years, signs, face=face)


def own_score(atlas: Atlas, view: FaceView, zone: str) -> str:
    """The face's own score of a zone, or apparent age, as it stands beside the slider."""
    if zone == AGE:
        return f"looks {slider_values(atlas, view.scores)[AGE]:.0f}"
    if zone in view.report.covered:
        return f"now {view.scores[zone]:.2f}, covered"
    return f"now {view.scores[zone]:.2f} ± {view.report.deviations[zone]:.2f}"
