"""Figure 9: one face by six aging maps."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from amgan.evaluation.figures.layout import Panel, lay_out
from amgan.evaluation.figures.subjects import FigureOptions, Subject, made, map_pictures, panel_side, subject_of
from amgan.faces.photo import Photo
from amgan.inference.ager import Ager
from amgan.inference.figure9 import NAMED, figure_9
from amgan.signs.atlas import Atlas

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TITLES = (
    "(a) Original",
    "(b) Rejuvenated but for three signs at the right",
    "(c) Bottom aged",
    "(d) Top aged",
    "(e) Under the eyes aged",
    "(f) Right under-eye and left fold aged",
)


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
    for zone in NAMED:
        atlas.zones_of(zone)
    requests = figure_9(atlas, options.low, options.high).values()
    return [request.targets(atlas, subject.scores) for request in requests]
