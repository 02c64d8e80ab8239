"""`amgan curate`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from amgan.cli.engine import EngineOption, RayAddressOption, WorkersOption
from amgan.cli.progress import bar

HELP = """Sort out a folder of photos: detect, measure, keep or reject with a reason, and align what is kept.

DST gets faces.parquet (a row a photo, whatever its verdict), aligned/ (the faces kept) and report.html, and can be
trained on. SRC is only read. Ctrl-C or a crash loses a few photos' work at most: give the same command again. Other
limits and labels are applied to what is measured already, without looking at the photos again.

Examples:

  amgan curate photos/ curated/

  amgan curate photos/ curated/ --size 2048 --images jpg --workers 8

  amgan curate photos/ curated/ --limits mine.yaml    # max_yaw: 30, a line a limit

  amgan curate clinic/ curated/ --metadata clinic/grades.csv --atlas clinic.yaml

  amgan curate photos/ curated/ --engine ray --ray-address auto

  amgan curate images1024x1024/ curated/ --ffhq-json ffhq-dataset-v2.json --metadata ages.csv
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
        Path | None,
        typer.Option(help="CSV of labels: file (path inside SRC), age, identity, signs ... as in docs/datasets.md."),
    ] = None,
    population: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Its column of the population; else population or ethnicity.")
    ] = None,
    atlas: Annotated[
        str, typer.Option(metavar="NAME|FILE.yaml", help="Whose signs are columns of the CSV and of the table.")
    ] = "unit",
    ffhq_json: Annotated[
        Path | None, typer.Option(help="ffhq-dataset-v2.json, where SRC holds FFHQ photos; --metadata may add to it.")
    ] = None,
    workers: WorkersOption = None,
    engine: EngineOption = "local",
    ray_address: RayAddressOption = None,
) -> None:
    """Replaced by `HELP`."""
    if population is not None and metadata is None:
        raise typer.BadParameter("is a column of the metadata; give --metadata too", param_hint="--population")

    from amgan.data.curation.ffhq import laid_over, read_ffhq
    from amgan.data.curation.limits import REASONS, default_limits, load_limits
    from amgan.data.curation.run import curate
    from amgan.data.labels import read_labels
    from amgan.engines.base import open_engine
    from amgan.signs.atlas import load_atlas

    wanted = default_limits() if limits is None else load_limits(limits)
    signs = load_atlas(atlas)
    labels = {}
    if metadata is not None:
        table = read_labels(metadata, signs, population)
        unknown = f"; not read: {', '.join(table.ignored)}" if table.ignored else ""
        typer.echo(f"{metadata}: read {', '.join(table.read)}{unknown}", err=True)
        labels = table.rows
    if ffhq_json is not None:
        labels = laid_over(read_ffhq(ffhq_json, source), labels, metadata or ffhq_json)
    with open_engine(engine, workers, ray_address) as started:
        summary = curate(
            source,
            destination,
            wanted,
            labels,
            atlas=signs,
            size=size,
            image_format=images,
            engine=started,
            progress=bar,
        )
    total, kept = sum(summary.counts.values()), summary.counts.get("", 0)
    typer.echo(f"{total} photos, {summary.measured} of them measured now; {kept} kept")
    if labels:
        typer.echo(f"  labels for {summary.labelled} of them")
    if summary.missing:
        typer.echo(f"  no photo for {len(summary.missing)} labels, such as {summary.missing[0]}")
    if summary.copies:
        typer.echo(
            f"  {summary.copies} copies of others, bit for bit: where no label says whom they show, the same person"
        )
    if summary.apart:
        one, other = summary.apart
        typer.echo(
            f"warning: {one} and {other} are the same photo, and labels put them into different splits; mend them",
            err=True,
        )
    for reason in REASONS:
        if count := summary.counts.get(reason, 0):
            typer.echo(f"  {reason:<18}{count:6}")
    typer.echo(f"table {summary.destination.table}, report {summary.destination.report}")


curate_command.__doc__ = HELP
