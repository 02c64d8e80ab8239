"""The command line. Heavy packages are imported inside the commands, so that `amgan --help` is instant."""

from __future__ import annotations

import errno
import io
import sys
from typing import Annotated, Any

import typer

from amgan.cli.age import age_command
from amgan.cli.analyze import analyze_command
from amgan.cli.batch import batch_command
from amgan.cli.curate import curate_command
from amgan.cli.estimators import fit_command, score_command
from amgan.cli.evaluate import evaluate_command
from amgan.cli.export import export_command
from amgan.cli.figure import figure_command
from amgan.cli.panel import panel_app
from amgan.cli.reproduce import reproduce_command
from amgan.cli.sweep import sweep_command
from amgan.cli.train import train_command
from amgan.cli.ui import ui_command
from amgan.cli.video import video_command

app = typer.Typer(
    name="amgan",
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("age")(age_command)
app.command("analyze")(analyze_command)
app.command("batch")(batch_command)
app.command("curate")(curate_command)
app.command("evaluate")(evaluate_command)
app.command("export")(export_command)
app.command("figure")(figure_command)
app.command("fit-estimators")(fit_command)
app.add_typer(panel_app, name="panel")
app.command("reproduce")(reproduce_command)
app.command("score")(score_command)
app.command("sweep")(sweep_command)
app.command("train")(train_command)
app.command("ui")(ui_command)
app.command("video")(video_command)


def _print_version(wanted: bool) -> None:
    if wanted:
        from amgan import __version__

        typer.echo(f"amgan {__version__}")
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_print_version, help="Print the version and stop.")
    ] = False,
) -> None:
    """Make a realistic older or younger version of a face, sign by sign, from one photo of an adult."""


# Typer brings a copy of click and exports only some of its errors; all bad calls share this base.
_UsageError: Any = typer.BadParameter.__bases__[0]

# What the file system says of a path that it does not like: one can be given that it does.
_REFUSED = {errno.ENAMETOOLONG, errno.EACCES, errno.EPERM, errno.EROFS, errno.ELOOP, errno.ENOTDIR, errno.EISDIR}

# Typer's exit code when Ctrl-C ends a command.
_STOPPED = 130


def _print_any_name() -> None:
    """Has stdout take the names of all files: one need not be UTF-8, nor what the terminal can show; as on stderr."""
    if isinstance(sys.stdout, io.TextIOWrapper) and sys.stdout.errors == "strict":
        sys.stdout.reconfigure(errors="backslashreplace")


def main() -> None:
    """Entry point of `amgan`: what a user can put right is one line on stderr; 1 is a failed photo, 2 a bad call."""
    from amgan.errors import AmganError, AtlasError, ConfigError, RequestError, in_one_line
    from amgan.memory import keep_freed_memory

    keep_freed_memory()
    _print_any_name()
    try:
        status = app(sys.argv[1:] or ["--help"], standalone_mode=False)
    except _UsageError as error:
        context = getattr(error, "ctx", None)
        command = "amgan" if context is None else context.command_path
        print(f"amgan: {in_one_line(error.format_message(), None)} (see `{command} --help`)", file=sys.stderr)
        sys.exit(2)
    except AmganError as error:
        print(f"amgan: {error}", file=sys.stderr)
        sys.exit(2 if isinstance(error, (AtlasError, ConfigError, RequestError)) else 1)
    except OSError as error:
        # What the file system refuses of a path, such as a name of 300 letters; all else is a bug.
        if error.filename is None or error.errno not in _REFUSED:
            raise
        print(f"amgan: {in_one_line(str(error.filename), None)}: {error.strerror}; take another path", file=sys.stderr)
        sys.exit(1)
    except (typer.Abort, KeyboardInterrupt):
        status = _STOPPED
    if status == _STOPPED:
        print("amgan: stopped", file=sys.stderr)
    sys.exit(status if isinstance(status, int) else 0)
