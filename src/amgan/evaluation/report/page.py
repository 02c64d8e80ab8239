"""The page of an evaluation: verdicts, faces, curves, then tables; one HTML file that loads nothing."""

from __future__ import annotations

import importlib.resources
from collections.abc import Sequence
from html import escape
from pathlib import Path

from amgan.evaluation.face import ORIGINAL, Found
from amgan.evaluation.networks import LEADING
from amgan.evaluation.protocol import OLDER, YOUNGER, Plan
from amgan.evaluation.report.cases import cases, sweep_pictures
from amgan.evaluation.report.charts import dot_plot, response_chart, span
from amgan.evaluation.report.markdown import spread
from amgan.evaluation.report.tables import figures_table, groups_table, matrix_table
from amgan.evaluation.summary import Summary
from amgan.evaluation.totals.figure import Figure, words
from amgan.evaluation.totals.person import years
from amgan.signs.atlas import Atlas

# The figures whose groups have a column.
_BY_GROUP = (
    f"frechet_ratio.{LEADING}", "mae", "slope", "cross_talk", "same_person.younger", "same_person.older",
    "age_gap", "colour.older", "detail.younger",
)  # fmt: skip


def html_page(
    summary: Summary, plans: Sequence[Plan], found: Sequence[Found], atlas: Atlas, out: Path, pictures: int
) -> str:
    """The page.

    Args:
        summary: All figures.
        plans: What was asked of each face.
        found: What was found on it.
        atlas: The signs.
        out: Folder with the strips.
        pictures: Faces shown as the worst of each measure.
    """
    style = _text("amgan.data.curation", "report.css") + _text(__package__ or "", "page.css")
    by_group = [figure for key in _BY_GROUP if (figure := summary.figure(key)) is not None]
    body = [
        _top(summary),
        _ages(found, summary.figure("age_gap")),
        cases(plans, found, atlas, out, pictures),
        _curves(summary, out),
        matrix_table(summary.cross_talk),
        groups_table(by_group),
        "<h2>All figures</h2><p>Bar: the 95% interval, by bootstrap over people. Green: what is wanted.</p>",
        figures_table(summary.figures),
        _left_out(summary),
    ]
    meta = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    title = f"<title>Evaluation of {escape(summary.model)}</title>"
    head = f"<head>{meta}{title}<style>{style}</style></head>"
    return f'<!doctype html><html lang="en">{head}<body>{"".join(body)}</body></html>'


def _text(package: str, name: str) -> str:
    return (importlib.resources.files(package) / name).read_text(encoding="utf-8")


def _top(summary: Summary) -> str:
    wanted = [figure for figure in summary.figures if figure.met is not None]
    floor = summary.figure("mae_judge")
    notes = {} if floor is None else {"mae": f"the judge's own error is {floor.all.value:.3g}"}
    # The slopes have their curves below: one tile for the least of them.
    slopes = [figure for figure in wanted if figure.key.startswith("slope.")]
    least = min(slopes, key=lambda figure: figure.all.value, default=None)
    tiles = [_tile(figure, notes.get(figure.key, "")) for figure in wanted if figure not in slopes or figure is least]
    met = sum(bool(figure.met) for figure in wanted)
    split, every = summary.settings.get("split", ""), summary.settings.get("every", 1)
    part = f"of one photo in {every} of the split {split}" if every != 1 else f"of the split {split}"
    if out := sum(summary.settings.get("left_out", {}).values()):
        part += f", {out} left out"
    rest = f'<p class="missed">Scored on the rest alone: {escape("; ".join(summary.missing))}</p>'
    return (
        f"<h1>Evaluation of {escape(summary.model)}</h1><p>{summary.faces} faces ({escape(part)}); "
        f"{met} of {len(wanted)} limits met</p>{rest if summary.missing else ''}"
        f'<div class="tiles">{"".join(tiles)}</div>'
    )


def _tile(figure: Figure, note: str = "") -> str:
    found, kind = figure.all, "met" if figure.met else "missed"
    title = f"least slope of all: {figure.title}" if figure.key.startswith("slope.") else figure.title
    notes = [f"{'at most' if figure.better == 'less' else 'at least'} {figure.limit:g} wanted"]
    notes += [f"95%: {spread(found)}"] if spread(found) else []
    notes += [f"{found.people} people", note] if note else [f"{found.people} people"]
    return (
        f'<div class="card {"yes" if figure.met else "no"}"><h3>{escape(title)}</h3>'
        f'<span class="{kind}">{kind}</span><b>{found.value:.3g}</b>'
        f"{span(found, figure.limit, figure.better)}"
        f"<p>{'; '.join(notes)}</p></div>"
    )


def _ages(found: Sequence[Found], gap: Figure | None) -> str:
    if gap is None:
        return ""

    def changes(of: str, less: str) -> list[float]:
        return [years(f, of) - years(f, less) for f in found if not f.error]

    rows = [
        ("older minus younger", changes(OLDER, YOUNGER)),
        ("younger minus original", changes(YOUNGER, ORIGINAL)),
        ("older minus original", changes(OLDER, ORIGINAL)),
        ("control: blurred", changes("blurred", ORIGINAL)),
        ("control: sharpened", changes("sharpened", ORIGINAL)),
    ]
    rows = [(name, values) for name, values in rows if any(value == value for value in values)]
    return (
        "<h2>How much older do they look?</h2><p>Years by the judges, a dot a face, the bar is the median. What a mere "
        "blur or sharpening of the original does to the same judges is no aging: it stands below.</p>"
        f'<div class="card">{dot_plot(rows, gap.limit, "years")}</div>'
    )


def _curves(summary: Summary, out: Path) -> str:
    cards = []
    for sign, sweeps in summary.sweeps.items():
        figure, judge = summary.figure(f"slope.{sign}"), summary.judge.get(sign, {})
        note = ""
        if figure is not None:
            kind = "met" if figure.met else "missed"
            note = (
                f'<p>slope <b class="{kind}">{figure.all.value:.2f}</b> {spread(figure.all, ".2f")}</p>'
                f"<p>judge: error {judge.get('error', float('nan')):.2f}, r {judge.get('r', float('nan')):.2f}</p>"
            )
        chart = response_chart(sweeps, judge.get("error", 0.0))
        pictures = sweep_pictures(summary, sign, out)
        cards.append(f'<div class="card"><h3>{escape(words(sign))}</h3>{chart}{note}{pictures}</div>')
    if not cards:
        return ""
    return (
        "<h2>Does a sign follow its target?</h2><p>Target across, what the judge says up; a thin line a face, green "
        "their mean, dashed what is wanted, the grey band the judge's own mean error. Below, the zone from 0 to 1 on "
        f'the face that follows least and on the one that follows best.</p><div class="curves">{"".join(cards)}</div>'
    )


def _left_out(summary: Summary) -> str:
    parts = []
    if left_out := summary.settings.get("left_out"):
        reasons = ", ".join(f"{count} {words(reason)}" for reason, count in left_out.items())
        parts.append(f"<p>Left out by curation's limits: {escape(reasons)}.</p>")
    if summary.failed:
        items = "".join(f"<li>{escape(name)}: {escape(error)}</li>" for name, error in summary.failed.items())
        parts.append(f"<h2>Failed</h2><ul>{items}</ul>")
    return "".join(parts)
