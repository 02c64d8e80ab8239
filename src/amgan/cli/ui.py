"""`amgan ui`."""

from __future__ import annotations

from typing import Annotated

import typer

from amgan.cli.loading import FaceModelOption, ModelOption, find_named, open_ager
from amgan.cli.targets import PrecisionOption, read_precision

PORT = 7860

HELP = """Open a page on this computer where a photo's signs are moved by sliders or painted, and the result is seen.

The page is for this computer only, and no request leaves it. Photos are kept in memory and in one temporary folder,
and are gone when the page is closed. What is downloaded is a PNG of full size, strips and clips, and a recipe, from
which `amgan age PHOTO -o OUT.png --recipe R.json` makes the same picture again. Ctrl-C ends it.

Examples:

  amgan ui

  amgan ui --port 8000 --no-browser
"""


def ui_command(
    port: Annotated[int, typer.Option(min=0, max=65535, help="Of the page; 0 takes any that is free.")] = PORT,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
    model: ModelOption = None,
    face_model: FaceModelOption = None,
    precision: PrecisionOption = "auto",
) -> None:
    """Replaced by `HELP`."""
    chosen_precision = read_precision(precision)

    from amgan.app.server import check_installed, listen, one_folder, serve

    check_installed()
    path = find_named(model)
    # Absolute, so that the commands that the page shows can be given in any folder.
    files = {"--model": path, "--face-model": face_model}
    same = [word for option, file in files.items() if file is not None for word in (option, str(file.absolute()))]

    def ready(address: str) -> None:
        typer.echo(f"amgan ui: {address} (Ctrl-C ends it)")

    with listen(port) as listening, one_folder() as folder, open_ager(path, face_model, chosen_precision) as ager:
        serve(ager, listening, folder, ready, not no_browser, same)


ui_command.__doc__ = HELP
