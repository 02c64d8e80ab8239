"""`amgan analyze`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer

from amgan.cli.loading import FaceModelOption, ModelOption, open_ager


def analyze_command(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="A photo of one or more adults.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    overlay: Annotated[Path | None, typer.Option(help="Write the photo with its zones drawn on, as PNG.")] = None,
    model: ModelOption = None,
    face_model: FaceModelOption = None,
) -> None:
    """Find the faces of a photo, draw their zones and print the score of every sign."""
    from amgan.faces.photo import check_output, read_photo, write_image
    from amgan.inference.overlay import draw_zones

    if overlay is not None:
        check_output(overlay)
    read = read_photo(photo)
    with open_ager(model, face_model) as ager:
        views = ager.analyze(read)
        if overlay is not None:
            write_image(draw_zones(read.rgb, views, ager.bundle.atlas), overlay)
        if as_json:
            faces = [dataclasses.asdict(view.report) for view in views]
            typer.echo(json.dumps({"photo": str(photo), "faces": faces}, indent=1))
            return
        for index, view in enumerate(views):
            left, top, right, bottom = view.report.box
            typer.echo(f"face {index}: {right - left:.0f}x{bottom - top:.0f} px, looks {view.report.age:.0f} years old")
            for zone, score in view.report.scores.items():
                typer.echo(f"  {zone:<28}{score:5.2f}  {'#' * round(score * 40)}")
