"""`amgan batch`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amgan.cli.loading import FaceModelOption, ModelOption, PopulationOption, find_named
from amgan.cli.targets import (
    AgeOption,
    EveryOption,
    FaceOption,
    PrecisionOption,
    SeedOption,
    SignOption,
    check_percentiles,
    read_population,
    read_precision,
    read_request,
)

if TYPE_CHECKING:
    from amgan.inference.batch.results import Result
    from amgan.inference.batch.run import Batch

HELP = """Age many photos, by a table of recipes, or all photos of a folder alike.

RECIPES.csv has a column photo (a path from the table's folder on) and any of: all, age, face, out (what the result is
called inside OUT) and signs, such as crows_feet or crows_feet.left. An empty cell asks for nothing. Scores and
percentiles are those of `amgan age`.

  photo,out,all,age,forehead_wrinkles

  anna.jpg,anna-old.png,0.9,,

  anna.jpg,anna-brow.png,,,1

  ben.jpg,,0.3,40,

OUT gets the results and results.csv: a row a photo with status, error, estimated age and seconds. A photo that fails
does not stop the others. After Ctrl-C or a crash give the same command again: what is finished is not made again.

Examples:

  amgan batch recipes.csv -o aged/

  amgan batch photos/ -o older/ --all 0.8 --age 70 --workers 4

  amgan batch photos/ -o p80/ --sign nasolabial_fold=80% --population white --face 0
"""


def batch_command(
    source: Annotated[Path, typer.Argument(metavar="RECIPES.csv|FOLDER", help="A table, or photos in folders.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="Folder of results, made if missing.")],
    age: AgeOption = None,
    sign: SignOption = None,
    every: EveryOption = None,
    population: PopulationOption = None,
    face: FaceOption = "all",
    model: ModelOption = None,
    face_model: FaceModelOption = None,
    precision: PrecisionOption = "auto",
    seed: SeedOption = 0,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes, of about 1 GB each; else one a core.")] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace files that exist and are not what is asked for.")
    ] = False,
) -> None:
    """Replaced by `HELP`."""
    from amgan.faces.paths import is_folder

    chosen_precision = read_precision(precision)
    request = read_request(age, sign, every, face)
    of_folder = is_folder(source)
    if of_folder and request.empty:
        raise typer.BadParameter("nothing to change: give --all, --age or --sign")
    if not of_folder and not (request.empty and request.face is None):
        raise typer.BadParameter("a table says itself what is asked for; leave --all, --age, --sign and --face away")
    # `Path.resolve` raises on a link to itself.
    if of_folder and Path(os.path.realpath(output)).is_relative_to(os.path.realpath(source)):
        raise typer.BadParameter(f"must not lie in {source}: results would be aged again", param_hint="-o")

    from amgan.inference.batch.recipes import folder_recipes, read_recipes
    from amgan.inference.batch.run import Batch
    from amgan.inference.batch.worker import Settings
    from amgan.models.bundle import load_bundle_schema
    from amgan.processes import usable_cores

    path = find_named(model)
    schema = load_bundle_schema(path)
    others = read_population(population)
    if of_folder:
        request.check(schema, others)
        recipes = folder_recipes(source, request)
    else:
        recipes = read_recipes(source, schema, others)
    check_percentiles(population, (recipe.request for recipe in recipes))
    settings = Settings(path, face_model, chosen_precision, others, seed)
    batch = Batch(recipes, output, settings, overwrite)
    typer.echo(schema.notice, err=True)
    failed = _run(batch, workers or usable_cores())
    aged = len(batch.tasks) - failed
    typer.echo(f"{aged} aged, {batch.finished} finished before, {failed} failed; table {batch.results.path}")
    if failed:
        raise typer.Exit(1)


batch_command.__doc__ = HELP


def _run(batch: Batch, workers: int) -> int:
    """Runs a batch with a bar on stderr; how many photos failed."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    failed = 0
    columns = (TextColumn("aging"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        line = bar.add_task("", total=len(batch.tasks))

        def report(result: Result) -> None:
            nonlocal failed
            if result.error:
                failed += 1
                typer.echo(f"amgan: {result.error}", err=True)
            bar.advance(line)

        batch.run(workers, report)
    return failed
