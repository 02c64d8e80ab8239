"""`amgan analyze`."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amgan.cli.loading import FaceModelOption, ModelOption, PopulationOption, find_named, open_ager
from amgan.cli.outputs import check_suffix

if TYPE_CHECKING:
    from amgan.signs.atlas import Atlas


def analyze_command(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="A photo of one or more adults.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    overlay: Annotated[
        Path | None,
        typer.Option(help="Write the photo with its zones drawn on, to a .png, .jpg, .jpeg, .webp, .tif or .tiff."),
    ] = None,
    population: PopulationOption = None,
    model: ModelOption = None,
    face_model: FaceModelOption = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the overlay's file if it exists.")] = False,
) -> None:
    """Find the faces of a photo, draw their zones and print every sign's score, how far it may be off, its percentile.

    A zone that hair, a beard or the like hides is called covered.
    """
    from amgan.faces.output import SUFFIXES, check_output, write_image
    from amgan.faces.photo import read_photo
    from amgan.inference.overlay import draw_zones
    from amgan.signs.atlas import load_atlas

    if overlay is not None:
        check_suffix(overlay, SUFFIXES, "--overlay")
    others = None if population is None else load_atlas(population)
    if overlay is not None:
        check_output(overlay, overwrite)
    read = read_photo(photo)
    with open_ager(find_named(model), face_model) as ager:
        views = ager.analyze(read)
        atlas = ager.bundle.atlas
        ranks = [{} if others is None else _ranks(view.report.scores, others, atlas) for view in views]
        if overlay is not None:
            write_image(draw_zones(read.rgb, views, atlas), overlay, overwrite=overwrite)
        if as_json:
            reports = [dataclasses.asdict(view.report) for view in views]
            faces = [report | {"percentiles": known} for report, known in zip(reports, ranks, strict=True)]
            typer.echo(json.dumps({"photo": str(photo), "faces": faces}, indent=1))
            return
        for index, (view, known) in enumerate(zip(views, ranks, strict=True)):
            left, top, right, bottom = view.report.box
            typer.echo(f"face {index}: {right - left:.0f}x{bottom - top:.0f} px, looks {view.report.age:.0f} years old")
            for zone, score in view.report.scores.items():
                percent = f"{known[zone]:5.0f}%" if zone in known else ""
                unsure = "  covered" if zone in view.report.covered else f" ±{view.report.deviations[zone]:.2f}"
                typer.echo(f"  {zone:<28}{score:5.2f}{unsure}{percent}  {'#' * round(score * 40)}")
        if others is not None:
            typer.echo(f"{others.name}: {others.description}")


def _ranks(scores: Mapping[str, float], population: Atlas, model: Atlas) -> dict[str, float]:
    """Percentile of each score; a sign that was not measured on the population is left out."""
    scales = {zone: population.scale_for(zone, model) for zone in scores}
    return {zone: round(scale.rank(scores[zone]), 1) for zone, scale in scales.items() if scale.quantiles}
