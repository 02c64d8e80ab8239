"""The charts of the page, as inline SVG in the page's own colours."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from amgan.evaluation.bootstrap import Interval
from amgan.evaluation.protocol import LEVELS
from amgan.evaluation.totals.responses import Response

# Values a response chart shows, a little more than the scale, for the judge is not clipped.
_LOW, _HIGH = -0.1, 1.1


def response_chart(sweeps: Sequence[Response], error: float) -> str:
    """Target across, estimate up: a thin line a face, their mean, and what is wanted with the judge's error about it.

    Args:
        sweeps: Of one sign.
        error: Mean absolute error of the judge of this sign.
    """
    width, height, left, bottom = 300, 210, 30, 22

    def x(level: float) -> float:
        return left + level * (width - left - 8)

    def y(score: float) -> float:
        return 6 + (_HIGH - min(max(score, _LOW), _HIGH)) / (_HIGH - _LOW) * (height - bottom - 6)

    def line(scores: Sequence[float], style: str) -> str:
        points = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in zip(LEVELS, scores, strict=True))
        return f'<polyline class="{style}" points="{points}"/>'

    ticks = "".join(
        f'<text x="{left - 6}" y="{y(v) + 4:.1f}" text-anchor="end">{v:g}</text>'
        f'<text x="{x(v):.1f}" y="{height - 5}" text-anchor="middle">{v:g}</text>'
        f'<line class="axis" x1="{left}" x2="{width - 8}" y1="{y(v):.1f}" y2="{y(v):.1f}"/>'
        for v in (0, 0.5, 1)
    )
    corners = ((0, error), (1, 1 + error), (1, 1 - error), (0, -error))
    band = " ".join(f"{x(a):.1f},{y(b):.1f}" for a, b in corners)
    mean = np.mean([sweep.scores for sweep in sweeps], axis=0).tolist()
    return (
        f'<svg viewBox="0 0 {width} {height}" role="img" aria-label="estimate over target">{ticks}'
        f'<polygon class="band" points="{band}"/>{line(LEVELS, "wanted")}'
        f"{''.join(line(sweep.scores, 'one') for sweep in sweeps)}{line(mean, 'mean')}</svg>"
    )


def dot_plot(rows: Sequence[tuple[str, Sequence[float]]], limit: float | None, unit: str) -> str:
    """A row of dots a series, one dot a face, with the median as a bar.

    Args:
        rows: Name and values of each series.
        limit: Where a line stands; None for none.
        unit: Of the values.
    """
    all_values = [v for _, values in rows for v in values if np.isfinite(v)]
    width, left, row, top = 1060, 190, 44, 8
    low, high = min(0.0, *all_values), max(0.0, *all_values, limit or 0.0)
    step = next(s for s in (1, 2, 5, 10, 20, 50, 100, 200) if (high - low) / s <= 10 or s == 200)
    height = top + row * len(rows) + 24

    def x(value: float) -> float:
        return left + (value - low) / max(high - low, 1e-9) * (width - left - 20)

    parts = [
        f'<line class="axis" x1="{x(v):.1f}" x2="{x(v):.1f}" y1="{top}" y2="{height - 24}"/>'
        f'<text x="{x(v):.1f}" y="{height - 8}" text-anchor="middle">{f"{v:+g}" if v else 0}</text>'
        for v in range(int(np.ceil(low / step)) * step, int(high) + 1, step)
    ]
    if limit is not None:
        parts.append(f'<line class="limit" x1="{x(limit):.1f}" x2="{x(limit):.1f}" y1="{top}" y2="{height - 24}"/>')
        # Towards the middle, so that a limit at the edge keeps its label.
        side, anchor = (-4, "end") if x(limit) > width / 2 else (4, "start")
        label = f'x="{x(limit) + side:.1f}" y="{top + 10}" text-anchor="{anchor}"'
        parts.append(f'<text class="limit" {label}>wanted {limit:g}</text>')
    told = []
    for place, (name, values) in enumerate(rows):
        known = [v for v in values if np.isfinite(v)]
        middle, median = top + row * (place + 0.5), float(np.median(known)) if known else float("nan")
        parts.append(f'<text class="name" x="0" y="{middle + 4:.1f}">{escape(name)}</text>')
        # In three lanes, so that dots of like values can be told apart.
        for lane, value in enumerate(sorted(known)):
            parts.append(f'<circle cx="{x(value):.1f}" cy="{middle + (lane % 3 - 1) * 7:.1f}" r="3.5"/>')
        if known:
            told.append(f"{name}: median {median:+z.1f} {unit}")
            # At the right end the words go to the other side.
            words, anchor = (x(median) - 7, "end") if x(median) > width - 90 else (x(median) + 7, "start")
            parts.append(
                f'<rect class="median" x="{x(median) - 2:.1f}" y="{middle - 17:.1f}" width="4" height="34" rx="2"/>'
                f'<text class="value" x="{words:.1f}" y="{middle - 12:.1f}" text-anchor="{anchor}">'
                f"{median:+z.1f} {escape(unit)}</text>"
            )
    label = escape("; ".join(told))
    return f'<svg class="dots" viewBox="0 0 {width} {height}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def span(found: Interval, limit: float | None, better: str) -> str:
    """An interval as a bar with its value, beside what is wanted, on a scale of its own; nothing if all is unknown."""
    ends = [v for v in (found.low, found.high, found.value, limit) if v is not None and np.isfinite(v)]
    if not ends:
        return ""
    low, high = min(ends), max(ends)
    pad = (high - low) * 0.12 or 1.0
    low, high = low - pad, high + pad

    def x(value: float) -> float:
        return (value - low) / (high - low) * 200

    parts = ['<line class="axis" x1="0" x2="200" y1="9" y2="9"/>']
    if limit is not None:
        good = (0.0, x(limit)) if better == "less" else (x(limit), 200.0)
        parts.append(f'<rect class="good" x="{good[0]:.1f}" y="1" width="{good[1] - good[0]:.1f}" height="16" rx="3"/>')
        parts.append(f'<line class="limit" x1="{x(limit):.1f}" x2="{x(limit):.1f}" y1="0" y2="18"/>')
    if np.isfinite(found.low):
        width = x(found.high) - x(found.low)
        parts.append(f'<rect class="spread" x="{x(found.low):.1f}" y="6" width="{width:.1f}" height="6" rx="3"/>')
    if np.isfinite(found.value):
        parts.append(f'<circle cx="{x(found.value):.1f}" cy="9" r="5"/>')
    return f'<svg class="span" viewBox="0 0 200 18" aria-hidden="true">{"".join(parts)}</svg>'
