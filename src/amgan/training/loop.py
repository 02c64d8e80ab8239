"""The training loop: prepare the faces, teach the map head, then step generator and critic through the stages.

The same loop runs in every process of a run (`amgan.training.parallel`). The first alone prints, and writes into the
run folder.
"""

from __future__ import annotations

import contextlib
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from rich.console import Console

from amgan.data.dataset import read_rows
from amgan.data.store import licence_notice
from amgan.errors import ConfigError
from amgan.maps.kinds import count_channels
from amgan.maps.packing import pack_zones
from amgan.models.bundle import load_bundle, load_bundle_schema, save_bundle
from amgan.models.generator import Generator
from amgan.signs.atlas import Atlas
from amgan.training.checkpoint import read_checkpoint, restore, save_checkpoint
from amgan.training.config import TrainConfig, start_folder
from amgan.training.faces import TrainingFaces
from amgan.training.fit_trends import is_taught
from amgan.training.networks import Networks
from amgan.training.parallel import (
    ALONE,
    Machines,
    losing_no_process,
    mean_over_processes,
    node_by_node,
    start_fabric,
)
from amgan.training.run_folder import check_folder, check_rows, check_shares, record_config
from amgan.training.sheets import sample_sheet
from amgan.training.statistics import Means, Statistics
from amgan.training.step import map_head_step, train_step

if TYPE_CHECKING:
    from lightning_fabric import Fabric

console = Console()


@dataclass
class _Run:
    """A run in one of its processes.

    Attributes:
        config: All of it.
        out: Its folder.
        fabric: Its processes.
        made: Steps behind it.
        saved: Steps behind its last checkpoint.
    """

    config: TrainConfig
    out: Path
    fabric: Fabric
    made: int = 0
    saved: int = 0

    @property
    def first(self) -> bool:
        """Whether this process is the one that prints and writes."""
        return self.fabric.is_global_zero

    def say(self, line: str) -> None:
        """Prints a line, in the first process alone."""
        if self.first:
            console.print(line, highlight=False, markup=False, soft_wrap=True)

    def how_to_go_on(self) -> str:
        """For who reads the last line."""
        if not self.saved:
            return "there is no checkpoint yet: give the same command to start again"
        return f"the same command with --resume goes on from step {self.saved}"


def train(
    config: TrainConfig,
    out: Path,
    resume: bool,
    atlas: Atlas,
    machines: Machines = ALONE,
    tensorboard: bool = False,
) -> Path:
    """Trains from a config and writes everything into a run folder.

    Args:
        config: The whole run.
        out: Run folder: ``checkpoint.pt``, ``stats.jsonl``, ``sheets/``, and at the end ``model/``.
        resume: Go on from the newest checkpoint of `out`.
        atlas: Signs and zones.
        machines: Where it takes place.
        tensorboard: Whether the statistics go to ``tensorboard/`` too.

    Returns:
        Folder of the finished model.

    Raises:
        OutputError: `out` holds a run already and `resume` is false.
        DatasetError: The data is unusable.
        ConfigError: The run to resume began with other networks, data, signs or seed, `TrainConfig.start` is a model
            of other signs, or the processes cannot share a batch.
        WeightsError: There is no checkpoint to resume, or no such model to start from.
        MissingExtraError: A package that the networks or TensorBoard want is not installed.
        EngineError: Another process of the run was lost.
        KeyboardInterrupt: Ctrl-C; its text says how to go on.
    """
    changed = check_folder(config, atlas, out, resume)
    check_shares(config, machines.processes)
    run = _Run(config, out, start_fabric(config.precision, machines))
    for line in changed:
        run.say(line)
    try:
        with losing_no_process(run.fabric, run.how_to_go_on):
            return _train(run, resume, atlas, tensorboard)
    except KeyboardInterrupt:
        if not run.first:
            raise SystemExit(130) from None
        raise KeyboardInterrupt(f"stopped after step {run.made}; {run.how_to_go_on()}") from None


