"""How far are the signs from their targets? Beside it the judge's own error, below which nothing can be told."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

from amgan.evaluation.face import ORIGINAL, Found
from amgan.evaluation.measures.response import mean_absolute_error
from amgan.evaluation.protocol import DRAWN, OLDER, YOUNGER, Plan
from amgan.evaluation.totals.figure import Faces, Figure, mean
from amgan.signs.atlas import Atlas


def sign_errors(faces: Faces) -> list[Figure]:
    """MAE of the drawn targets, the same if nothing is done, and of the judge on real faces."""
    atlas = faces.atlas
    return [
        *faces.figure(
            "mae", "MAE of target against estimated sign", lambda p, f: target_error(p, f, atlas, DRAWN), 0.12, "less"
        ),
        *faces.figure(
            "mae_judge",
            "floor of that: the judge's own error on the originals, against their labels",
            lambda p, f: label_error(p, f, atlas),
        ),
        *faces.figure(
            "mae_undone", "the same targets if nothing is done", lambda p, f: target_error(p, f, atlas, ORIGINAL)
        ),
    ]


def sign_changes(faces: Faces) -> list[Figure]:
    """How far all signs move together, beside what a blur and a sharpening move."""
    figures: list[Figure] = []
    for kind in (YOUNGER, OLDER, "blurred", "sharpened"):
        figures += faces.figure(
            f"signs_{kind}",
            f"mean change of the signs, {kind} (faces with controls)",
            _change(kind),
        )
    return figures


def _change(kind: str) -> Callable[[Plan, Found], float]:
    return lambda _, f: mean_sign(f, kind) - mean_sign(f, ORIGINAL)


def mean_sign(found: Found, kind: str) -> float:
    """Mean score of all signs of one kind of picture; NaN if it was not judged."""
    return mean(list(found.signs.get(kind, {}).values()))


def target_error(plan: Plan, found: Found, atlas: Atlas, kind: str = DRAWN) -> float:
    """MAE over the signs whose image-left or centre zone the donor has a label of: that is the side that is judged."""
    targets = {sign: plan.drawn.get(atlas.zones_of(sign)[0], math.nan) for sign in atlas.signs}
    return _error(targets, found, kind)


def label_error(plan: Plan, found: Found, atlas: Atlas) -> float:
    """MAE of the judge on the original against the face's own labels; NaN of a face without."""
    labels = {sign: plan.row.scores.get(sign, math.nan) for sign in atlas.signs}
    return _error(labels, found, ORIGINAL)


def _error(wanted: Mapping[str, float], found: Found, kind: str) -> float:
    if kind not in found.signs:
        return math.nan
    return mean_absolute_error(list(wanted.values()), [found.signs[kind][sign] for sign in wanted])
