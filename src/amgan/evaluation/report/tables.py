"""The tables of the page: all figures, groups of faces, cross-talk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from amgan.evaluation.report.charts import span
from amgan.evaluation.report.markdown import cells
from amgan.evaluation.totals.figure import FAIR, Figure, words

# How many times worse than all a group may be (issue of the default model).
WORST = 1.5
# Cross-talk that is too much.
TALK = 0.3


def figures_table(figures: Sequence[Figure]) -> str:
    """All figures with their intervals drawn."""
    rows = []
    for figure in figures:
        title, value, spread, people, wanted, worst = (escape(cell) for cell in cells(figure))
        kind = "" if figure.met is None else "met" if figure.met else "missed"
        rows.append(
            f"<tr><td>{title}</td><td class=n><b>{value}</b></td><td class=n>{spread}</td>"
            f"<td>{span(figure.all, figure.limit, figure.better)}</td><td class=n>{people}</td>"
            f'<td class="{kind}">{wanted}</td><td>{worst}</td></tr>'
        )
    names = ("measure", "found", "95% interval", "", "people", "wanted", "worst group")
    return f'<div class="card wide"><table class="figures">{_head(names)}{"".join(rows)}</table></div>'


def groups_table(figures: Sequence[Figure]) -> str:
    """Figures across, groups down; what is much worse than all is marked."""
    figures = [figure for figure in figures if figure.groups]
    groups = list(dict.fromkeys((kind, name) for f in figures for kind, of in f.groups.items() for name in of))
    if not groups:
        return ""
    everyone = "".join(f"<td class=n><b>{figure.all.value:.3g}</b></td>" for figure in figures)
    rows = [f"<tr><th>all</th>{everyone}</tr>"]
    before = ""
    for kind, name in groups:
        if kind != before:
            rows.append(f'<tr><th class="kind" colspan="{len(figures) + 1}">{escape(kind)}</th></tr>')
        before, tds = kind, []
        for figure in figures:
            found = figure.groups.get(kind, {}).get(name)
            if found is None:
                tds.append("<td></td>")
                continue
            worse = "missed" if kind in FAIR and figure.ratio(found) > WORST else ""
            hint = f"{found.low:.3g} to {found.high:.3g}, {found.people} people"
            tds.append(
                f'<td class="n {worse}" title="{hint}">{found.value:.3g}<small>{found.low:.2g} to {found.high:.2g}'
                f" ({found.people})</small></td>"
            )
        rows.append(f"<tr><th>{escape(name)}</th>{''.join(tds)}</tr>")
    head = _head(("", *(figure.title for figure in figures)))
    return (
        "<h2>Groups of people</h2><p>Below each figure its 95% interval and the people it is of. Red: a "
        f"population or sex more than {WORST:g} times worse than all. Groups of fewer than 5 people are left out.</p>"
        f'<div class="card wide"><table class="figures">{head}{"".join(rows)}</table></div>'
    )


def matrix_table(table: Mapping[str, Mapping[str, float]]) -> str:
    """The cross-talk matrix, tinted where a sign moves that was not asked."""
    if not table:
        return ""
    names = list(next(iter(table.values())))
    rows = []
    for swept, of_sign in table.items():
        tds = []
        for name, value in of_sign.items():
            tint = 0 if name == swept else min(abs(value) / TALK, 2) * 30
            style = f"background: color-mix(in srgb, var(--limit) {tint:.0f}%, transparent)"
            kind = "own" if name == swept else "missed" if abs(value) > TALK else ""
            tds.append(f'<td class="n {kind}" style="{style}">{value:z.2f}</td>')
        rows.append(f"<tr><th>{escape(words(swept))}</th>{''.join(tds)}</tr>")
    head = _head(("", *(words(name) for name in names)))
    return (
        "<h2>Cross-talk</h2><p>A row is the sign that alone went from 0.1 to 0.9; a cell is how far the judge saw the "
        "sign of its column move, as a share of the row's own move. Over 0.3 (bold) is too much. Part of it is the "
        "judge's: zones that touch share pixels, and signs go together in the people it learned from.</p>"
        f'<div class="card wide"><table class="figures matrix">{head}{"".join(rows)}</table></div>'
    )


def _head(names: Sequence[str]) -> str:
    return f"<thead><tr>{''.join(f'<th>{escape(name)}</th>' for name in names)}</tr></thead>"
