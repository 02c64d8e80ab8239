"""Figure 9: one face by six aging maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from amgan.evaluation.figures.layout import Panel, lay_out
from amgan.evaluation.figures.subjects import FigureOptions, Subject, made, map_pictures, panel_side, subject_of
from amgan.faces.photo import Photo
from amgan.inference.ager import Ager
from amgan.maps.packing import reference_landmarks
from amgan.signs.atlas import Atlas
from amgan.signs.zones import polygon_points

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NASOLABIAL, LIP_CORNER, UNDER_EYE = "nasolabial_fold", "lip_corner_wrinkles", "under_eye_wrinkles"
TITLES = (
    "(a) Original",
    "(b) Rejuvenated but for three signs at the right",
    "(c) Bottom aged",
    "(d) Top aged",
    "(e) Under the eyes aged",
    "(f) Right under-eye and left fold aged",
)
# Landmark of the tip of the nose: signs lower than this are the bottom of the face.
_NOSE_TIP = 1


def six_maps(ager: Ager, photos: Sequence[Photo], options: FigureOptions) -> Figure:
    """The six, with the map of each below; right and left as seen in the picture.

    Raises:
        AtlasError: The model lacks one of the three signs that the paper takes, or does not tell its sides apart.
    """
    subjects = [subject_of(ager, photo, options.face) for photo in photos]
    rows: list[list[Panel | None]] = []
    for subject in subjects:
        targets = six_targets(ager.bundle.atlas, subject, options)
        pictures = [subject.original, *made(ager, subject, targets[1:], options)]
        titles = TITLES if not rows else ("",) * len(TITLES)
        rows.append([Panel(rgb, title) for rgb, title in zip(pictures, titles, strict=True)])
        rows.append([Panel(map_pictures(ager, subject, scores)[0]) for scores in targets])
    return lay_out(rows, panel_side(subjects, options), wide_after_rows=range(1, len(rows), 2))


def six_targets(atlas: Atlas, subject: Subject, options: FigureOptions) -> list[dict[str, float]]:
    """The scores of (a) to (f), of all zones and of ``age``.

    Raises:
        AtlasError: As `six_maps`.
    """
    own = subject.scores

    def aged(zones: Sequence[str]) -> dict[str, float]:
        return own | dict.fromkeys(zones, options.high)

    (fold_left,), (fold_right,) = (atlas.zones_of(f"{NASOLABIAL}.{side}") for side in ("left", "right"))
    (lip_right,), (eye_right,) = (atlas.zones_of(f"{sign}.right") for sign in (LIP_CORNER, UNDER_EYE))
    kept = {zone: own[zone] for zone in (fold_right, lip_right, eye_right)}
    bottom = [zone for zone in atlas.zones if _is_low(atlas, zone)]
    top = [zone for zone in atlas.zones if zone not in bottom]
    return [
        dict(own),
        subject.all_at(options.low) | kept,
        aged(bottom),
        aged(top),
        aged(atlas.zones_of(UNDER_EYE)),
        aged((eye_right, fold_left)),
    ]


def _is_low(atlas: Atlas, zone: str) -> bool:
    """Whether a zone lies below the tip of the nose, on the reference face."""
    landmarks = reference_landmarks()
    points = np.concatenate([polygon_points(polygon, landmarks) for polygon in atlas.polygons(zone)])
    return bool(points[:, 1].mean() > landmarks[_NOSE_TIP, 1])
