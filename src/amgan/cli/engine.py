"""Options of the commands whose work can be spread over processes or machines."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

EngineOption = Annotated[
    Literal["local", "ray"], typer.Option(help="Processes of this machine, or a Ray cluster (extra `scale`).")
]
RayAddressOption = Annotated[
    str | None,
    typer.Option(
        metavar="HOST:PORT|auto",
        help="An existing Ray cluster; else RAY_ADDRESS, else one is started here. Its machines need the same paths.",
    ),
]
WorkersOption = Annotated[int | None, typer.Option(min=1, help="Processes; else one a core, of the cluster with ray.")]