def _train(run: _Run, resume: bool, atlas: Atlas, tensorboard: bool) -> Path:
    config, out, fabric = run.config, run.out, run.fabric
    # First what is made in seconds and may fail, then the faces, which may take hours.
    nets = _networks(run, resume, atlas)
    taught = [row for row in read_rows(config.data, atlas) if is_taught(row, config.judge_share, config.licences)]
    if run.first:
        check_rows(taught, out, resume)
        record_config(config, atlas, out)
    if fabric.world_size > 1:
        run.say(f"{fabric.world_size} processes, on {fabric.device.type}")
    with contextlib.ExitStack() as stack:
        statistics = stack.enter_context(Statistics(out, run.made, tensorboard)) if run.first else None
        # The prepared faces serve every run on the same data, so they lie beside the run folders.
        shown = console if run.first else None
        faces = node_by_node(fabric, lambda: TrainingFaces(config, out.parent / "prepared", atlas, run.say, shown))
        # Another kind of processor may find others in the last digit.
        faces.scores = fabric.broadcast(faces.scores)
        # So may what is chosen by them.
        faces.patterns = fabric.broadcast(faces.patterns)
        if not run.made and config.start is None and faces.patterns is not None:
            nets.remember(faces.patterns)
        _steps(run, nets, faces, statistics)
    model = out / "model"
    if run.first:
        notice, judge_share = licence_notice(faces.store, faces.rows), config.judge_share
        if config.start is not None:
            began = load_bundle_schema(start_folder(config.start))
            notice += f" Began as the model {config.start}: {began.notice}"
            # Faces that the first model learned from are no judges'.
            judge_share = min(judge_share, began.judge_share)
        size = config.stages[-1].image_size
        trends = faces.trends() if nets.ema.config.follows_trends else None
        save_bundle(model, nets.ema, faces.estimators, atlas, faces.channels, notice, size, judge_share, trends)
        run.say(f"model written to {model}")
    return model


def _networks(run: _Run, resume: bool, atlas: Atlas) -> Networks:
    """Networks as the run's first step, or the next one, finds them."""
    config, fabric, channels = run.config, run.fabric, pack_zones(atlas)
    torch.manual_seed(config.seed)
    nets = Networks(config, count_channels(config.generator.maps, channels)).put_on(fabric.device)
    if resume:
        state = fabric.broadcast(read_checkpoint(run.out, run.say) if run.first else {})
        run.made = run.saved = restore(nets, state, fabric)
    elif config.start is not None:
        nets.start_from(_finished(config.start, atlas, channels))
    return nets


def _steps(run: _Run, nets: Networks, faces: TrainingFaces, statistics: Statistics | None) -> None:
    """The steps that are left."""
    config, fabric, total = run.config, run.fabric, run.config.steps
    means, since, clock = Means(), run.made, time.monotonic()
    own = slice(fabric.global_rank, None, fabric.world_size)
    with faces.batches(range(run.made, total), own) as batches:
        for step, batch in batches:
            whole, left = config.stage_at(step)
            stage, learning_map = whole.at(step), left > 1
            if learning_map:
                rate = 1.0 if (left - 1) * whole.steps > 0.2 * whole.map_head_steps else 0.3
                means.add(map_head_step(fabric, nets, batch, stage, step, rate))
            else:
                nets.grow_to(stage.stem or 1)
                nets.set_rates(stage, left)
                behind = round((1 - left) * whole.steps)
                alone, unjudged = behind < whole.critic_alone, behind < whole.unjudged
                means.add(train_step(fabric, nets, batch, stage, step, alone, unjudged))
            run.made = step + 1

            if run.made % config.log_every == 0:
                found = mean_over_processes(fabric, means.take())
                seconds = (time.monotonic() - clock) / (run.made - since)
                since, clock = run.made, time.monotonic()
                if statistics is not None:
                    statistics.write(run.made, seconds, found)
                hours = (total - run.made) * seconds / 3600
                losses = "  ".join(f"{name} {value:.3g}" for name, value in found.items())
                run.say(f"step {run.made}/{total}  {seconds:.2f} s  {hours:.1f} h left  {losses}")
            if not run.first:
                continue
            if run.made % config.checkpoint_every == 0 or run.made == total:
                save_checkpoint(run.out, nets, run.made, fabric)
                run.saved = run.made
            if run.made % config.sheet_every == 0 and not learning_map and (shown := faces.to_show(whole.image_size)):
                sheet = run.out / "sheets" / f"{run.made:06d}.png"
                sample_sheet(nets.ema.eval(), faces.atlas, faces.channels, shown, sheet, config.restrained)


def _finished(start: str | Path, atlas: Atlas, channels: tuple[int, ...]) -> Generator:
    """The generator of a finished model whose signs are those of this run.

    Raises:
        ConfigError: Its aging map has other zones or channels, or it is an ONNX file.
        WeightsError: There is no such model.
    """
    bundle = load_bundle(start_folder(start))
    if not isinstance(bundle.generator, Generator):
        raise ConfigError(f"start: {start}: an ONNX file, which cannot learn; give a model's folder")
    if (bundle.atlas.zones, bundle.channels) != (atlas.zones, channels):
        raise ConfigError(f"start: {start}: a model of other signs; give one of these, or its atlas as `atlas`")
    return bundle.generator
