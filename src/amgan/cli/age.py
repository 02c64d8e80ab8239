"""`amgan age`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from amgan.cli.loading import FaceModelOption, ModelOption, PopulationOption, open_ager

if TYPE_CHECKING:
    from amgan.inference.ager import Ager
    from amgan.maps.targets import Score

RASTER_SUFFIX = ".png"

EXAMPLES = """
Examples:

  amgan age me.jpg -o old.png --all 0.9

  amgan age me.jpg -o out.png --sign forehead_wrinkles=1 --sign crows_feet.left=0.8

  amgan age *.jpg -o older/ --all 0.8 --age 70

  amgan age me.jpg -o out.png --sign nasolabial_fold=80% --population white
"""


def age_command(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO...", help="Photos of adults.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="A file for one photo, a folder for several.")],
    age: Annotated[
        float | None, typer.Option(metavar="YEARS", help="Age of hair, brows and the skin between signs.")
    ] = None,
    sign: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME[.left|.right]=SCORE",
            help="One sign's score, 0 to 1, or with --population a percentile: 80% is the score that 80% of its faces "
            "do not exceed. Left and right as seen in the picture; `amgan analyze` lists the names.",
        ),
    ] = None,
    every: Annotated[
        str | None, typer.Option("--all", metavar="SCORE", help="Score, or percentile, of the age and of every sign.")
    ] = None,
    population: PopulationOption = None,
    painted: Annotated[
        Path | None,
        typer.Option("--map", help="Painted map as large as the photo: white is 1, transparent keeps the own score."),
    ] = None,
    face: Annotated[str, typer.Option(metavar="N|all", help="Which face; 0 is the largest.")] = "all",
    model: ModelOption = None,
    face_model: FaceModelOption = None,
    precision: Annotated[
        str, typer.Option(metavar="auto|fp32|bf16", help="bf16 is faster where the processor has it.")
    ] = "auto",
    seed: Annotated[int, typer.Option(min=0, help="Of the dither that rounds to grey levels.")] = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object about all faces.")] = False,
) -> None:
    """Age or rejuvenate the faces in photos; what is not named keeps its own estimated score."""
    chosen_face = _face(face)
    chosen_precision = _precision(precision)
    signs = dict(_sign(text) for text in sign or [])
    score = None if every is None else _score(every, "--all")
    if age is None and not signs and score is None and painted is None:
        raise typer.BadParameter("nothing to change: give --all, --age, --sign or --map")
    if population is not None and not any("%" in text for text in (*(sign or []), every or "")):
        raise typer.BadParameter("name a percentile of it, such as --all 80%", param_hint="--population")
    targets = _outputs(photos, output)

    from amgan.errors import AmganError
    from amgan.maps.targets import target_scores
    from amgan.models.bundle import load_bundle_schema
    from amgan.signs.atlas import load_atlas

    # A wrong name or score is the caller's mistake, not a photo's: found before any photo is opened.
    atlas = load_bundle_schema(model).atlas
    own = dict.fromkeys((*atlas.zones, "age"), 0.0)
    request: dict[str, Any] = {"age": age, "signs": signs, "every": score}
    try:
        request["population"] = None if population is None else load_atlas(population)
        target_scores(atlas, own, **request)
    except AmganError as error:
        typer.echo(f"amgan: {error}", err=True)
        raise typer.Exit(2) from error

    reports: list[dict[str, Any]] = []
    failed = False
    with open_ager(model, face_model, chosen_precision) as ager:
        for photo, target in zip(photos, targets, strict=True):
            try:
                wanted = request | {"face": chosen_face, "seed": seed}
                reports.append(_one(ager, photo, target, painted, overwrite, wanted))
            except AmganError as error:
                failed = True
                reports.append({"photo": str(photo), "error": str(error)})
                typer.echo(f"amgan: {error}", err=True)
            else:
                if not as_json:
                    typer.echo(f"{photo} -> {target}")
    if as_json:
        typer.echo(json.dumps({"photos": reports}, indent=1))
    if failed:
        raise typer.Exit(1)


age_command.__doc__ = f"{age_command.__doc__}\n{EXAMPLES}"


def _one(
    ager: Ager, photo: Path, target: Path, painted: Path | None, overwrite: bool, request: dict[str, Any]
) -> dict[str, Any]:
    from PIL import Image

    from amgan.errors import PhotoError
    from amgan.faces.photo import check_output, read_photo, write_image

    check_output(target, overwrite)
    read = read_photo(photo)
    paint = None
    if painted is not None:
        try:
            paint = Image.open(painted)
            paint.load()
        except OSError as error:
            raise PhotoError(f"{painted}: cannot read the painted map; give a PNG as large as the photo") from error
    result = ager.age(read, painted=paint, **request)
    write_image(result.image, target, photo=read, overwrite=overwrite)
    return {
        "photo": str(photo),
        "output": str(target),
        "faces": [dataclasses.asdict(report) for report in result.faces],
    }


def _outputs(photos: list[Path], output: Path) -> list[Path]:
    """Where each photo's result goes; a suffix on the only output means a file."""
    if len(photos) == 1 and output.suffix and not output.is_dir():
        return [output]
    if output.is_file():
        raise typer.BadParameter(f"{output} is a file; several photos want a folder", param_hint="-o")
    names = [photo.stem + RASTER_SUFFIX for photo in photos]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise typer.BadParameter(f"several photos would become {twice[0]}; age them into different folders")
    return [output / name for name in names]


def _sign(text: str) -> tuple[str, Score]:
    name, equals, score = text.partition("=")
    if not equals:
        raise typer.BadParameter(f"{text!r}: write NAME=SCORE, such as crows_feet.left=0.8", param_hint="--sign")
    return name.strip(), _score(score, "--sign")


def _score(text: str, option: str) -> Score:
    from amgan.maps.targets import Percentile

    number = text.strip()
    try:
        return Percentile(float(number[:-1])) if number.endswith("%") else float(number)
    except ValueError as error:
        raise typer.BadParameter(
            f"{text!r}: write a score such as 0.8, or a percentile such as 80%", param_hint=option
        ) from error


def _face(text: str) -> int | None:
    if text == "all":
        return None
    if text.isdigit():
        return int(text)
    raise typer.BadParameter(f"{text!r}: a number from 0, or all", param_hint="--face")


def _precision(text: str) -> Literal["auto", "fp32", "bf16"]:
    known: dict[str, Literal["auto", "fp32", "bf16"]] = {"auto": "auto", "fp32": "fp32", "bf16": "bf16"}
    if text in known:
        return known[text]
    raise typer.BadParameter(f"{text!r}: auto, fp32 or bf16", param_hint="--precision")
