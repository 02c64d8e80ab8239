"""`amgan figure`."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amgan.cli.loading import FaceModelOption, find_named, open_ager
from amgan.cli.outputs import check_suffix
from amgan.cli.progress import bar
from amgan.cli.targets import PrecisionOption, SeedOption, read_precision
from amgan.signs.levels import OLD, YOUNG

if TYPE_CHECKING:
    from amgan.evaluation.figures.registry import OneModel, SeveralModels

HELP = """Make a figure of the paper from any photos, as PNG or PDF, ready for print.

 1  continuous strips, a row a photo              8  the same, fewer and larger pictures

 2  zones of signs with scores, and the aging map

 6  rejuvenated, original, aged                   7  map filled with the age against signs alone

 9  one face by six aging maps

 10 patch sizes   11 without and with location maps   12 without and with aging maps: from several --model LABEL=DIR,
in the order given, each with what it changed

Faces stand in the PNG pixel for pixel (up to --panel pixels a side) and in the PDF as they are; letters are vectors in
an embedded font. The caption is printed. Wants the extra `figures`.

Examples:

  amgan figure 6 *.jpg -o figure6.pdf

  amgan figure 1 me.jpg -o strip.png --steps 9 --low 0 --high 1

  amgan figure 2 me.jpg -o zones.pdf --sign forehead_wrinkles --sign crows_feet

  amgan figure 11 me.jpg -o figure11.pdf --model "without location maps=runs/a/model" --model "with=runs/b/model"
"""


def figure_command(
    number: Annotated[int, typer.Argument(metavar="NUMBER", help="1, 2, 6, 7, 8, 9, 10, 11 or 12.")],
    photos: Annotated[list[Path], typer.Argument(metavar="PHOTO...", help="Photos of adults, or folders of them.")],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="A .png or .pdf.")],
    model: Annotated[
        list[str] | None,
        typer.Option(metavar="DIR|LABEL=DIR", help="As for `amgan age`, else the default; for 10 to 12 two or more."),
    ] = None,
    low: Annotated[
        float | None, typer.Option(min=0, max=1, help=f"Score of a rejuvenated face; else {YOUNG:g}.")
    ] = None,
    high: Annotated[float | None, typer.Option(min=0, max=1, help=f"Score of an aged face; else {OLD:g}.")] = None,
    steps: Annotated[int | None, typer.Option(min=2, max=40, help="Pictures of a strip (1: 7, 8: 5).")] = None,
    sign: Annotated[
        list[str] | None, typer.Option(metavar="NAME[.left|.right]", help="Signs of figure 2; else the paper's.")
    ] = None,
    face: Annotated[int, typer.Option(min=0, help="Which face of each photo; 0 is the largest.")] = 0,
    panel: Annotated[int, typer.Option(min=64, max=4096, help="Faces larger than this are shrunk to it.")] = 1024,
    face_model: FaceModelOption = None,
    precision: PrecisionOption = "auto",
    seed: SeedOption = 0,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False,
) -> None:
    """Replaced by `HELP`."""
    chosen_precision = read_precision(precision)

    from amgan.evaluation.figures.layout import FIGURE_SUFFIXES, check_matplotlib, write_figure
    from amgan.evaluation.figures.registry import FIGURES, OneModel
    from amgan.evaluation.figures.subjects import FigureOptions
    from amgan.faces.output import check_output
    from amgan.faces.photo import read_photo

    if number not in FIGURES:
        raise typer.BadParameter(f"{number}: the figures are {', '.join(map(str, FIGURES))}", param_hint="NUMBER")
    check_suffix(output, FIGURE_SUFFIXES)
    figure = FIGURES[number]
    given = {"low": low, "high": high, "steps": steps, "signs": tuple(sign) if sign else None}
    _check_options(number, figure, [name for name, value in given.items() if value is not None])
    models = _models(number, figure, model or [])
    _check_signs(models, sign or [])
    check_output(output, overwrite, FIGURE_SUFFIXES)
    check_matplotlib()
    files = _files(photos)
    if isinstance(figure, OneModel):
        given["steps"] = steps or figure.steps
    asked = {name: value for name, value in given.items() if value is not None}
    options = FigureOptions(**asked, face=face, panel=panel, seed=seed, progress=bar)  # type: ignore[arg-type]
    read = [read_photo(path) for path in files]
    with contextlib.ExitStack() as stack:
        agers = {
            label: stack.enter_context(open_ager(path, face_model, chosen_precision)) for label, path in models.items()
        }
        if isinstance(figure, OneModel):
            (ager,) = agers.values()
            drawn = figure.draw(ager, read, options)
        else:
            drawn = figure.draw(agers, read, options)
        width, height = write_figure(drawn, output, overwrite)
    inches = f"{width / drawn.dpi:.1f} x {height / drawn.dpi:.1f} inches at {drawn.dpi:.0f} dpi"
    typer.echo(f"{output}: {width}x{height} pixels, {inches}; {len(read)} photos")
    typer.echo(f"Caption: {figure.caption}")


figure_command.__doc__ = HELP


def _check_options(number: int, figure: OneModel | SeveralModels, given: Sequence[str]) -> None:
    flags = {"low": "--low", "high": "--high", "steps": "--steps", "signs": "--sign"}
    for name in given:
        if name not in figure.options:
            raise typer.BadParameter(f"is nothing that figure {number} heeds", param_hint=flags[name])


def _models(number: int, figure: OneModel | SeveralModels, given: Sequence[str]) -> dict[str, Path | None]:
    """Label to folder of the models; the only one of a figure of one model has no label."""
    from amgan.evaluation.figures.registry import OneModel

    if isinstance(figure, OneModel):
        if len(given) > 1:
            raise typer.BadParameter(f"figure {number} is of one model", param_hint="--model")
        return {"": find_named(given[0]) if given else None}
    named: dict[str, str] = {}
    for text in given:
        label, equals, path = (part.strip() for part in text.partition("="))
        if not (label and equals and path):
            raise typer.BadParameter(f"{text!r}: write LABEL=DIR for figure {number}", param_hint="--model")
        if label in named:
            raise typer.BadParameter(f"two are called {label!r}", param_hint="--model")
        named[label] = path
    if len(named) < 2:
        raise typer.BadParameter(
            f"figure {number} compares models, LABEL=DIR each: {figure.wanted}", param_hint="--model"
        )
    return {label: find_named(path) for label, path in named.items()}


def _check_signs(models: dict[str, Path | None], signs: Sequence[str]) -> None:
    """Finds a folder that is no model, and a sign that a model does not know, before any photo is opened.

    Raises:
        WeightsError: A folder is no model.
        AtlasError: A sign is unknown.
    """
    from amgan.models.bundle import load_bundle_schema

    for path in models.values():
        atlas = load_bundle_schema(path).atlas
        for name in signs:
            atlas.zones_of(name)


def _files(given: Sequence[Path]) -> list[Path]:
    """The photos given, and those of the folders given."""
    from amgan.data.curation.files import photo_files
    from amgan.errors import DatasetError

    files: list[Path] = []
    for path in given:
        inside = [path / photo.name for photo in photo_files(path)] if path.is_dir() else [path]
        if not inside:
            raise DatasetError(f"{path}: no photos in it")
        files += inside
    return files
