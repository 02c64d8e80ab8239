"""`amgan sweep`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from amgan.cli.loading import FaceModelOption, ModelOption, PopulationOption, find_named, open_ager
from amgan.cli.outputs import check_suffix
from amgan.cli.progress import bar
from amgan.cli.targets import PrecisionOption, SeedOption, check_percentiles, read_population, read_precision

if TYPE_CHECKING:
    from amgan.inference.sweep import Course
    from amgan.signs.atlas import Atlas

STRIP = ".png"
STRIP_STEPS, CLIP_STEPS = 7, 36
FPS = 24.0

HELP = """Show one face on its way along the age, one sign or all of them, or from one recipe to another.

OUT ending in .png is a strip of pictures side by side; .mp4, .webm or .gif is a clip that goes there and back, to be
played round and round (.mp4 and .webm want the extra `video`). All pictures show the same part of the photo at its own
size, and differ in nothing but what is swept.

A recipe is what is asked for, with commas between: all=0.9,age=70,crows_feet.left=0.2. What it does not name keeps the
face's own score; a --from left away is the photo as it is.

Examples:

  amgan sweep me.jpg -o strip.png --along all --labels

  amgan sweep me.jpg -o brow.mp4 --along forehead_wrinkles

  amgan sweep me.jpg -o left.gif --along crows_feet.left --from 0.2 --to 0.8 --steps 20

  amgan sweep me.jpg -o years.webm --along age --from 30 --to 70 --crop photo

  amgan sweep me.jpg -o both.mp4 --from all=0.1 --to all=0.9,age=75

  amgan sweep me.jpg -o p.png --along nasolabial_fold --from 10% --to 90% --population white
"""


def sweep_command(
    photo: Annotated[Path, typer.Argument(metavar="PHOTO", help="A photo of an adult.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="A .png, .mp4, .webm or .gif.")],
    along: Annotated[
        str | None,
        typer.Option(metavar="age|all|SIGN[.left|.right]", help="What is swept; `amgan analyze` lists the signs."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="VALUE|RECIPE", help="Where it begins; else the least, or the photo itself."),
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="VALUE|RECIPE", help="Where it ends; with --along, else the most.")
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            min=2, help=f"Pictures from one end to the other; else {STRIP_STEPS} in a strip, {CLIP_STEPS} in a clip."
        ),
    ] = None,
    fps: Annotated[
        float | None, typer.Option(min=1, max=120, help=f"Pictures a second of a clip; else {FPS:g}.")
    ] = None,
    one_way: Annotated[bool, typer.Option("--one-way", help="A clip ends at --to and does not go back.")] = False,
    crop: Annotated[Literal["face", "photo"], typer.Option(help="What is shown.")] = "face",
    labels: Annotated[bool, typer.Option("--labels", help="Write the value under each picture of a strip.")] = False,
    face: Annotated[int, typer.Option(min=0, help="Which face; 0 is the largest.")] = 0,
    population: PopulationOption = None,
    model: ModelOption = None,
    face_model: FaceModelOption = None,
    precision: PrecisionOption = "auto",
    seed: SeedOption = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False,
) -> None:
    """Replaced by `HELP`."""
    chosen_precision = read_precision(precision)
    is_clip = output.suffix.lower() != STRIP
    if along is None and end is None:
        raise typer.BadParameter("nothing to sweep: give --along age, --along all, --along SIGN, or a recipe as --to")
    if is_clip and labels:
        raise typer.BadParameter(f"are for strips; end OUT in {STRIP}", param_hint="--labels")
    if not is_clip and (one_way or fps is not None):
        raise typer.BadParameter("are for clips; end OUT in .mp4, .webm or .gif", param_hint="--fps and --one-way")

    from amgan.faces.output import check_output, write_image
    from amgan.faces.photo import read_photo
    from amgan.inference.clip import CLIP_SUFFIXES, check_clip, write_clip
    from amgan.inference.sweep import pictures, strip
    from amgan.models.bundle import load_bundle_schema

    suffixes = (STRIP, *CLIP_SUFFIXES)
    check_suffix(output, suffixes)
    path = find_named(model)
    schema = load_bundle_schema(path)
    atlas = schema.atlas
    others = read_population(population)
    course = _course(along, start, end, atlas)
    for request in (course.start, course.end):
        request.check(schema, others)
    check_percentiles(population, (course.start, course.end))
    check_output(output, overwrite, suffixes)
    read = read_photo(photo)
    with open_ager(path, face_model, chosen_precision) as ager:
        (view,) = ager.analyze(read, face)
        height, width = read.rgb.shape[:2]
        box = view.report.region if crop == "face" else (0, 0, width, height)
        if is_clip:
            check_clip(output, (box[3] - box[1], box[2] - box[0]))
        targets = course.targets(view, atlas, steps or (CLIP_STEPS if is_clip else STRIP_STEPS), others)
        frames = bar(pictures(ager, read, view, targets, box, seed), "aging", len(targets))
        if is_clip:
            count = write_clip(frames, output, fps or FPS, not one_way, overwrite)
        else:
            row = strip(list(frames), course.labels(targets, atlas) if labels else None)
            write_image(row, output, overwrite=overwrite)
            count = len(targets)
    typer.echo(f"{photo} -> {output}: {count} pictures of {box[2] - box[0]}x{box[3] - box[1]}")


sweep_command.__doc__ = HELP


def _course(along: str | None, start: str | None, end: str | None, atlas: Atlas) -> Course:
    from amgan.inference.sweep import course_along, course_between

    if along is not None:
        return course_along(along, start, end, atlas)
    assert end is not None
    return course_between(start, end)
