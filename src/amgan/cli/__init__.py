"""The command line. Heavy packages are imported inside the commands, so that `amgan --help` is instant."""

from __future__ import annotations

import sys

import typer

from amgan.cli.age import age_command
from amgan.cli.analyze import analyze_command
from amgan.cli.train import train_command

app = typer.Typer(
    name="amgan",
    help="Make a realistic older or younger version of a face, sign by sign, from one photo of an adult.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("age")(age_command)
app.command("analyze")(analyze_command)
app.command("train")(train_command)


def main() -> None:
    """Entry point of `amgan`: an error that a user can act on is one line and exit code 1."""
    from amgan.errors import AmganError

    try:
        app()
    except AmganError as error:
        print(f"amgan: {error}", file=sys.stderr)
        sys.exit(1)
