"""`amgan video`."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amgan.cli.loading import FaceModelOption, ModelOption, PopulationOption, find_named, open_ager
from amgan.cli.outputs import check_suffix
from amgan.cli.progress import frame_bar
from amgan.cli.targets import (
    AgeOption,
    EveryOption,
    PrecisionOption,
    SignOption,
    check_percentiles,
    read_population,
    read_precision,
    read_request,
)

if TYPE_CHECKING:
    from amgan.inference.video.age import VideoReport

HELP = """Age one person through a video.

The person is the largest face of the first frame that has one, or --face N. All frames aim at the same scores: what is
not named keeps the person's own, as estimated from many frames. Frames without the person are encoded again and no
more. Sound, times of frames, colours and rotation stay as they are.

OUT ends in .mp4, .mov or .mkv (H.264), or in .webm (VP9). Wants the extra `video`. After Ctrl-C or a crash give the
same command again: it goes on with what lies in OUT.part, and the result is the same.

Examples:

  amgan video me.mp4 -o older.mp4 --all 0.9

  amgan video talk.mkv -o out.mkv --sign crows_feet=0.8 --age 70 --face 1

  amgan video phone.mov -o out.webm --all 80% --population white --quality 20
"""


def video_command(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A video of an adult.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="A .mp4, .mov, .mkv or .webm.")],
    age: AgeOption = None,
    sign: SignOption = None,
    every: EveryOption = None,
    population: PopulationOption = None,
    face: Annotated[int, typer.Option(min=0, help="Which face of the first frame with so many; 0: largest.")] = 0,
    quality: Annotated[
        int | None,
        typer.Option(min=0, max=63, metavar="CRF", help="Less is better and larger; else 18, in .webm 24."),
    ] = None,
    model: ModelOption = None,
    face_model: FaceModelOption = None,
    precision: PrecisionOption = "auto",
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace OUT, and what is left of another command.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object about what was done.")] = False,
) -> None:
    """Replaced by `HELP`."""
    chosen_precision = read_precision(precision)
    request = read_request(age, sign, every, str(face))
    if request.empty:
        raise typer.BadParameter("nothing to change: give --all, --age or --sign")
    check_percentiles(population, [request])

    from amgan.errors import MissingExtraError
    from amgan.faces.output import check_output

    try:
        from amgan.inference.video.age import age_video
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        wanted = "a video wants the package 'torch', also with an ONNX file as its model; pip install torch"
        raise MissingExtraError(f"{source}: {wanted}") from error
    from amgan.inference.video.reading import open_info
    from amgan.inference.video.writing import ENCODERS, MOST_QUALITY
    from amgan.models.bundle import load_bundle_schema

    check_suffix(output, ENCODERS)
    others = read_population(population)
    path = find_named(model)
    request.check(load_bundle_schema(path), others)
    check_output(output, overwrite, ENCODERS)
    most = MOST_QUALITY[ENCODERS[output.suffix.lower()][0]]
    if quality is not None and quality > most:
        raise typer.BadParameter(f"{quality} is more than the {most} of {output.suffix}", param_hint="--quality")
    open_info(source)  # a file that is no video is told before the model is loaded
    with open_ager(path, face_model, chosen_precision) as ager:
        report = age_video(
            ager,
            source,
            output,
            request,
            population=others,
            quality=quality,
            overwrite=overwrite,
            progress=frame_bar,
        )
    if as_json:
        paths = {"video": str(source), "output": str(output)}
        typer.echo(json.dumps(paths | dataclasses.asdict(report), indent=1))
    else:
        typer.echo(f"{source} -> {output}: {_summary(report)}")
    if report.left_out:
        typer.echo(f"amgan: left out of {output}: {', '.join(report.left_out)}", err=True)


video_command.__doc__ = HELP


def _summary(report: VideoReport) -> str:
    """One line for people."""
    parts = [f"{report.aged} of {report.frames} frames aged, {report.frames_per_second:g} a second"]
    if report.resumed:
        parts.append(f"went on behind the first {report.resumed}")
    parts.append(f"apparent age {report.age:g} by {report.scored} frames")
    if report.flicker is not None and report.flicker_unsmoothed is not None:
        parts.append(f"flicker {report.flicker:.2f}, unsmoothed {report.flicker_unsmoothed:.2f}")
    if report.doubtful:
        parts.append(f"{report.doubtful} frames left alone where it could not be told who it is")
    return "; ".join(parts)
