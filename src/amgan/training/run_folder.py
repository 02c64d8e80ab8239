"""What a run may be: its folder, its config when it goes on, its batches on so many processes."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amgan.data.table import Row
from amgan.errors import ConfigError, OutputError, in_one_line
from amgan.faces.output import write_whole
from amgan.signs.atlas import Atlas
from amgan.training.checkpoint import has_checkpoint
from amgan.training.config import TrainConfig
from amgan.training.config_file import ATLAS_DIGEST

# Where it is written down which faces a run began with.
ROWS = "data.json"
# A run that goes on with another of these is another run.
FIXED_KEYS = (
    "data",
    "licences",
    "atlas",
    "start",
    "judge_share",
    "estimators",
    "seed",
    "generator",
    "critic",
    "betas",
)


def check_folder(config: TrainConfig, atlas: Atlas, out: Path, resume: bool) -> list[str]:
    """Refuses a folder that holds a run, or another run than the one to go on with.

    Args:
        config: The run.
        atlas: Its signs and zones.
        out: Its folder; only read.
        resume: Whether it goes on.

    Returns:
        What else has changed in the config, in one line a key.

    Raises:
        OutputError: It holds a run already and `resume` is false.
        ConfigError: Networks, optimisers, data, licences, signs or seed differ from those the run began with, or what
            it began with cannot be read.
    """
    if has_checkpoint(out) and not resume:
        raise OutputError(f"{out}: holds a run already; add --resume to go on with it, or choose another --out")
    path = out / "config.json"
    if not resume or not path.is_file():
        return []
    content, before = config.model_dump(mode="json"), _config_before(path)
    changed = [key for key in content if before.get(key, content[key]) != content[key]]
    fixed = {key for key in changed if key in FIXED_KEYS}
    if "data" in fixed and Path(before["data"]).resolve() == config.data.resolve():
        fixed -= {"data"}
    if ATLAS_DIGEST in before:  # not so in older runs, of which the atlas's path is all that is known
        fixed -= {"atlas"}
        fixed |= {"atlas"} if before[ATLAS_DIGEST] != _digest(atlas) else set()
    if fixed:
        raise ConfigError(f"{out}: the run began with another {', '.join(sorted(fixed))}; choose another --out")
    return [f"changed since the run began: {key}: {before.get(key)} -> {content[key]}" for key in changed]


def record_config(config: TrainConfig, atlas: Atlas, out: Path) -> None:
    """Writes the config and a digest of the atlas into the run's folder, which is made.

    Raises:
        OutputError: They cannot be written.
    """
    content = config.model_dump(mode="json") | {ATLAS_DIGEST: _digest(atlas)}
    write_whole(out / "config.json", json.dumps(content, indent=2))


def _config_before(path: Path) -> dict[str, Any]:
    """What `record_config` wrote; what older code did not know is what it did."""
    try:
        before = json.loads(path.read_text(encoding="utf-8"))
        stages = [{"accumulate": 1, **stage} for stage in before["stages"]]
        return {"estimators": "ridge", "licences": [], **before, "stages": stages}
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(f"{path}: damaged ({in_one_line(error)}); delete it and resume again") from error


def _digest(atlas: Atlas) -> str:
    return hashlib.sha256(json.dumps(atlas.model_dump(mode="json")).encode()).hexdigest()


def check_rows(rows: Sequence[Row], out: Path, resume: bool) -> None:
    """Refuses to go on with other faces or other grades than a run began with, and writes down which those were.

    Args:
        rows: The faces that are learned from, found in their photos or not.
        out: The run's folder.
        resume: Whether it goes on; one of before this was written down is believed.

    Raises:
        ConfigError: They are others.
        OutputError: They cannot be written down.
    """
    path, digest = out / ROWS, hashlib.sha256(json.dumps([_content(row) for row in rows]).encode()).hexdigest()
    if resume and path.is_file():
        try:
            before = json.loads(path.read_text(encoding="utf-8"))
            count, same = int(before["faces"]), before["sha256"] == digest
        except (ValueError, KeyError, TypeError) as error:
            raise ConfigError(f"{path}: damaged ({in_one_line(error)}); delete it and resume again") from error
        if not same:
            now = f"{count} faces then and {len(rows)} now, or other grades, estimates or splits"
            raise ConfigError(f"{out}: the data is no more what the run began with ({now}); choose another --out")
    write_whole(path, json.dumps({"faces": len(rows), "sha256": digest}))


def _content(row: Row) -> list[object]:
    """What a run learns of a face, wherever it lies."""
    estimates = [[zone, *found] for zone, found in sorted(row.estimates.items())]
    grades = [row.age, *sorted(row.scores.items()), *sorted(row.right.items()), *sorted(row.occluded)]
    group = [row.sex, row.population]  # who gives lines to whom, and how faces of whom change with age
    return [row.name, row.identity, row.split, *group, grades, estimates, row.aligned and row.aligned.digest]


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
