"""What a run may be: its folder, its config when it goes on, its batches on so many processes."""

from __future__ import annotations

import json
from pathlib import Path

from amgan.errors import ConfigError, OutputError
from amgan.training.checkpoint import has_checkpoint
from amgan.training.config import TrainConfig

# A run that goes on with another of these is another run.
FIXED_KEYS = ("data", "atlas", "start", "judge_share", "estimators", "seed", "generator", "critic")


def check_folder(config: TrainConfig, out: Path, resume: bool) -> list[str]:
    """Refuses a folder that holds a run, or another run than the one to go on with.

    Args:
        config: The run.
        out: Its folder; only read.
        resume: Whether it goes on.

    Returns:
        What else has changed in the config, in one line a key.

    Raises:
        OutputError: It holds a run already and `resume` is false.
        ConfigError: Networks, data or seed differ from those the run began with.
    """
    if has_checkpoint(out) and not resume:
        raise OutputError(f"{out}: holds a run already; add --resume to go on with it, or choose another --out")
    path = out / "config.json"
    if not resume or not path.is_file():
        return []
    content, before = config.model_dump(mode="json"), json.loads(path.read_text())
    # The only ways when older runs began.
    before = {"estimators": "ridge", **before, "stages": [{"accumulate": 1, **stage} for stage in before["stages"]]}
    changed = [key for key in content if before.get(key, content[key]) != content[key]]
    fixed = [key for key in changed if key in FIXED_KEYS]
    if fixed:
        raise ConfigError(f"{out}: the run began with another {', '.join(fixed)}; choose another --out")
    return [f"changed since the run began: {key}: {before.get(key)} -> {content[key]}" for key in changed]


def record_config(config: TrainConfig, out: Path) -> None:
    """Writes the config into the run's folder, which is made."""
    out.mkdir(parents=True, exist_ok=True)
    aside = out / "config.json.part"
    aside.write_text(json.dumps(config.model_dump(mode="json"), indent=2))
    aside.replace(out / "config.json")


def check_shares(config: TrainConfig, processes: int) -> None:
    """Refuses batches that cannot be cut into equal parts.

    Raises:
        ConfigError: Names the stage and the batches that would do.
    """
    for index, stage in enumerate(config.stages):
        parts = processes * stage.accumulate
        if stage.batch % parts:
            more = -(-stage.batch // parts) * parts
            fitting = f"{more - parts} or {more}" if more > parts else f"{more}"
            raise ConfigError(
                f"stages.{index}: a batch of {stage.batch} cannot be shared evenly by {processes} processes in "
                f"{stage.accumulate} passes each; take {fitting}: --set stages.{index}.batch={more}"
            )
