"""The figures as a Markdown table, and as one row to stand beside the rows of other models."""

from __future__ import annotations

import math

from amgan.evaluation.bootstrap import Interval
from amgan.evaluation.summary import Summary
from amgan.evaluation.totals.figure import Figure


def markdown(summary: Summary) -> str:
    """All figures, one a line."""
    lines = [
        f"# {summary.model}",
        "",
        f"{summary.faces} faces, {len(summary.failed)} failed. Intervals are 95%, by bootstrap over people.",
        "",
        *([f"**Scored on the rest alone**: {'; '.join(summary.missing)}.", ""] if summary.missing else []),
        "| measure | found | 95% interval | people | wanted | worst group |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    lines += [f"| {' | '.join(cells(figure))} |" for figure in summary.figures]
    return "\n".join(lines) + "\n"


def cells(figure: Figure) -> list[str]:
    """Title, value, interval, people, what is wanted and whether it is met, and the worst group over all."""
    found = figure.all
    wanted = ""
    if figure.limit is not None:
        sign = "at most" if figure.better == "less" else "at least"
        wanted = f"{sign} {figure.limit:g}: {'met' if figure.met else 'missed'}"
    group, ratio = figure.worst
    worst = ""
    if ratio >= 1.005:
        worst = f"{group} none of it" if math.isinf(ratio) else f"{group} {ratio:.2f}x"
    return [
        figure.title,
        f"{found.value:.3g}",
        spread(found),
        str(found.people),
        wanted,
        worst,
    ]


def spread(found: Interval, digits: str = ".3g") -> str:
    """The interval of a figure in words; "" where there is none."""
    return f"{found.low:{digits}} to {found.high:{digits}}" if math.isfinite(found.low) else ""
