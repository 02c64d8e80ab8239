"""`amgan curate`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, TypeVar

import typer

_T = TypeVar("_T")

HELP = """Sort out a folder of photos: detect, measure, keep or reject with a reason, and align what is kept.

DST gets faces.parquet (a row a photo, whatever its verdict), aligned/ (the faces kept) and report.html. SRC is only
read. Ctrl-C or a crash loses a few photos' work at most: give the same command again. Other limits judge what is
measured already, without looking at the photos again.

Examples:

  amgan curate photos/ curated/

  amgan curate ffhq/ curated/ --size 2048 --images jpg --workers 8

  amgan curate photos/ curated/ --limits mine.yaml    (mine.yaml: max_yaw: 30, a line a limit)

  amgan curate data/ curated/ --metadata data/faces.csv --population ethnicity
"""


def curate_command(
    source: Annotated[Path, typer.Argument(metavar="SRC", help="Folder of photos, with all folders in it.")],
    destination: Annotated[Path, typer.Argument(metavar="DST", help="Folder of results, outside of SRC.")],
    size: Annotated[int, typer.Option(min=256, max=3000, help="Side of the aligned faces, pixels.")] = 1024,
    images: Annotated[
        Literal["png", "jpg"], typer.Option(help="Format of the aligned faces; jpg is at quality 97 and smaller.")
    ] = "png",
    limits: Annotated[
        Path | None, typer.Option(help="YAML of limits; what it does not name stays as docs/curation.md lists it.")
    ] = None,
    metadata: Annotated[
        Path | None, typer.Option(help="CSV with the columns file (path inside SRC), age and a population.")
    ] = None,
    population: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Its column of the population; else 'population'.")
    ] = None,
    workers: Annotated[int | None, typer.Option(min=1, help="Processes; else one a core.")] = None,
) -> None:
    """Replaced by `HELP`."""
    if population is not None and metadata is None:
        raise typer.BadParameter("is a column of the metadata; give --metadata too", param_hint="--population")

    from amgan.data.curation.limits import REASONS, default_limits, load_limits
    from amgan.data.curation.metadata import read_metadata
    from amgan.data.curation.run import curate

    wanted = default_limits() if limits is None else load_limits(limits)
    people = None if metadata is None else read_metadata(metadata, population)
    summary = curate(
        source,
        destination,
        wanted,
        people,
        size=size,
        image_format=images,
        workers=workers,
        progress=_bar,
    )
    total, kept = sum(summary.counts.values()), summary.counts.get("", 0)
    typer.echo(f"{total} photos, {summary.measured} of them measured now; {kept} kept")
    for reason in REASONS:
        if count := summary.counts.get(reason, 0):
            typer.echo(f"  {reason:<18}{count:6}")
    typer.echo(f"table {summary.destination.table}, report {summary.destination.report}")


curate_command.__doc__ = HELP


def _bar(items: Iterable[_T], label: str, total: int | None) -> Iterable[_T]:
    from rich.console import Console
    from rich.progress import track

    return track(items, label, total=total, console=Console(stderr=True))
