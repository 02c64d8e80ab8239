"""Figure 7: what the age, which fills the map where no sign lies, does beside the signs (hair greys or stays)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from amgan.evaluation.figures.layout import Panel, lay_out
from amgan.evaluation.figures.subjects import FigureOptions, made, map_pictures, panel_side, subject_of
from amgan.faces.photo import Photo
from amgan.inference.ager import Ager
from amgan.inference.views import GAIN, difference

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def age_filled_and_signs_only(ager: Ager, photos: Sequence[Photo], options: FigureOptions) -> Figure:
    """The face, aged by a map filled with the age, aged by the signs alone, and what lies between; maps below."""
    subjects = [subject_of(ager, photo, options.face) for photo in photos]
    titles = ("Original", "Signs and age", "Signs alone", f"Difference, {GAIN} times")
    rows: list[list[Panel | None]] = []
    for subject in subjects:
        targets = [subject.all_at(options.high), subject.signs_at(options.high)]
        filled, signs = made(ager, subject, targets, options)
        pictures = (subject.original, filled, signs, difference(signs, filled))
        shown = titles if not rows else ("", "", "", "")
        rows.append([Panel(rgb, title) for rgb, title in zip(pictures, shown, strict=True)])
        rows.append([Panel(map_pictures(ager, subject, scores)[0]) for scores in (subject.scores, *targets)])
    return lay_out(rows, panel_side(subjects, options), wide_after_rows=range(1, len(rows), 2))
