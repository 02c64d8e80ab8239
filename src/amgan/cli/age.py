"""`amgan age`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from amgan.cli.loading import FaceModelOption, ModelOption, PopulationOption, find_named, open_ager
from amgan.cli.outputs import check_suffix
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
    from PIL import Image

    from amgan.inference.ager import Ager

RASTER_SUFFIX = ".png"

EXAMPLES = """
Examples:

  amgan age me.jpg -o old.png --all 0.9

  amgan age me.jpg -o out.png --sign forehead_wrinkles=1 --sign crows_feet.left=0.8

  amgan age *.jpg -o older/ --all 0.8 --age 70

  amgan age me.jpg -o out.png --sign nasolabial_fold=80% --population white

  amgan age me.jpg -o out.png --recipe recipe.json
"""


def age_command(
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO...", help="Photos of adults.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="A file for one photo, a folder for several.")],
    age: AgeOption = None,
    sign: SignOption = None,
    every: EveryOption = None,
    population: PopulationOption = None,
    painted: Annotated[
        Path | None,
        typer.Option(
            "--map",
            help="Painted map, as large as the upright photo, to lay over all else that is asked: white is 1, black 0; "
            "a transparent pixel keeps that, or the face's own score.",
        ),
    ] = None,
    recipe: Annotated[
        Path | None,
        typer.Option(
            metavar="R.json",
            help='What is asked for, as JSON: {"age": 70, "signs": {"crows_feet.left": 0.8}}; `amgan ui` writes it.',
        ),
    ] = None,
    face: FaceOption = "all",
    model: ModelOption = None,
    face_model: FaceModelOption = None,
    precision: PrecisionOption = "auto",
    seed: SeedOption = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object about all faces.")] = False,
) -> None:
    """Age or rejuvenate the faces in photos; what is not named keeps its own estimated score."""
    chosen_precision = read_precision(precision)
    request = read_request(age, sign, every, face)
    drawn: Image.Image | None = None
    if recipe is not None:
        if not request.empty or request.face is not None or seed or precision != "auto":
            more = "--all, --age, --sign, --face, --seed and --precision"
            raise typer.BadParameter(f"says all itself; leave {more} away", param_hint="--recipe")
        from amgan.inference.recipe_file import read_recipe_file

        saved = read_recipe_file(recipe)
        request, seed, chosen_precision, drawn = saved.request, saved.seed, saved.precision, saved.painted
        if drawn is not None and painted is not None:
            raise typer.BadParameter(f"{recipe} has a painted map of its own", param_hint="--map")
    if request.empty and painted is None and drawn is None:
        raise typer.BadParameter("nothing to change: give --all, --age, --sign, --map or --recipe")
    check_percentiles(population, [request])
    targets = _outputs(photos, output)
    if painted is not None:
        from amgan.inference.painted import read_painted

        drawn = read_painted(painted, str(painted))

    from amgan.errors import AmganError
    from amgan.models.bundle import load_bundle_schema

    # A wrong name or score is the caller's mistake, not a photo's: found before any photo is opened.
    path = find_named(model)
    schema = load_bundle_schema(path)
    others = read_population(population)
    request.check(schema, others)

    reports: list[dict[str, Any]] = []
    failed = False
    with open_ager(path, face_model, chosen_precision) as ager:
        for photo, target in zip(photos, targets, strict=True):
            try:
                wanted = vars(request) | {"population": others, "seed": seed}
                reports.append(_one(ager, photo, target, drawn, overwrite, wanted))
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
    ager: Ager, photo: Path, target: Path, painted: Image.Image | None, overwrite: bool, request: dict[str, Any]
) -> dict[str, Any]:
    from amgan.faces.output import check_output, write_image
    from amgan.faces.photo import read_photo

    check_output(target, overwrite)
    read = read_photo(photo)
    result = ager.age(read, painted=painted, **request)
    write_image(result.image, target, photo=read, overwrite=overwrite)
    return {
        "photo": str(photo),
        "output": str(target),
        "faces": [dataclasses.asdict(report) for report in result.faces],
    }


def _outputs(photos: list[Path], output: Path) -> list[Path]:
    """Where each photo's result goes; a suffix on the only output means a file."""
    from amgan.faces.output import SUFFIXES
    from amgan.faces.paths import is_file, is_folder

    if len(photos) == 1 and output.suffix and not is_folder(output):
        check_suffix(output, SUFFIXES)
        return [output]
    if is_file(output):
        wanted = (
            "end the result's name in .png, or name a folder" if len(photos) == 1 else "several photos want a folder"
        )
        raise typer.BadParameter(f"{output} is a file; {wanted}", param_hint="-o")
    names = [photo.stem + RASTER_SUFFIX for photo in photos]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise typer.BadParameter(
            f"several photos would become {twice[0]}; age them into different folders", param_hint="PHOTO"
        )
    return [output / name for name in names]
