"""The results of a study for people and for machines."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from amgan.evaluation.bootstrap import Interval
from amgan.evaluation.jsonable import jsonable
from amgan.evaluation.panel.agreement import Agreement
from amgan.evaluation.panel.key import Key
from amgan.evaluation.panel.score import PairResult, RatingResult

Result = RatingResult | PairResult


def as_json(result: Result, key: Key) -> dict[str, Any]:
    """All figures; what is not a number becomes null."""
    about = {"panel": key.panel, "kind": key.kind, "model": key.model, "data": key.data, "split": key.split}
    cleaned: dict[str, Any] = jsonable({**about, **dataclasses.asdict(result)})
    return cleaned


def markdown(result: Result, key: Key) -> str:
    """All figures as tables."""
    lines = ratings_lines(result) if isinstance(result, RatingResult) else pairs_lines(result)
    return "\n".join([f"# Reader study {key.panel}: {key.model} on {key.split}", "", *lines]) + "\n"


def ratings_lines(result: RatingResult) -> list[str]:
    """A study of ratings."""
    lines = [
        f"{len(result.raters)} raters: {', '.join(result.raters)}. Means of the raters; 95% intervals by bootstrap "
        "over people.",
        "",
        "| sign | target | people | severity, of 100 | naturalness, of 100 | short of the originals | occluded |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for level in result.levels:
        target = "original" if level.target is None else f"{level.target:g}"
        short = "" if level.target is None else _cell(level.below_original)
        figures = (_cell(level.severity), _cell(level.naturalness), short, f"{level.occluded:.0%}")
        lines.append(f"| {_words(level.sign)} | {target} | {level.severity.people} | {' | '.join(figures)} |")
    if result.orders:
        lines += [
            "",
            "In order: severity rises from each target to the next, and the original is between the first and last.",
            "",
            "| sign | in order | rising with the target | original between |",
            "| --- | --- | --- | --- |",
        ]
        lines += [
            f"| {_words(o.sign)} | {_cell(o.in_order, '.0%')} | {_cell(o.rising, '.0%')} | {_cell(o.between, '.0%')} |"
            for o in result.orders
        ]
    lines += [
        "",
        "Agreement of the raters (two-way random, absolute), and of their mean with the grades the originals carry.",
        "",
        "| sign | severity ICC(2,1) | ICC(2,k) | naturalness ICC(2,1) | ICC(2,k) | graded | off by | r |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for trust in result.trust:
        icc = " | ".join((*_agreed(trust.severity), *_agreed(trust.naturalness)))
        lines.append(
            f"| {_words(trust.sign)} | {icc} | {trust.graded} | {_number(trust.off, '.1f')} | {_number(trust.r)} |"
        )
    return lines


def pairs_lines(result: PairResult) -> list[str]:
    """A study of pairs."""
    lines = [
        f"Told apart: **{_cell(result.overall.share, '.0%')}** of the pairs; half is guessing. Intervals are 95%, "
        "binomial (Wilson) over the pairs, however many raters.",
        "",
        "| | pairs | told apart |",
        "| --- | --- | --- |",
    ]
    for told in (*result.raters, *result.signs):
        lines.append(f"| {_words(told.name)} | {told.share.people} | {_cell(told.share, '.0%')} |")
    if result.why:
        lines += ["", "By what, where they were right:", ""]
        lines += [f"- {_words(sign)} {number}, {rater}: {why}" for sign, number, rater, why in result.why]
    return lines


def _agreed(found: Agreement | None) -> tuple[str, str]:
    return ("", "") if found is None else (_cell(found.single, ".2f"), _cell(found.mean, ".2f"))


def _cell(found: Interval, digits: str = ".1f") -> str:
    if not math.isfinite(found.value):
        return ""
    spread = f" ({found.low:{digits}} to {found.high:{digits}})" if math.isfinite(found.low) else ""
    return f"{found.value:{digits}}{spread}"


def _number(value: float, digits: str = ".2f") -> str:
    return f"{value:{digits}}" if math.isfinite(value) else ""


def _words(sign: str) -> str:
    return sign.replace("_", " ")
