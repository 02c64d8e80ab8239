"""Figures 1 and 8: faces aged in a continuous manner, a row a photo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from amgan.evaluation.figures.layout import Panel, lay_out
from amgan.evaluation.figures.subjects import FigureOptions, made, panel_side, subject_of
from amgan.faces.photo import Photo
from amgan.inference.ager import Ager

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def continuous_strips(ager: Ager, photos: Sequence[Photo], options: FigureOptions) -> Figure:
    """All signs and the age from `low` to `high` in even steps; the targets are written above."""
    subjects = [subject_of(ager, photo, options.face) for photo in photos]
    levels = np.linspace(options.low, options.high, options.steps or 7)
    rows = []
    for index, subject in enumerate(subjects):
        pictures = made(ager, subject, [subject.all_at(float(level)) for level in levels], options)
        titles = [f"{level:.2f}" if index == 0 else "" for level in levels]
        rows.append([Panel(rgb, title) for rgb, title in zip(pictures, titles, strict=True)])
    return lay_out(rows, panel_side(subjects, options))
