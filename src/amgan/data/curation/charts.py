"""Small charts as inline SVG: histograms with limits drawn in, and bars of shares. No library, nothing to load."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np
import numpy.typing as npt

_WIDTH, _HEIGHT, _BASE, _TOP = 320, 150, 124, 18


def histogram(
    kept: npt.NDArray[np.int64],
    rejected: npt.NDArray[np.int64],
    extent: tuple[float, float],
    limits: Sequence[float],
    outside: Sequence[tuple[float, float]],
    label: str,
) -> str:
    """Stacked bars of kept and rejected photos over one value.

    Args:
        kept: (B,) photos a bin.
        rejected: As `kept`.
        extent: Value at the left and at the right edge.
        limits: Values at which a line is drawn.
        outside: Ranges that are shaded, since photos in them are rejected.
        label: Spoken name of the chart.
    """
    low, high = extent
    tallest = max(int((kept + rejected).max(initial=0)), 1)
    step = _WIDTH / len(kept)

    def x_of(value: float) -> float:
        return (min(max(value, low), high) - low) / (high - low) * _WIDTH

    def bar(index: int, bottom: int, count: int, kind: str) -> str:
        scale = (_BASE - _TOP) / tallest
        top = _BASE - (bottom + count) * scale
        return (
            f'<rect class="{kind}" x="{index * step + 0.5:.1f}" y="{top:.1f}" width="{step - 1:.1f}" '
            f'height="{count * scale:.1f}"/>'
        )

    shapes = [
        f'<rect class="outside" x="{x_of(start):.1f}" y="{_TOP}" width="{x_of(end) - x_of(start):.1f}" '
        f'height="{_BASE - _TOP}"/>'
        for start, end in outside
    ]
    for index, (good, bad) in enumerate(zip(kept.tolist(), rejected.tolist(), strict=True)):
        shapes += [bar(index, 0, good, "kept")] if good else []
        shapes += [bar(index, good, bad, "rejected")] if bad else []
    for limit in limits:
        x = x_of(limit)
        side = "end" if x > _WIDTH - 30 else "start" if x < 30 else "middle"
        shapes.append(f'<line class="limit" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP - 4}" y2="{_BASE}"/>')
        shapes.append(f'<text class="limit" x="{x:.1f}" y="{_TOP - 7}" text-anchor="{side}">{limit:g}</text>')
    shapes.append(f'<line class="axis" x1="0" x2="{_WIDTH}" y1="{_BASE}" y2="{_BASE}"/>')
    for value, anchor in ((low, "start"), ((low + high) / 2, "middle"), (high, "end")):
        shapes.append(f'<text x="{x_of(value):.1f}" y="{_BASE + 15}" text-anchor="{anchor}">{value:g}</text>')
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(label)}">{"".join(shapes)}</svg>'


def bars(rows: Sequence[tuple[str, int, int]]) -> str:
    """A table with a bar a row.

    Args:
        rows: Name, photos kept, photos rejected.
    """
    most = max((kept + rejected for _, kept, rejected in rows), default=0) or 1
    cells = []
    for name, kept, rejected in rows:
        parts = "".join(
            f'<i class="{kind}" style="width:{100 * count / most:.2f}%"></i>'
            for kind, count in (("kept", kept), ("rejected", rejected))
            if count
        )
        count = f"{kept:,} of {kept + rejected:,}" if kept and rejected else f"{kept + rejected:,}"
        cells.append(f'<tr><th>{escape(name)}</th><td>{count}</td><td class="bar">{parts}</td></tr>')
    return f'<table class="bars">{"".join(cells)}</table>'
