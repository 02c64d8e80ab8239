"""`amgan export`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from amgan.cli.loading import find_named
from amgan.cli.outputs import check_suffix

HELP = """Write a model as one ONNX file, for onnxruntime and whatever else reads ONNX.

Height, width and batch are free; the graph is of opset 17. The file's metadata have the licence notice, image_size,
multiple (which height and width must be divisible by), channels and the atlas, and what amgan needs to age photos with
it. Before the file gets its name, onnxruntime's answers are compared with PyTorch's at three sizes.

Examples:

  amgan export -o default.onnx

  amgan export ../runs/mine/model -o mine.onnx --half

  amgan age me.jpg -o old.png --all 0.9 --model mine.onnx
"""


def export_command(
    output: Annotated[Path, typer.Option("-o", "--output", metavar="OUT.onnx", help="The file to write.")],
    model: Annotated[
        str | None,
        typer.Argument(
            metavar="MODEL", help="Folder of a trained model, default, permissive or hub:org/name; else the default."
        ),
    ] = None,
    half: Annotated[
        bool, typer.Option("--half", help="Store weights in half precision, half the size; computing stays fp32.")
    ] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False,
) -> None:
    """Replaced by `HELP`."""
    from amgan.models.bundle import load_bundle
    from amgan.models.export import OPSET, export_onnx
    from amgan.models.onnx_file import SUFFIX

    check_suffix(output, (SUFFIX,))
    bundle = load_bundle(find_named(model))
    typer.echo(bundle.notice, err=True)
    done = export_onnx(bundle, output, half, overwrite)
    sizes = ", ".join(f"{width}x{height}" for height, width in done.sizes)
    typer.echo(f"{done.path}: {done.bytes / 1e6:.1f} MB, opset {OPSET}")
    scores = f"of scores {done.estimates_difference:.1e} of 0..1"
    typer.echo(f"largest difference from PyTorch: {done.difference:.1e} of -1..1, at {sizes}; {scores}")


export_command.__doc__ = HELP
