"""Figures 10 to 12: the same face by models that were trained differently, each with what it changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from amgan.evaluation.figures.layout import Panel, lay_out
from amgan.evaluation.figures.subjects import FigureOptions, Subject, made, map_pictures, panel_side, subject_of
from amgan.faces.photo import Photo
from amgan.inference.ager import Ager
from amgan.inference.views import GAIN, difference

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def rejuvenated_and_aged_by_each(agers: Mapping[str, Ager], photos: Sequence[Photo], options: FigureOptions) -> Figure:
    """Figure 10: all signs and the age at `low` and at `high`, a column a model."""
    return _by_each(agers, photos, {"Rejuvenated": options.low, "Aged": options.high}, options)


def aged_by_each(agers: Mapping[str, Ager], photos: Sequence[Photo], options: FigureOptions) -> Figure:
    """Figures 11 and 12: all signs and the age at `high`, a column a model."""
    return _by_each(agers, photos, {"Aged": options.high}, options)


def _by_each(
    agers: Mapping[str, Ager], photos: Sequence[Photo], levels: Mapping[str, float], options: FigureOptions
) -> Figure:
    """Two rows a photo and level: the original and every model's picture; the map and every picture's difference.

    The map is that of the model named last: the paper's own, beside one that lacks something.
    """
    last = list(agers.values())[-1]
    shown: list[Subject] = []
    rows: list[list[Panel | None]] = []
    row_titles = []
    for photo in photos:
        # Each model has its own idea of the zones and of the scores that the face has now.
        own = _same_square([subject_of(ager, photo, options.face) for ager in agers.values()])
        columns = [
            made(ager, subject, [subject.all_at(level) for level in levels.values()], options)
            for ager, subject in zip(agers.values(), own, strict=True)
        ]
        subject = own[-1]
        shown.append(subject)
        original = subject.original
        for index, (word, level) in enumerate(levels.items()):
            titles = ("Original", *agers) if not rows else ("",) * (1 + len(agers))
            pictures = [original, *(column[index] for column in columns)]
            rows.append([Panel(rgb, title) for rgb, title in zip(pictures, titles, strict=True)])
            target = map_pictures(last, subject, subject.all_at(level))[0]
            rows.append([Panel(target), *(Panel(difference(original, column[index])) for column in columns)])
            row_titles += [word, f"Map, difference ({GAIN} times)"]
    wide = range(1, len(rows), 2)
    return lay_out(rows, panel_side(shown, options), row_titles=row_titles, wide_after_rows=wide)


def _same_square(subjects: Sequence[Subject]) -> list[Subject]:
    """One face as each model sees it, all in the largest square: with hair that greys a model shows more of a photo."""
    box = max((subject.box for subject in subjects), key=lambda box: box[2] - box[0])
    return [replace(subject, box=box) for subject in subjects]
