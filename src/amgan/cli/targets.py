"""What `amgan age` and `amgan batch` ask for alike: the options, and how they become a `Request`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amgan.inference.ager import Precision
    from amgan.inference.request import Request
    from amgan.signs.atlas import Atlas

AgeOption = Annotated[
    float | None, typer.Option(metavar="YEARS", help="Age of hair, brows and the skin between signs.")
]
SignOption = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME[.left|.right]=SCORE",
        help="One sign's score, 0 to 1, or with --population a percentile: 80% is the score that 80% of its faces "
        "do not exceed. Left and right, which any sign takes, as seen in the picture; `amgan analyze` lists the names.",
    ),
]
EveryOption = Annotated[
    str | None, typer.Option("--all", metavar="SCORE", help="Score, or percentile, of the age and of every sign.")
]
FaceOption = Annotated[str, typer.Option(metavar="N|all", help="Which face; 0 is the largest.")]
PrecisionOption = Annotated[
    str, typer.Option(metavar="auto|fp32|bf16", help="bf16 is faster where the processor has it.")
]
SeedOption = Annotated[int, typer.Option(min=0, help="Another number, other lines; and another dither.")]


def read_request(age: float | None, sign: list[str] | None, every: str | None, face: str) -> Request:
    """What the options ask for.

    Raises:
        typer.BadParameter: Names the option that is malformed.
    """
    from amgan.errors import RequestError
    from amgan.inference.request import Request, parse_face, parse_score

    signs = {}
    option = "--face"
    try:
        number = parse_face(face)
        option = "--sign"
        for text in sign or []:
            name, equals, score = text.partition("=")
            if not equals:
                raise RequestError(f"{text!r}: write NAME=SCORE, such as crows_feet.left=0.8")
            signs[name.strip()] = parse_score(score)
        option = "--all"
        return Request(age, signs, None if every is None else parse_score(every), number)
    except RequestError as error:
        raise typer.BadParameter(str(error), param_hint=option) from error


def read_precision(text: str) -> Precision:
    """The precision of that name.

    Raises:
        typer.BadParameter: There is none.
    """
    known: dict[str, Literal["auto", "fp32", "bf16"]] = {"auto": "auto", "fp32": "fp32", "bf16": "bf16"}
    if text in known:
        return known[text]
    raise typer.BadParameter(f"{text!r}: auto, fp32 or bf16", param_hint="--precision")


def read_population(name: str | None) -> Atlas | None:
    """The population of `--population`.

    Raises:
        AtlasError: There is none, or its file is malformed.
    """
    from amgan.signs.atlas import load_atlas

    return None if name is None else load_atlas(name)


def check_percentiles(population: str | None, requests: Iterable[Request]) -> None:
    """Refuses a population that no request needs.

    Raises:
        typer.BadParameter: There is one, and no percentile.
    """
    if population is not None and not any(request.has_percentiles for request in requests):
        raise typer.BadParameter("name a percentile of it, such as --all 80%", param_hint="--population")
