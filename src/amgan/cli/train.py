"""`amgan train`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from lightning_fabric import Fabric

    from amgan.signs.atlas import Atlas
    from amgan.training.config import TrainConfig

HELP = """Train a model on scored faces; Ctrl-C loses at most the steps since the last checkpoint.

The batch in CONFIG is shared out, so several processes learn what one learns. On several machines give the command on
each: torchrun starts the processes, and --data must be there under the same path.

Examples:

  amgan train default --data DIR --out ../runs/mine

  amgan train default --data DIR --out ../runs/mine --resume

  amgan train paper-256 --data curated/ --out ../runs/ffhq --devices 4

  torchrun --nnodes 2 --nproc-per-node 8 --rdzv-backend c10d --rdzv-endpoint HOST:29500 -m amgan train paper-256 ...
"""


def train_command(
    config: Annotated[
        str,
        typer.Argument(
            metavar="CONFIG",
            help="Everything about the run: a YAML, or a preset: default, shipped, permissive, photos, refine, "
            "paper-128, paper-256, paper-512, paper-512-of-2048, no-aging-maps-256, no-location-maps-128, "
            "age-only-256.",
        ),
    ],
    data: Annotated[
        Path | None, typer.Option(help="Folder of `amgan curate`, or of faces.csv and its photos; else the config's.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Run folder; keep it outside the repository.")] = Path("../runs/default"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the newest checkpoint of --out.")] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a config key: weights.age=50.")
    ] = None,
    devices: Annotated[
        int, typer.Option(min=1, help="Processes on each machine, one a GPU; torchrun's number goes before it.")
    ] = 1,
    nodes: Annotated[
        int,
        typer.Option(
            min=1,
            help="Machines; without torchrun each needs MASTER_ADDR, MASTER_PORT and NODE_RANK, or Slurm's srun.",
        ),
    ] = 1,
    accelerator: Annotated[
        Literal["auto", "cpu", "gpu"],
        typer.Option(help="Where networks compute; auto is the GPU (CUDA) if there is one."),
    ] = "auto",
    tensorboard: Annotated[
        bool, typer.Option("--tensorboard", help="Write OUT/tensorboard beside stats.jsonl (extra `tensorboard`).")
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Print settings, sizes, memory and time, from a step made here."),
    ] = False,
) -> None:
    """Replaced by `HELP`."""
    from amgan.signs.atlas import load_atlas, unit_atlas
    from amgan.training.config_file import config_path, load_config

    loaded = load_config(config_path(config), settings, data)
    atlas = unit_atlas() if loaded.atlas is None else load_atlas(loaded.atlas)
    from amgan.training.parallel import Machines, start_fabric

    if dry_run:
        _print_costs(start_fabric(loaded.precision, Machines(accelerator)), loaded, atlas)
        return
    from amgan.training.loop import train

    try:
        train(loaded, out, resume, atlas, Machines(accelerator, devices, nodes), tensorboard)
    except KeyboardInterrupt as stop:
        # Not raised on, so that the last line is the one that says how to go on.
        print(f"amgan: {stop or 'stopped'}", file=sys.stderr)
        sys.exit(130)


train_command.__doc__ = HELP


def _print_costs(fabric: Fabric, config: TrainConfig, atlas: Atlas) -> None:
    """Settings, and what each stage will take, as a few lines to read."""
    from amgan.maps.packing import pack_zones
    from amgan.training.dry_run import stage_costs

    typer.echo(config.model_dump_json(indent=2))
    costs = stage_costs(fabric, config, pack_zones(atlas))
    for number, (stage, cost) in enumerate(zip(config.stages, costs, strict=True)):
        memory = "" if cost.peak_gib is None else f", {cost.peak_gib} GiB"
        typer.echo(
            f"stage {number}: {stage.steps} steps of {stage.batch} patches of {stage.patch} px, "
            f"{cost.seconds_per_step} s each, {cost.hours} h{memory}; "
            f"generator {cost.generator / 1e6:.2f} M, critic {cost.critic / 1e6:.2f} M parameters"
        )
    on_top = f"up to {config.cache_gib:g} GiB of decoded faces and masks in memory on top"
    typer.echo(f"faces are prepared at {config.face_size} px; {on_top}")
    typer.echo(f"in all {config.steps} steps, {sum(cost.hours for cost in costs):.1f} h on this machine")
