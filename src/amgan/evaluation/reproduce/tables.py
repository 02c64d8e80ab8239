"""Our tables beside the paper's, and what differs between the two settings."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amgan.evaluation.bootstrap import Interval
from amgan.evaluation.jsonable import jsonable
from amgan.evaluation.networks import INCEPTION, LEADING
from amgan.evaluation.report.markdown import spread as bounds
from amgan.evaluation.reproduce.differences import Differences, FaceErrors, differences_of
from amgan.evaluation.reproduce.rows import PUBLISHED, REAL_FID, ROWS, Table, rows_of
from amgan.evaluation.reproduce.spread import PAPER_MEDIAN, PAPER_OLDEST, PAPER_YEARS, Spread
from amgan.evaluation.reproduce.study import About
from amgan.evaluation.summary import Summary
from amgan.training.config import TrainConfig

_NONE = Interval(math.nan, math.nan, math.nan, 0)


@dataclass(frozen=True)
class Measured:
    """The figures of a row.

    Attributes:
        network: Through which the distances are seen.
        distance: Of the aged half to the real half.
        real: Of the two real halves.
        mae: Of the signs.
        judge: Error of the sign judge on the originals, below which nothing can be told.
        undone: MAE if nothing were done.
        age: Error of the age asked for, of the atlas's range, by the judges of apparent age.
        age_judge: Their error on the originals, as above.
        faces: How many.
    """

    network: str
    distance: Interval
    real: Interval
    mae: Interval
    judge: Interval
    undone: Interval
    age: Interval
    age_judge: Interval
    faces: int


def measured_of(summary: Summary, age_range: float) -> Measured:
    """What a table says of an evaluation.

    Args:
        summary: Of the evaluation.
        age_range: Years from score 0 to 1.
    """

    def found(key: str, per: float = 1.0) -> Interval:
        figure = summary.figure(key)
        if figure is None:
            return _NONE
        value = figure.all
        return Interval(value.value / per, value.low / per, value.high / per, value.people)

    network = INCEPTION if summary.figure(f"frechet.{INCEPTION}") else LEADING
    return Measured(
        network,
        found(f"frechet.{network}"),
        found(f"frechet_real.{network}"),
        found("mae"),
        found("mae_judge"),
        found("mae_undone"),
        found("age_drawn", age_range),
        found("age_judge", age_range),
        summary.faces,
    )


@dataclass(frozen=True)
class Results:
    """All that a study has found so far.

    Attributes:
        about: The study.
        tables: That were asked of it.
        configs: Row to config.
        found: Row to figures, of those that are finished.
        errors: Row to how far each face is off, likewise.
        spread: Of the oldest, if that was asked.
    """

    about: About
    tables: Sequence[Table]
    configs: Mapping[str, TrainConfig]
    found: dict[str, Measured]
    errors: dict[str, FaceErrors]
    spread: Spread | None

    def markdown(self) -> str:
        """For people; rows that are not finished say so."""
        lines = ["# The paper's tables, reproduced", ""]
        for table in self.tables:
            lines += _table(table, self)
        if self.errors:
            lines += _paired(differences_of(self.errors))
        if self.spread is not None:
            lines += _spread(self.spread)
        if self.tables:
            lines += _differences(self)
        return "\n".join(lines).rstrip() + "\n"

    def as_json(self) -> dict[str, Any]:
        """For machines; what is not a number becomes null."""
        content: dict[str, Any] = {"about": self.about.model_dump(mode="json"), "tables": {}, "spread": None}
        for table in self.tables:
            content["tables"][table] = {
                row.name: {
                    "title": row.title,
                    "paper": dataclasses.asdict(PUBLISHED[table][row.name]),
                    "steps": self.configs[row.name].steps,
                    "found": dataclasses.asdict(self.found[row.name]) if row.name in self.found else None,
                }
                for row in rows_of([table], self.about.recipe)
            }
        differences = differences_of(self.errors)
        content["differences"] = {name: dataclasses.asdict(found) for name, found in differences.items()}
        if self.spread is not None:
            content["spread"] = {**dataclasses.asdict(self.spread), "paper": PAPER_MEDIAN}
        cleaned: dict[str, Any] = jsonable(content)
        return cleaned


def _table(table: Table, results: Results) -> list[str]:
    configs, found = results.configs, results.found
    one = next(iter(found.values()), None)
    seen = "FID" if one is not None and one.network == INCEPTION else "Fréchet distance"
    more = " | age MAE" if table == "table2" else ""
    lines = [
        f"## Table {table[-1]}",
        "",
        f"| row | steps | {seen} | MAE{more} | FID in the paper | MAE in the paper |",
        f"| --- | --- | --- | --- {'| --- ' if more else ''}| --- | --- |",
    ]
    if table == "table1":
        real = _NONE if one is None else one.real
        lines.append(f"| real images | | {_cell(real)} | | {REAL_FID:g} | |")
    for row in rows_of([table], results.about.recipe):
        figures, paper = found.get(row.name), PUBLISHED[table][row.name]
        cells = ["not finished", ""] if figures is None else [_cell(figures.distance), _cell(figures.mae)]
        if more:
            cells.append("" if figures is None else _cell(figures.age))
        ours = " | ".join((row.title, str(configs[row.name].steps), *cells))
        lines.append(f"| {ours} | {paper.fid:g} | {paper.mae:g} |")
    if one is not None:
        lines += [
            "",
            f"The sign judge is off by {_cell(one.judge)} on the originals; doing nothing scores {_cell(one.undone)}.",
        ]
        if more:
            lines += [
                f"The age judges are off by {_cell(one.age_judge)} of the range on the originals. The paper does not "
                "say whether its MAE without signs is of the age; here that model has both.",
            ]
    return [*lines, ""]


def _paired(found: Mapping[str, Differences]) -> list[str]:
    lines = [
        "## Differences of the MAE of the signs",
        "",
        "Of the same faces with the same targets, so that the intervals are narrower than those above. They are of "
        "faces drawn anew, not of another training.",
        "",
        "| row | less that of nothing done | less that of the row without its switch | which is |",
        "| --- | --- | --- | --- |",
    ]
    for name, one in found.items():
        other = ("", "") if one.beside is None else (_signed(one.beside), ROWS[ROWS[name].beside].title)
        lines.append(f"| {ROWS[name].title} | {_signed(one.undone)} | {' | '.join(other)} |")
    return [*lines, ""]


def _spread(found: Spread) -> list[str]:
    low, high = PAPER_YEARS
    lines = [
        "## Spread of the signs among the oldest (5.4)",
        "",
        "| | people | years | ours | paper |",
        "| --- | --- | --- | --- | --- |",
        f"| standard deviation of a person's signs, median over people | {found.people} | "
        f"{found.years[0]:.0f} to {found.years[1]:.0f} | {_cell(found.within)} | {PAPER_MEDIAN:g} "
        f"({PAPER_OLDEST} people, {low} to {high}) |",
        f"| standard deviation of a sign over people, median over signs | {found.people} | as above | "
        f"{_cell(found.across)} | |",
        "",
        "| sign | mean | standard deviation |",
        "| --- | --- | --- |",
    ]
    lines += [
        f"| {sign.replace('_', ' ')} | {found.means[sign]:.2f} | {value:.2f} |" for sign, value in found.signs.items()
    ]
    return [*lines, ""]


def _differences(results: Results) -> list[str]:
    about, configs, found = results.about, results.configs, results.found
    one = next(iter(found.values()), None)
    network = INCEPTION if about.inception else LEADING
    if about.minutes is not None:
        budget = f"{about.minutes:g} minutes a row, by steps measured when the row was planned"
    elif about.steps is not None:
        budget = f"{about.steps} steps a row"
    else:
        budget = "the steps of the recipe"
    recipe = (
        "the preset photos (docs/training.md) with the row's one switch; patches of another size get as many pixels a "
        "step, shrunk by as much for the map head"
        if about.recipe == "photos"
        else "the presets of the paper's recipe"
    )
    shapes = "; ".join(f"{name} {_shape(config)}" for name, config in configs.items())
    lines = [
        "## What differs from the paper's setting",
        "",
        f"- **Data**: {about.data}, evaluated on the people of `{about.split}`"
        + (f", one photo in {about.every}" if about.every > 1 else "")
        + (f", {one.faces} faces" if one is not None else "")
        + ". The paper: 6000 clinical photos of 3000x3000 px, five populations, 18 to 80 years.",
        f"- **Feature network**: {network}. The paper: Inception (FID)"
        + (
            ", so that the distances are of another scale: compare rows, and each with the real images."
            if network == LEADING
            else "."
        ),
        "- **Judge of the signs**: ridge regressions on OpenNSFW features. The paper: a ResNet a sign.",
        f"- **Recipe**: {recipe}.",
        f"- **Budget**: {budget}. The paper names neither steps nor batch.",
        f"- **Patches x batch x steps, stage by stage**: {shapes}.",
    ]
    if about.settings:
        lines.append(f"- **Set for every row**: {', '.join(about.settings)}.")
    return lines


def _shape(config: TrainConfig) -> str:
    return " then ".join(f"{stage.patch} px x {stage.batch} x {stage.steps}" for stage in config.stages)


def _cell(found: Interval) -> str:
    if not math.isfinite(found.value):
        return "-"
    spread = bounds(found)
    return f"{found.value:.3g} ({spread})" if spread else f"{found.value:.3g}"


def _signed(found: Interval) -> str:
    if not math.isfinite(found.value):
        return "-"
    return f"{found.value:+.4f} ({found.low:+.4f} to {found.high:+.4f})"


def write_tables(folder: Path, results: Results) -> None:
    """Writes ``tables.md`` and ``tables.json``; those that are there are of the same study."""
    (folder / "tables.md").write_text(results.markdown(), encoding="utf-8")
    content = json.dumps(results.as_json(), indent=1, ensure_ascii=False)
    (folder / "tables.json").write_text(content + "\n", encoding="utf-8")
