"""Panels laid out on a page: every pixel of a panel is a pixel of the PNG, and text is set for print.

A figure is as wide as a page's text, or narrower if it has few panels; its dpi follows from the panels, not the other
way round. In a PDF pictures are embedded as they are, letters and outlines are vectors.
"""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from amgan.errors import MissingExtraError, RequestError
from amgan.evaluation.figures.subjects import Rgb
from amgan.faces.align import at_side
from amgan.faces.output import written_aside

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FIGURE_SUFFIXES = (".png", ".pdf")
# Inches.
_PAGE, _WIDEST_PANEL = 7.0, 2.2
# Below, letters would be coarse in a PNG: a figure of small faces becomes a small figure instead.
_LEAST_DPI = 200
_POINTS, _SMALL_POINTS = 7.5, 6.0
_LINE = 1.25  # distance of lines, in letter heights
_LETTER = 0.6  # mean width of a letter, in letter heights
_GAP, _WIDE_GAP = 0.02, 0.09  # in panel sides
# What matplotlib's renderer can draw, and what fits into the memory of a small machine.
_LONGEST_SIDE, _MOST_PIXELS = 60_000, 250_000_000
_ACCENT = "#ffb000"
# TrueType, which publishers ask for, instead of Type 3; a font that comes with matplotlib and so is everywhere.
_STYLE: dict[Any, Any] = {"pdf.fonttype": 42, "font.family": "DejaVu Sans"}


@dataclass(frozen=True)
class Mark:
    """An outline over a panel.

    Attributes:
        corners: (N, 2) float, as shares of the panel's side from its upper left corner.
        text: Written below it.
    """

    corners: npt.NDArray[np.float32]
    text: str = ""


@dataclass(frozen=True)
class Panel:
    """One picture of a figure.

    Attributes:
        rgb: (S, S, 3) uint8.
        title: Above it; broken into lines where it is too long.
        marks: Drawn over it.
    """

    rgb: Rgb
    title: str = ""
    marks: tuple[Mark, ...] = ()


def check_matplotlib() -> None:
    """Finds out, before any work, whether figures can be drawn.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    try:
        import matplotlib.figure  # noqa: F401
    except ModuleNotFoundError as error:
        raise MissingExtraError("figures want the package 'matplotlib'; pip install 'amgan[figures]'") from error


def lay_out(
    rows: Sequence[Sequence[Panel | None]],
    side: int,
    *,
    row_titles: Sequence[str] = (),
    wide_after_columns: Collection[int] = (),
    wide_after_rows: Collection[int] = (),
) -> Figure:
    """Draws a grid of panels.

    Args:
        rows: Panels from left to right; None leaves a place empty.
        side: Of every panel, pixels of the PNG.
        row_titles: Written upwards at the left of each row.
        wide_after_columns: Columns, from 0, with more room behind them.
        wide_after_rows: Rows with more room below them.

    Returns:
        A figure whose own dpi makes a panel `side` pixels wide.

    Raises:
        RequestError: It would have too many pixels.
        MissingExtraError: matplotlib is not installed.
    """
    check_matplotlib()
    import matplotlib
    from matplotlib.figure import Figure

    count = max(len(row) for row in rows)
    _, across = _places(count, side, wide_after_columns, 0)
    beside = 1.4 * _POINTS * _LINE / 72 if any(row_titles) else 0.0
    dpi = max(round(across / (min(_PAGE, count * _WIDEST_PANEL) - beside)), _LEAST_DPI)
    line = _POINTS * _LINE * dpi / 72
    letters = max(int(side / (_POINTS * _LETTER * dpi / 72)), 4)
    texts = [[textwrap.wrap(panel.title, letters) if panel else [] for panel in row] for row in rows]
    above = [round(line * (max(map(len, row)) + 0.5)) if any(row) else 0 for row in texts]
    lefts, width = _places(count, side, wide_after_columns, round(beside * dpi))
    tops, height = _places(len(rows), side, wide_after_rows, 0, above)
    if max(width, height) > _LONGEST_SIDE or width * height > _MOST_PIXELS:
        raise RequestError(
            f"the figure would have {width}x{height} pixels; give fewer photos, or smaller pictures by --panel"
        )
    with matplotlib.rc_context(_STYLE):
        # A hair more than the pixels wanted, since matplotlib rounds down.
        figure = Figure(((width + 1e-3) / dpi, (height + 1e-3) / dpi), dpi=dpi)
        for row, lines, top in zip(rows, texts, tops, strict=True):
            for panel, title, left in zip(row, lines, lefts, strict=False):
                if panel is None:
                    continue
                place = (left / width, 1 - (top + side) / height, side / width, side / height)
                _draw(figure.add_axes(place), panel, side)
                at = (left + side / 2) / width, 1 - (top - 0.3 * line) / height
                figure.text(*at, "\n".join(title), ha="center", va="bottom", size=_POINTS, linespacing=_LINE)
        for text, top in zip(row_titles, tops, strict=False):
            at = 0.5 * line / width, 1 - (top + side / 2) / height
            figure.text(*at, text, ha="center", va="center", rotation=90, size=_POINTS)
    return figure


def write_figure(figure: Figure, path: Path, overwrite: bool = False) -> tuple[int, int]:
    """Writes a figure, atomically; fonts are embedded, and the same figure gives the same file.

    Args:
        figure: Of `lay_out`.
        path: Ends in one of `FIGURE_SUFFIXES`.
        overwrite: Whether an existing file may be replaced.

    Returns:
        Its width and height in pixels.

    Raises:
        OutputError: The file exists or cannot be written.
    """
    import matplotlib

    is_pdf = path.suffix.lower() == ".pdf"
    with written_aside(path, overwrite, FIGURE_SUFFIXES) as aside, matplotlib.rc_context(_STYLE):
        # The names of things that would differ from one run, or one version, to the next.
        metadata = {"CreationDate": None} if is_pdf else {"Software": None}
        figure.savefig(aside, format=path.suffix.lower()[1:], dpi=figure.dpi, metadata=metadata)
    width, height = figure.bbox.size
    return int(width), int(height)


def _places(
    count: int, side: int, wide_after: Collection[int], start: int, before: Sequence[int] | None = None
) -> tuple[list[int], int]:
    """Where panels begin along one axis, pixels, and the whole length; `before` each there may be room for text."""
    gap, wide = max(round(side * _GAP), 1), max(round(side * _WIDE_GAP), 2)
    places, at = [], start
    for index in range(count):
        at += before[index] if before else 0
        places.append(at)
        at += side + (wide if index in wide_after else gap)
    return places, places[-1] + side


def _draw(axes: Axes, panel: Panel, side: int) -> None:
    from matplotlib.patheffects import withStroke

    axes.set_axis_off()
    axes.imshow(at_side(panel.rgb, side), interpolation="none", aspect="auto")
    for mark in panel.marks:
        corners = mark.corners * side - 0.5
        axes.fill(*corners.T, facecolor=_ACCENT, alpha=0.3, linewidth=0)
        axes.fill(*corners.T, fill=False, edgecolor=_ACCENT, linewidth=0.7)
        halo = [withStroke(linewidth=1.5, foreground="black")]
        style: dict[str, Any] = {
            "ha": "center",
            "va": "center",
            "size": _SMALL_POINTS,
            "color": "white",
            "path_effects": halo,
        }
        x, y = float(corners[:, 0].mean()), float(corners[:, 1].max() + side * _GAP)
        axes.text(x, y, mark.text, **style)
    axes.set(xlim=(-0.5, side - 0.5), ylim=(side - 0.5, -0.5))
