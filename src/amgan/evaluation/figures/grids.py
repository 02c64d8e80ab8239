"""Figure 6: rejuvenated, original and aged, for faces of different age and population."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from amgan.evaluation.figures.layout import Panel, lay_out
from amgan.evaluation.figures.subjects import FigureOptions, made, panel_side, subject_of
from amgan.faces.photo import Photo
from amgan.inference.ager import Ager

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLES = ("Rejuvenated", "Original", "Aged")
# From this many photos on, two stand in one row.
_TWO_ABREAST = 3


def rejuvenated_and_aged(ager: Ager, photos: Sequence[Photo], options: FigureOptions) -> Figure:
    """All signs and the age at `low`, the photo, and all at `high`."""
    subjects = [subject_of(ager, photo, options.face) for photo in photos]
    abreast = 2 if len(subjects) >= _TWO_ABREAST else 1
    rows: list[list[Panel | None]] = []
    for index, subject in enumerate(subjects):
        young, old = made(ager, subject, [subject.all_at(options.low), subject.all_at(options.high)], options)
        if index % abreast == 0:
            rows.append([])
        titles = TITLES if len(rows) == 1 else ("", "", "")
        rows[-1] += [Panel(rgb, title) for rgb, title in zip((young, subject.original, old), titles, strict=True)]
    return lay_out(rows, panel_side(subjects, options), wide_after_columns=(2,))
