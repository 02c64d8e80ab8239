"""The training loop: prepare the faces, teach the map head, then step generator and critic through the stages."""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TextIO

import cv2
import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from rich.progress import track

from amgan.data.store import Store, licence_notice, prepare
from amgan.data.table import Row, held_for_judges
from amgan.errors import ConfigError, OutputError
from amgan.maps.kinds import count_channels
from amgan.maps.packing import pack_zones
from amgan.models.bundle import load_bundle, save_bundle
from amgan.models.critic import FeatureCritic
from amgan.models.estimator_kinds import new_estimators
from amgan.models.generator import Generator
from amgan.signs.atlas import Atlas
from amgan.training.batches import open_batches
from amgan.training.checkpoint import NAME, load_checkpoint, save_checkpoint
from amgan.training.config import TrainConfig, start_folder
from amgan.training.estimating import fit_estimators, zone_scores
from amgan.training.sheets import sample_sheet
from amgan.training.step import Networks, map_head_step, train_step

console = Console()

# A run that goes on with another of these is another run.
FIXED_KEYS = ("data", "atlas", "start", "judge_share", "estimators", "seed", "generator", "critic")

# An aligned picture (S, S, 3) uint8 and its landmarks (478, 2).
Face = tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]


def train(config: TrainConfig, out: Path, resume: bool, atlas: Atlas) -> Path:
    """Trains from a config and writes everything into a run folder.

    Args:
        config: The whole run.
        out: Run folder: ``checkpoint.pt``, ``stats.jsonl``, ``sheets/``, and at the end ``model/``.
        resume: Go on from the newest checkpoint of `out`.
        atlas: Signs and zones.

    Returns:
        Folder of the finished model.

    Raises:
        OutputError: `out` holds a run already and `resume` is false.
        DatasetError: The data is unusable.
        ConfigError: The run to resume began with other networks, data or seed.
    """
    if (out / NAME).exists() and not resume:
        raise OutputError(f"{out}: holds a run already; add --resume to go on with it, or choose another --out")
    out.mkdir(parents=True, exist_ok=True)
    _record_config(config, out / "config.json", resume)

    # The prepared faces serve every run on the same data, so they lie beside the run folders.
    store = prepare(config.data, out.parent / "prepared", atlas, _bar, config.face_size, config.images)
    if store.left_out:
        console.print(f"left out, no usable face: {', '.join(store.left_out)}", highlight=False)
    if enlarged := store.enlarged():
        console.print(enlarged, highlight=False)
    rows = store.subset(lambda row: row.split == "train" and not held_for_judges(row, config.judge_share))
    estimators = new_estimators(config.estimators, atlas)
    reports = fit_estimators(store, estimators, rows, _feature_bar, _network_bar)
    errors = {name: report.error for name, report in reports.items()}
    console.print(f"{len(rows)} faces; estimators' cross-validated error: {_short(errors)}")
    scores, ages = zone_scores(store, estimators)
    channels = pack_zones(atlas)

    # Here, since what happens before draws on the same generator only when the store is new.
    torch.manual_seed(config.seed)
    nets = Networks(config, count_channels(config.generator.maps, channels))
    done = load_checkpoint(out, nets) if resume else 0
    if config.start is not None and not resume:
        nets.start_from(_finished(config.start, channels))
    sheet_faces = [(store.images[i], store.landmarks[i]) for i in _sheet_rows(store)]
    stats_file = _reopened_stats(out / "stats.jsonl", done)

    mean: dict[str, float] = {}
    clock = time.monotonic()
    total = config.steps
    steps = range(done, total)
    with open_batches(config, store, atlas, rows, scores, ages, steps) as batches:
        for step, batch in batches:
            whole, left = config.stage_at(step)
            learning_map = left > 1
            stage = whole.at(step)
            random = torch.Generator().manual_seed(config.seed * 1_000_003 + step)

            if learning_map:
                if not isinstance(nets.critic, FeatureCritic):
                    continue
                rate = 1.0 if (left - 1) * whole.steps > 0.2 * whole.map_head_steps else 0.3
                stats = map_head_step(nets, batch, stage, random, rate)
            else:
                nets.grow_to(stage.stem or 1)
                nets.set_rates(stage, left)
                stats = train_step(nets, batch, stage, step, random)
            mean |= {key: 0.95 * mean.get(key, value) + 0.05 * value for key, value in stats.items()}

            if (step + 1) % 20 == 0:
                seconds = (time.monotonic() - clock) / 20
                clock = time.monotonic()
                stats_file.write(json.dumps({"step": step + 1, "seconds_per_step": round(seconds, 3), **mean}) + "\n")
                stats_file.flush()
                left_hours = (total - step - 1) * seconds / 3600
                line = f"step {step + 1}/{total}  {seconds:.2f} s  {left_hours:.1f} h left  {_short(mean)}"
                console.print(line, highlight=False, soft_wrap=True)
            if (step + 1) % config.checkpoint_every == 0 or step + 1 == total:
                save_checkpoint(out, nets, step + 1)
            if (step + 1) % config.sheet_every == 0 and not learning_map and sheet_faces:
                _sheet(nets, atlas, channels, sheet_faces, whole.image_size, out / "sheets" / f"{step + 1:06d}.png")
    stats_file.close()
    notice = licence_notice(store, rows)
    size = config.stages[-1].image_size
    return save_bundle(out / "model", nets.ema, estimators, atlas, channels, notice, size, config.judge_share)


