"""`amgan fit-estimators` and `amgan score`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from amgan.cli.engine import EngineOption, RayAddressOption, WorkersOption
from amgan.cli.progress import bar

if TYPE_CHECKING:
    from amgan.training.fitting import FittedSet

FIT_HELP = """Fit sign estimators on graded faces: OUT/maps for training and scoring, OUT/evaluation for judging alone.

The two sets are fitted on different people. Each estimator gives a score, how far it may be off, and whether the zone
is covered. OUT/report.json has how well they do on people they have not seen, and on the split `test`.

`--kind ridge`, ridge regressions on ImageNet features, takes minutes and is enough for hundreds of graded faces.
`--kind resnet18`, the paper's residual networks from scratch, is for thousands; each network that is finished is kept
beside the prepared faces, so that a fit that was stopped goes on.

Examples:

  amgan fit-estimators curated/ -o estimators/

  amgan fit-estimators clinic/ -o estimators/ --atlas clinic.yaml --judge-share 0.3

  amgan fit-estimators curated/ -o networks/ --kind resnet18
"""

SCORE_HELP = """Estimate every sign, side and age of the faces of a dataset, and write them beside what people said.

DATASET/scores.parquet gets a score and an uncertainty for each zone, null where it is covered. The grades of people
are in another file, which is only read; training takes a person's grade before an estimate. A run that was stopped
goes on; faces that have been added are scored, those that are gone are left out.

Examples:

  amgan score curated/

  amgan score curated/ --estimators estimators/maps

  amgan score curated/ --engine ray --workers 8
"""


def fit_command(
    data: Annotated[
        Path, typer.Argument(metavar="DATA", help="Folder of `amgan curate`, or faces.csv and its photos.")
    ],
    out: Annotated[Path, typer.Option("-o", "--out", help="Folder for both sets and the report.")],
    atlas: Annotated[
        str, typer.Option(metavar="NAME|YAML", help="Signs, zones and grades: one that is shipped, or a file.")
    ] = "unit",
    kind: Annotated[
        Literal["ridge", "resnet18"], typer.Option(help="Ridge regressions, or networks from scratch.")
    ] = "ridge",
    judge_share: Annotated[
        float, typer.Option(min=0.05, max=0.95, help="Share of the training people that evaluation's set gets.")
    ] = 0.2,
    store: Annotated[
        Path | None, typer.Option(help="Where the faces are prepared, 3 MB each; else beside OUT.")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace earlier estimators in OUT.")] = False,
) -> None:
    """Replaced by `FIT_HELP`."""
    from amgan.data.store import licence_notice, prepare
    from amgan.models.estimator_kinds import new_estimators
    from amgan.signs.atlas import load_atlas
    from amgan.training.fitted_folder import REPORT, open_folder, save_sets
    from amgan.training.fitting import PURPOSES, belongs_to, fit_set

    signs = load_atlas(atlas)
    where = store or out.resolve().parent / "prepared"
    open_folder(out, where, overwrite)
    faces = prepare(data, where, signs, lambda rows: bar(list(rows), "faces", None))
    if line := faces.passed_over():
        typer.echo(f"amgan: {line}", err=True)
    sets, notices = {}, {}
    for purpose in PURPOSES:
        sets[purpose] = fit_set(
            faces,
            new_estimators(kind, signs),
            purpose,
            judge_share,
            lambda numbers: bar(list(numbers), "features", None),
            lambda epochs: bar(list(epochs), "epochs", None),
        )
        notices[purpose] = licence_notice(faces, faces.subset(belongs_to(purpose, judge_share)))
        typer.echo(_table(purpose, sets[purpose]))
    save_sets(out, sets, notices)
    typer.echo(f"written to {out / 'maps'} and {out / 'evaluation'}, all figures to {out / REPORT}")


def score_command(
    dataset: Annotated[Path, typer.Argument(metavar="DATASET", help="Folder of `amgan curate`.")],
    estimators: Annotated[
        Path | None, typer.Option(help="Folder of `amgan fit-estimators`, or a model; else the default model's.")
    ] = None,
    workers: WorkersOption = None,
    engine: EngineOption = "local",
    ray_address: RayAddressOption = None,
) -> None:
    """Replaced by `SCORE_HELP`."""
    from amgan.engines.base import open_engine
    from amgan.models.estimator_file import load_estimators
    from amgan.training.scoring import score_dataset

    with open_engine(engine, workers, ray_address) as started:
        summary = score_dataset(
            dataset, load_estimators(estimators), lambda rows, total: bar(rows, "scoring", total), started
        )
    typer.echo(f"{summary.faces} faces, {summary.scored} of them scored now; written to {summary.table}")
    for zone, count in summary.covered.items():
        if count:
            typer.echo(f"  {zone:<28}covered on {count}")


fit_command.__doc__, score_command.__doc__ = FIT_HELP, SCORE_HELP


def _table(purpose: str, fitted: FittedSet) -> str:
    lines = [
        f"{purpose}: {fitted.people} people",
        f"  {'':<24}{'held-out people':^26}{'split test':^34}",
        f"  {'':<24}{'faces':>6}{'r':>7}{'error':>8}     {'faces':>6}{'r':>7}{'error':>8}   covered, found",
    ]
    for name, known in fitted.held_out.items():
        test = fitted.test[name]
        own = f"{known.count:6}{known.correlation:7.2f}{known.error:8.3f}"
        other = f"{test.count:6}{test.correlation:7.2f}{test.error:8.3f}" if test.count else f"{0:6}"
        lines.append(f"  {name:<24}{own}     {other}   {test.covered:7}{test.covered_found:7}")
    return "\n".join(lines)
