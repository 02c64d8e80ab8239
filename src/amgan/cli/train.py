"""`amgan train`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def train_command(
    config: Annotated[Path, typer.Argument(metavar="CONFIG.yaml", help="Everything about the run, in one file.")],
    data: Annotated[
        Path | None, typer.Option(help="Folder of `amgan curate`, or of faces.csv and its photos; else the config's.")
    ] = None,
    out: Annotated[Path, typer.Option(help="Run folder; keep it outside the repository.")] = Path("../runs/default"),
    resume: Annotated[bool, typer.Option("--resume", help="Go on from the newest checkpoint of --out.")] = False,
    settings: Annotated[
        list[str] | None, typer.Option("--set", metavar="KEY=VALUE", help="Override a config key: weights.age=50.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the settings and sizes, and stop.")] = False,
) -> None:
    """Train a model on scored faces; Ctrl-C loses at most the steps since the last checkpoint."""
    from amgan.training.config import load_config

    loaded = load_config(config, settings, data)
    if dry_run:
        from amgan.models.generator import Generator

        parameters = sum(p.numel() for p in Generator(loaded.generator).parameters())
        typer.echo(loaded.model_dump_json(indent=2))
        typer.echo(f"generator: {parameters / 1e6:.2f} M parameters, {loaded.steps} steps")
        return
    from amgan.signs.atlas import load_atlas, unit_atlas
    from amgan.training.loop import train

    atlas = unit_atlas() if loaded.atlas is None else load_atlas(loaded.atlas)
    typer.echo(f"model written to {train(loaded, out, resume, atlas)}")
