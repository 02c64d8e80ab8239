"""The figures and the pictures behind them on one HTML page that loads nothing, worst cases first."""

from __future__ import annotations

import base64
import importlib.resources
import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path

from amgan.evaluation.face import Found
from amgan.evaluation.measures.response import mean_absolute_error
from amgan.evaluation.protocol import DRAWN, OLDER, YOUNGER, Plan
from amgan.evaluation.report.markdown import cells
from amgan.evaluation.run import strip_name
from amgan.evaluation.summary import Summary

_STYLE = """
table.figures { width: 100%; border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 0.88rem; }
.figures th, .figures td { padding: 0.3rem 0.7rem; border-bottom: 1px solid var(--line); text-align: left; }
.figures thead th { color: var(--soft); font-weight: 500; }
.met { color: var(--kept); font-weight: 600; } .missed { color: var(--limit); font-weight: 600; }
.strip { margin: 0 0 1rem; } .strip img { aspect-ratio: auto; } .matrix { font-size: 0.78rem; }
"""


def html_page(summary: Summary, plans: Sequence[Plan], found: Sequence[Found], out: Path, pictures: int) -> str:
    """The page.

    Args:
        summary: All figures.
        plans: What was asked of each face.
        found: What was found on it.
        out: Folder with the strips.
        pictures: Faces shown for each kind of fault.
    """
    with importlib.resources.as_file(importlib.resources.files("amgan.data.curation") / "report.css") as path:
        style = path.read_text(encoding="utf-8") + _STYLE
    rows = []
    for figure in summary.figures:
        title, value, spread, people, wanted, worst = (escape(cell) for cell in cells(figure))
        kind = "" if figure.met is None else "met" if figure.met else "missed"
        rows.append(
            f"<tr><td>{title}</td><td><b>{value}</b></td><td>{spread}</td><td>{people}</td>"
            f'<td class="{kind}">{wanted}</td><td>{worst}</td></tr>'
        )
    names = ("measure", "found", "95% interval", "people", "wanted", "worst group")
    head = "".join(f"<th>{name}</th>" for name in names)
    body = [
        f"<h1>Evaluation of {escape(summary.model)}</h1>",
        f"<p>{summary.faces} faces, {len(summary.failed)} failed; intervals by bootstrap over people</p>",
        f'<div class="card"><table class="figures"><thead><tr>{head}</tr></thead>{"".join(rows)}</table></div>',
        _matrix(summary.cross_talk),
        *_worst(plans, found, out, pictures),
    ]
    if summary.failed:
        items = "".join(f"<li>{escape(name)}: {escape(error)}</li>" for name, error in summary.failed.items())
        body.append(f"<h2>Failed</h2><ul>{items}</ul>")
    meta = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    title = f"<title>Evaluation of {escape(summary.model)}</title>"
    head = f"<head>{meta}{title}<style>{style}</style></head>"
    return f'<!doctype html><html lang="en">{head}<body>{"".join(body)}</body></html>'


def _matrix(table: Mapping[str, Mapping[str, float]]) -> str:
    if not table:
        return ""
    names = list(next(iter(table.values())))
    head = "".join(f"<th>{escape(name.replace('_', ' '))}</th>" for name in names)
    rows = []
    for swept, of_sign in table.items():
        tints = {name: min(abs(value), 1) * 60 if name != swept else 0 for name, value in of_sign.items()}
        tds = "".join(
            f'<td style="background: color-mix(in srgb, var(--limit) {tints[n]:.0f}%, transparent)">{v:.2f}</td>'
            for n, v in of_sign.items()
        )
        rows.append(f"<tr><th>{escape(swept.replace('_', ' '))}</th>{tds}</tr>")
    return (
        "<h2>Cross-talk</h2><p>A row is the sign that was swept alone; a cell is how much the judge saw the sign "
        "of its column move, as a share of the swept sign's own change.</p>"
        f'<div class="card"><table class="figures matrix"><tr><th></th>{head}</tr>{"".join(rows)}</table></div>'
    )


def _worst(plans: Sequence[Plan], found: Sequence[Found], out: Path, count: int) -> list[str]:
    """A section a kind of fault, the worst faces by its measure first."""

    def mae(p: Plan, f: Found) -> float:
        signs = [sign for sign in f.signs.get(DRAWN, {}) if _target(p, sign) is not None]
        return mean_absolute_error([_target(p, s) or 0.0 for s in signs], [f.signs[DRAWN][s] for s in signs])

    def gap(_: Plan, f: Found) -> float:
        if OLDER not in f.ages or YOUNGER not in f.ages:
            return math.nan
        return -sum(f.ages[OLDER][n] - f.ages[YOUNGER][n] for n in f.ages[OLDER]) / len(f.ages[OLDER])

    faults: list[tuple[str, Callable[[Plan, Found], float]]] = [
        ("Signs farthest from their targets (MAE)", mae),
        ("Apparent age moved least (years, negative)", gap),
        ("Identity lost most (distance when older)", lambda _, f: f.distance.get(OLDER, math.nan)),
        ("Strongest lattice in the change, older", lambda _, f: f.grid.get(OLDER, math.nan)),
        ("Colour moved most, older", lambda _, f: f.colour.get(OLDER, math.nan)),
        ("Detail lost most, younger (energy, negative)", lambda _, f: -f.detail.get(YOUNGER, math.nan)),
    ]
    sections = ["<h2>Worst cases</h2><p>From left to right: all at 0.1, original, all at 0.9, drawn targets.</p>"]
    for title, of in faults:
        pairs = [(of(p, f), f.name) for p, f in zip(plans, found, strict=True) if not f.error]
        worst = sorted((pair for pair in pairs if math.isfinite(pair[0])), reverse=True)[:count]
        figures = "".join(_strip(out, name, f"{value:.2f}") for value, name in worst)
        sections.append(f"<h3>{title}</h3>{figures}" if worst else "")
    return sections


def _target(plan: Plan, sign: str) -> float | None:
    return plan.drawn.get(sign, plan.drawn.get(f"{sign}.left"))


def _strip(out: Path, name: str, value: str) -> str:
    data = base64.b64encode((out / strip_name(name)).read_bytes()).decode()
    image = f'<img loading="lazy" alt="" src="data:image/jpeg;base64,{data}">'
    return f'<figure class="strip">{image}<figcaption>{escape(name)}: {value}</figcaption></figure>'
