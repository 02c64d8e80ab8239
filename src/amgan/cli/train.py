"""`amgan train`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from amgan.signs.atlas import Atlas
    from amgan.training.config import TrainConfig


def train_command(
    config: Annotated[
        str,
        typer.Argument(
            metavar="CONFIG",
            help="Everything about the run: a YAML, or a preset: default, paper-128, paper-256, paper-512, "
            "paper-512-of-2048, no-aging-maps-256, no-location-maps-128, age-only-256.",
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
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Print settings, sizes, memory and time, from a step made here."),
    ] = False,
) -> None:
    """Train a model on scored faces; Ctrl-C loses at most the steps since the last checkpoint."""
    from amgan.signs.atlas import load_atlas, unit_atlas
    from amgan.training.config import config_path, load_config

    loaded = load_config(config_path(config), settings, data)
    atlas = unit_atlas() if loaded.atlas is None else load_atlas(loaded.atlas)
    if dry_run:
        _print_costs(loaded, atlas)
        return
    from amgan.training.loop import train

    typer.echo(f"model written to {train(loaded, out, resume, atlas)}")


def _print_costs(config: TrainConfig, atlas: Atlas) -> None:
    """Settings, and what each stage will take, as a few lines to read."""
    from amgan.maps.packing import pack_zones
    from amgan.training.dry_run import stage_costs

    typer.echo(config.model_dump_json(indent=2))
    costs = stage_costs(config, pack_zones(atlas))
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
