"""The report of a curation: one HTML file that loads nothing, with counts, histograms and examples of every verdict."""

from __future__ import annotations

import base64
import importlib.resources
import math
from html import escape
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from amgan.data.curation.charts import bars, histogram
from amgan.data.curation.files import Destination, aligned_name
from amgan.data.curation.limits import CHECKS, NO_FACE, REASONS, SEVERAL_FACES, UNREADABLE, Check, Limits
from amgan.data.curation.measure import read_pixels
from amgan.data.curation.tally import Example, Tally
from amgan.errors import OutputError, PhotoError
from amgan.faces.align import Alignment

_THUMBNAIL = 144
# Bars of the population; the rest goes into one, since some sources have a label for every country.
_POPULATIONS = 12
_WORDS = {"": "Kept"} | {reason: reason.replace("_", " ").capitalize() for reason in REASONS}
_KEY = '<p class="key">Photos<i class="kept"></i>kept<i class="rejected"></i>rejected</p>'


def write_report(source: Path, destination: Destination, tally: Tally, limits: Limits) -> None:
    """Writes ``report.html``, aside first.

    Args:
        source: SRC; the photos that are shown are read again.
        destination: DST.
        tally: What to report.
        limits: That were in force.

    Raises:
        OutputError: It cannot be written.
    """
    page = _page(source, destination, tally, limits)
    aside = destination.report.with_name(destination.report.name + ".part")
    try:
        aside.write_text(page, encoding="utf-8")
        aside.replace(destination.report)
    except OSError as error:
        raise OutputError(f"{destination.report}: cannot be written ({error.strerror}); run again") from error


def _page(source: Path, destination: Destination, tally: Tally, limits: Limits) -> str:
    with importlib.resources.as_file(importlib.resources.files(__package__ or "") / "report.css") as path:
        style = path.read_text(encoding="utf-8")
    verdicts = [reason for reason in ("", *REASONS) if tally.counts[reason]]
    counts = [(_WORDS[r], *((tally.counts[r], 0) if not r else (0, tally.counts[r]))) for r in verdicts]
    charts = [_chart(check, tally, limits) for check in CHECKS if check.value != "age" or tally.ages]
    body = [
        f"<h1>Curation of {escape(source.name)}</h1>",
        f"<p>{escape(str(source))} → {escape(str(destination.folder))}, faces of {destination.size} px</p>",
        f'<div class="totals">{"".join(_total(*total) for total in _totals(tally))}</div>',
        f'<div class="card"><h3>Verdicts</h3>{bars(counts)}</div>',
        f"<h2>What was measured</h2>{_KEY}",
        "<p>The shaded range is rejected; without a line the limit is off. The outermost bars hold what is beyond.</p>",
        f'<div class="grid">{"".join(charts)}</div>',
    ]
    if tally.populations:
        names = sorted({name for name, _ in tally.populations}, key=lambda n: (-_photos(tally, n), n))
        rows = [(name, tally.populations[name, True], tally.populations[name, False]) for name in names]
        if len(rows) > _POPULATIONS:
            rest = rows[_POPULATIONS - 1 :]
            others = (f"{len(rest)} others", sum(row[1] for row in rest), sum(row[2] for row in rest))
            rows = [*rows[: _POPULATIONS - 1], others]
        body.append(f'<h2>Population</h2>{_KEY}<div class="card">{bars(rows)}</div>')
    body += [_sheet(reason, source, destination, tally) for reason in verdicts]
    head = '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
    title = f"<title>Curation of {escape(source.name)}</title>"
    head += f"{title}<style>{style}</style>"
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(body)}</body></html>'


def _photos(tally: Tally, population: str) -> int:
    return tally.populations[population, True] + tally.populations[population, False]


def _totals(tally: Tally) -> list[tuple[str, str]]:
    share = tally.kept / tally.total if tally.total else 0.0
    totals = [(f"{tally.total:,}", "photos"), (f"{tally.kept:,}", "kept"), (f"{share:.0%}", "of all")]
    if tally.ages:
        totals.append((f"{tally.ages:,}", "with an age"))
    return totals


def _total(number: str, what: str) -> str:
    return f'<div class="card"><b>{number}</b><span>{what}</span></div>'


def _chart(check: Check, tally: Tally, limits: Limits) -> str:
    limit = limits.of(check)
    low, high = extent = tally.extent(check.value)
    lines: list[float] = []
    outside: list[tuple[float, float]] = []
    if limit is not None and check.least:
        lines, outside = [limit], [(low, limit)]
    elif limit is not None:
        # Of angles the lower limit is as far from 0 as the upper.
        lines, outside = [limit], [(limit, high)]
        if low < 0:
            lines, outside = [-limit, limit], [(low, -limit), (limit, high)]
    chart = histogram(*tally.histogram(check.value), extent, lines, outside, check.title)
    return f'<div class="card"><h3>{escape(check.title)}</h3>{chart}</div>'


def _sheet(reason: str, source: Path, destination: Destination, tally: Tally) -> str:
    examples = tally.examples(reason)
    heading = f"<h2>{_WORDS[reason]}</h2><p>{len(examples)} of {tally.counts[reason]:,}</p>"
    if reason == UNREADABLE:
        items = "".join(f"<li>{escape(e.name)}: {escape(e.caption)}</li>" for e in examples)
        return f"{heading}<ul>{items}</ul>"
    # Whether there is a face, or a second one, is seen on the whole photo alone.
    whole = reason in (NO_FACE, SEVERAL_FACES)
    figures = []
    for example in examples:
        picture = _thumbnail(example, reason, whole, source, destination)
        name, caption = escape(example.name), escape(example.caption)
        figures.append(
            f'<figure>{picture}<figcaption title="{name}">{name}</figcaption>'
            + (f"<figcaption>{caption}</figcaption>" if caption else "")
            + "</figure>"
        )
    return f'{heading}<div class="sheet">{"".join(figures)}</div>'


def _thumbnail(example: Example, reason: str, whole: bool, source: Path, destination: Destination) -> str:
    try:
        small = _small(example, reason, whole, source, destination)
    except PhotoError:
        return ""  # the photo was taken away since it was measured: its name is still of use
    _, encoded = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, 82])
    return f'<img loading="lazy" alt="" src="data:image/jpeg;base64,{base64.b64encode(encoded.tobytes()).decode()}">'


def _small(example: Example, reason: str, whole: bool, source: Path, destination: Destination) -> npt.NDArray[np.uint8]:
    if not reason:
        rgb = read_pixels(destination.aligned / aligned_name(example.name, destination.image_format))
        return np.asarray(cv2.resize(rgb, (_THUMBNAIL, _THUMBNAIL), interpolation=cv2.INTER_AREA), np.uint8)
    rgb = read_pixels(source / example.name)
    if example.matrix is not None and not whole:
        matrix = np.array(example.matrix, np.float64).reshape(2, 3)
        return Alignment(matrix, destination.size).resized(_THUMBNAIL).crop(rgb)
    scale = _THUMBNAIL / max(rgb.shape[:2])
    width, height = (max(math.ceil(side * scale), 1) for side in (rgb.shape[1], rgb.shape[0]))
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
