"""Figure 2: zones of a few signs with their scores, and the aging map that all of them make; a row a photo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from amgan.evaluation.figures.layout import Mark, Panel, lay_out
from amgan.evaluation.figures.subjects import FigureOptions, Subject, map_pictures, panel_side, subject_of
from amgan.faces.photo import Photo
from amgan.inference.ager import Ager
from amgan.signs.atlas import Atlas
from amgan.signs.zones import polygon_points

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PAPER_SIGNS = ("lip_corner_wrinkles", "under_eye_wrinkles", "nasolabial_fold", "interocular_wrinkles")


def zones_and_map(ager: Ager, photos: Sequence[Photo], options: FigureOptions) -> Figure:
    """The zones of `FigureOptions.signs`, or of the paper's that the model knows, and every channel of the map.

    Raises:
        AtlasError: The model does not know a sign that is asked for.
    """
    atlas = ager.bundle.atlas
    known = [sign for sign in PAPER_SIGNS if sign in atlas.signs]
    signs = options.signs or known or list(atlas.signs)[: len(PAPER_SIGNS)]
    zones = [atlas.zones_of(sign) for sign in signs]
    subjects = [subject_of(ager, photo, options.face) for photo in photos]
    rows = []
    for index, subject in enumerate(subjects):
        maps = map_pictures(ager, subject, subject.scores)
        names = ["Aging map" if len(maps) == 1 else f"Aging map, channel {channel}" for channel in range(len(maps))]
        texts = [atlas.signs[sign.partition(".")[0]].label for sign in signs] + names
        titles = [f"({chr(ord('a') + place)}) {text}" if index == 0 else "" for place, text in enumerate(texts)]
        panels = [
            Panel(subject.original, title, tuple(mark for zone in group for mark in _marks(subject, atlas, zone)))
            for title, group in zip(titles, zones, strict=False)
        ]
        panels += [Panel(rgb, title) for rgb, title in zip(maps, titles[len(zones) :], strict=True)]
        rows.append(panels)
    return lay_out(rows, panel_side(subjects, options))


def _marks(subject: Subject, atlas: Atlas, zone: str) -> list[Mark]:
    left, top, right, _ = subject.box
    marks: list[Mark] = []
    for polygon in atlas.polygons(zone):
        points = subject.view.alignment.to_photo(polygon_points(polygon, subject.view.landmarks))
        # A landmark at 0 is in the middle of the first pixel.
        corners = (points - np.array([left, top], np.float32) + 0.5) / np.float32(right - left)
        marks.append(Mark(corners, "" if marks else f"{subject.scores[zone]:.2f}"))
    return marks
