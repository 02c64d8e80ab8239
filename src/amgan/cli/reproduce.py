"""`amgan reproduce`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from amgan.cli.loading import prepared
from amgan.cli.progress import bar

if TYPE_CHECKING:
    from amgan.evaluation.reproduce.rows import Table
    from amgan.training.config import TrainConfig

HELP = """Train and measure the rows of the paper's tables, and print them beside the paper's numbers.

 table1  patches of 512, 256 and 128 px, without aging maps, without location maps

 table2  with the clinical signs, with the age alone

 spread  how differently the oldest people of DATA age (needs no training)

 all     all three

Each row is the preset photos with that row's one switch, at one equal budget, and one row more is the paper's recipe
to the letter; with --recipe paper all rows are its presets, for GPUs. STUDY gets a run folder a row, tables.md and
tables.json. Ctrl-C loses at most the steps since a checkpoint: the same command goes on, and rows that are done, also
by another table, are not trained again. DATA needs people's grades, of every sign.

Examples:

  amgan reproduce all ../runs/study --data DATA --minutes 40

  amgan reproduce table1 ../runs/study --data DATA --steps 2000 --dry-run

  amgan reproduce table1 paper-study/ --data graded/ --recipe paper --inception inception-2015-12-05.pt
"""


def reproduce_command(
    what: Annotated[Literal["table1", "table2", "spread", "all"], typer.Argument(metavar="WHAT", help="As above.")],
    study: Annotated[
        Path, typer.Argument(metavar="STUDY", help="Folder of the study; keep it outside the repository.")
    ],
    data: Annotated[Path, typer.Option(help="Folder of `amgan curate`, or of faces.csv and its photos.")],
    recipe: Annotated[
        Literal["photos", "paper"],
        typer.Option(help="Rows are the preset photos with one switch each, or the presets of the paper."),
    ] = "photos",
    steps: Annotated[int | None, typer.Option(min=1, help="Steps of each row; else those of the recipe.")] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.1, help="Training time of each row on this machine, instead of --steps.")
    ] = None,
    split: Annotated[Literal["train", "val", "test"], typer.Option(help="Whose faces are measured.")] = "test",
    every: Annotated[int, typer.Option(min=1, help="Only each so-many-th photo of the split, to save time.")] = 1,
    inception: Annotated[
        str | None, typer.Option(metavar="PATH|URL", help="StyleGAN's TorchScript Inception, for FID.")
    ] = None,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a config key in every row.")
    ] = None,
    limits: Annotated[Path | None, typer.Option(help="YAML of curation's limits: which faces count.")] = None,
    oldest: Annotated[int, typer.Option(min=2, help="People of `spread`.")] = 150,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Processes that measure, of 2.5 GB each; else one a core, as free memory has room."),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print rows, steps and hours, and stop.")] = False,
) -> None:
    """Replaced by `HELP`."""
    from amgan.data.curation.limits import default_limits, load_limits
    from amgan.data.dataset import read_rows
    from amgan.evaluation.measurer import MEMORY
    from amgan.evaluation.reproduce.rows import ROWS, config_of, rows_of
    from amgan.evaluation.reproduce.spread import spread_of_oldest
    from amgan.evaluation.reproduce.study import About, Study, atlas_of, measured_hours
    from amgan.evaluation.reproduce.tables import Results, measured_of, write_tables
    from amgan.processes import fitting_workers

    if steps is not None and minutes is not None:
        raise typer.BadParameter("is another way to say --steps; give one of them", param_hint="--minutes")
    tables: list[Table] = ["table1", "table2"] if what == "all" else [] if what == "spread" else [what]
    about = About(
        recipe=recipe,
        data=data.resolve(),
        steps=steps,
        minutes=minutes,
        settings=tuple(settings or ()),
        split=split,
        every=every,
        inception=inception,
        limits=default_limits() if limits is None else load_limits(limits),
    )
    folder = Study(study, about)
    # The spread has no row, but the settings hold for it too: its atlas is that of the row which both tables have.
    common = config_of(ROWS["patch-256"], recipe, about.data, about.settings)
    asked = rows_of(tables, recipe)
    configs = folder.planned(bar(asked, "planning", len(asked)) if asked else (), measured_hours)
    if dry_run:
        _print_plan(configs, {n: measured_hours(c) if minutes is None else minutes / 60 for n, c in configs.items()})
        return
    atlas = atlas_of([*folder.configs.values(), *configs.values(), common])
    # What was asked before stays in the tables, the spread too.
    people = oldest if what in ("spread", "all") else folder.oldest
    spread = None if people is None else spread_of_oldest(read_rows(data, atlas), atlas, people)
    folder.keep(tables, configs, people)
    names = [row.name for row in rows_of(folder.tables, recipe) if row in asked or folder.is_done(row.name)]
    names.sort(key=lambda name: not folder.is_done(name))  # else the first row that is trained would hide what is done
    results = Results(about, folder.tables, folder.configs, {}, {}, spread)
    if names:
        store = prepared(data, study / "prepared", atlas, limits)
        low, high = atlas.age.grades
        for name, summary, errors in folder.measured(names, store, atlas, bar, workers or fitting_workers(MEMORY)):
            results.found[name], results.errors[name] = measured_of(summary, high - low), errors
            # After each row, so that a study that is stopped has the tables of what is done.
            write_tables(study, results)
    write_tables(study, results)
    typer.echo(results.markdown())
    typer.echo(f"written to {study / 'tables.md'} and tables.json")


reproduce_command.__doc__ = HELP


def _print_plan(configs: dict[str, TrainConfig], hours: dict[str, float]) -> None:
    for name, config in configs.items():
        shape = ", then ".join(f"{s.steps} x {s.batch} patches of {s.patch} px" for s in config.stages)
        typer.echo(f"{name}: {config.steps} steps ({shape}), {hours[name]:.2f} h")
    typer.echo(f"in all {sum(hours.values()):.1f} h of training on this machine; measuring comes on top")
