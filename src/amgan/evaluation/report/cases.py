"""The pictures behind the numbers: worst, typical and best faces by each measure, chosen by the measures alone."""

from __future__ import annotations

import base64
import math
from collections.abc import Callable, Mapping, Sequence
from html import escape
from pathlib import Path

from amgan.evaluation.face import ORIGINAL, SHOWN, Found, strip_name, sweep_name
from amgan.evaluation.measures.response import slope
from amgan.evaluation.protocol import DRAWN, LEVELS, OLDER, YOUNGER, Plan
from amgan.evaluation.summary import Summary
from amgan.evaluation.totals.figure import words
from amgan.evaluation.totals.person import years
from amgan.evaluation.totals.signs import target_error
from amgan.signs.atlas import AGE, Atlas
from amgan.signs.levels import OLD, YOUNG

_NAN = math.nan
_HEADS = {
    YOUNGER: f"younger, all at {YOUNG:g}",
    ORIGINAL: "original",
    OLDER: f"older, all at {OLD:g}",
    DRAWN: "another person's signs",
}


def cases(plans: Sequence[Plan], found: Sequence[Found], atlas: Atlas, out: Path, worst: int) -> str:
    """A section a measure: its worst faces large, then a typical one and the best.

    Args:
        plans: What was asked of each face.
        found: What was found on it.
        atlas: The signs.
        out: Folder with the strips.
        worst: How many of the worst.
    """
    measures: list[tuple[str, str, Callable[[Plan, Found], float], bool]] = [
        ("Apparent age, older minus younger", "years", lambda _, f: years(f, OLDER) - years(f, YOUNGER), False),
        ("Signs against their targets, MAE", "", lambda p, f: target_error(p, f, atlas), True),
        ("Identity, distance when older", "", lambda _, f: f.distance.get(OLDER, _NAN), True),
        ("Lattice in the change, older", "", lambda _, f: f.grid.get(OLDER, _NAN), True),
        ("Colour of the skin, older", "CIELAB", lambda _, f: f.colour.get(OLDER, _NAN), True),
        ("Fine detail kept, younger", "x", lambda _, f: f.detail.get(YOUNGER, _NAN), False),
    ]
    plan_of = {plan.row.name: plan for plan in plans}
    one_of = {one.name: one for one in found}
    sections = []
    for title, unit, of, more_is_worse in measures:
        pairs = [(of(p, f), f.name) for p, f in zip(plans, found, strict=True) if not f.error]
        order = sorted((pair for pair in pairs if math.isfinite(pair[0])), reverse=more_is_worse)
        if not order:
            continue
        chosen = [("worst", pair) for pair in order[:worst]]
        chosen += [("typical", order[len(order) // 2]), ("best", order[-1])] if len(order) > worst + 1 else []
        strips = [
            _strip(label, f"{value:.2f} {unit}".strip(), plan_of[name], one_of[name], out, atlas)
            for label, (value, name) in chosen
        ]
        sections.append(f"<h3>{escape(title)}</h3>{''.join(strips)}")
    if not sections:
        return ""
    heads = "".join(f"<span>{escape(_HEADS[kind])}</span>" for kind in SHOWN)
    return (
        "<h2>Worst, typical and best faces</h2><p>Chosen by each measure, not by us. A click opens the file.</p>"
        f'<div class="heads">{heads}</div>{"".join(sections)}'
    )


def _strip(label: str, value: str, plan: Plan, found: Found, out: Path, atlas: Atlas) -> str:
    notes = []
    for kind in SHOWN:
        age, note = years(found, kind), []
        if math.isfinite(age):
            note.append(f"judged {age:.0f} years")
        if kind == DRAWN and AGE in plan.drawn:
            note.append(f"asked {atlas.age.grade(plan.drawn[AGE]):.0f}")
        if kind in found.distance:
            note.append(f"distance {found.distance[kind]:.2f}")
        notes.append(f"<span>{', '.join(note)}</span>")
    image = picture(out, strip_name(found.name), f"{label} {value} {found.name}: {', '.join(_HEADS[k] for k in SHOWN)}")
    return (
        f'<figure class="case {label}"><figcaption><b>{label}</b> {escape(value)} <i>{escape(found.name)}</i>'
        f'</figcaption>{image}<div class="heads">{"".join(notes)}</div></figure>'
    )


def sweep_pictures(summary: Summary, sign: str, out: Path) -> str:
    """The zone at every level, on the face that follows the targets least and on the one that follows them best."""
    order = sorted(summary.sweeps[sign], key=lambda sweep: slope(LEVELS, sweep.scores))
    chosen: Mapping[str, float] = {one.face: slope(LEVELS, one.scores) for one in (order[0], order[-1])}
    figures = []
    for face, steepness in chosen.items():
        strip = Path(strip_name(face))
        follows = f"slope {steepness:.2f}"
        image = picture(
            out, str(strip.with_name(sweep_name(sign, strip.name))), f"{words(sign)}, at every level, {follows}"
        )
        figures.append(f'<figure class="zone">{image}<figcaption>{follows}</figcaption></figure>')
    return "".join(figures)


def picture(out: Path, name: str, caption: str) -> str:
    """A file of OUT inside the page, with a link to itself, which has no other words than its caption."""
    data = base64.b64encode((out / name).read_bytes()).decode()
    alt = escape(caption)
    return f'<a href="{escape(name)}"><img loading="lazy" alt="{alt}" src="data:image/jpeg;base64,{data}"></a>'