def _finished(start: str | Path, channels: tuple[int, ...]) -> Generator:
    """The generator of a finished model whose signs are those of this run.

    Raises:
        ConfigError: Its aging map has other zones or channels.
        WeightsError: There is no such model.
    """
    bundle = load_bundle(start_folder(start))
    if bundle.channels != channels or not isinstance(bundle.generator, Generator):
        raise ConfigError(f"start: {start}: an ONNX file, or a model of other signs; give the folder of one of these")
    return bundle.generator


def _record_config(config: TrainConfig, path: Path, resume: bool) -> None:
    """Writes the config beside the run; when resuming, refuses what would make it another run and names the rest.

    Raises:
        ConfigError: Networks, data, seed or the map head's lessons differ from those the run began with.
    """
    content = config.model_dump(mode="json")
    before = json.loads(path.read_text()) if resume and path.is_file() else content
    before.setdefault("estimators", "ridge")  # the only kind when older runs began
    changed = [key for key in content if before.get(key) != content[key]]
    fixed = [key for key in changed if key in FIXED_KEYS]
    if fixed:
        raise ConfigError(f"{path.parent}: the run began with another {', '.join(fixed)}; choose another --out")
    for key in changed:
        console.print(f"changed since the run began: {key}: {before.get(key)} -> {content[key]}", highlight=False)
    path.write_text(json.dumps(content, indent=2))


def _reopened_stats(path: Path, done: int) -> TextIO:
    """The stats file, without the lines of steps that will be made again."""
    lines = path.read_text(encoding="utf-8").splitlines() if path.is_file() else []
    path.write_text("".join(f"{line}\n" for line in lines if json.loads(line)["step"] <= done), encoding="utf-8")
    return path.open("a", encoding="utf-8")


def _sheet_rows(store: Store, count: int = 4) -> list[int]:
    """Validation faces spread over age."""
    rows = [i for i in store.subset(lambda row: row.split == "val") if not np.isnan(store.rows[i].age)]
    rows.sort(key=lambda i: store.rows[i].age)
    return [int(rows[round(k * (len(rows) - 1) / (count - 1))]) for k in range(count)] if rows else []


def _sheet(nets: Networks, atlas: Atlas, channels: tuple[int, ...], faces: list[Face], size: int, path: Path) -> None:
    small_faces = []
    for rgb, landmarks in faces:
        factor = size / rgb.shape[0]
        small = rgb if factor == 1 else cv2.resize(rgb, (size, size), interpolation=cv2.INTER_AREA)
        small_faces.append((np.asarray(small, np.uint8), (landmarks + 0.5) * factor - 0.5))
    sample_sheet(nets.ema, atlas, channels, small_faces, path)


def _bar(rows: Iterable[Row]) -> Iterable[Row]:
    return track(list(rows), description="preparing faces", console=console)


def _feature_bar(faces: Iterable[int]) -> Iterable[int]:
    return track(list(faces), description="features of the zones", console=console)


def _network_bar(epochs: Iterable[int]) -> Iterable[int]:
    return track(list(epochs), description="networks of the signs", console=console)


def _short(values: dict[str, float]) -> str:
    return "  ".join(f"{key} {value:.3g}" for key, value in values.items())
