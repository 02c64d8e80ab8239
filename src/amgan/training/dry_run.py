"""What a run will cost on this machine, found by making a step of each stage on random patches."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import torch

from amgan.data.patches import Batch
from amgan.maps.kinds import count_channels
from amgan.training.config import Stage, TrainConfig
from amgan.training.networks import Networks
from amgan.training.step import map_head_step, train_step

if TYPE_CHECKING:
    from lightning_fabric import Fabric


@dataclass(frozen=True)
class StageCost:
    """Cost of one stage.

    Attributes:
        generator: Parameters of the generator in this stage.
        critic: Parameters of the critic.
        seconds_per_step: Mean over the stage's own steps, without those of the map head alone.
        hours: Of the whole stage, the map head's own steps included; loading data comes on top.
        peak_gib: Most memory that this process had held when the stage's step was done, the faces not
            among it; None on Windows, which has no such count.
    """

    generator: int
    critic: int
    seconds_per_step: float
    hours: float
    peak_gib: float | None


def stage_costs(fabric: Fabric, config: TrainConfig, channels: tuple[int, ...]) -> list[StageCost]:
    """Makes two steps of every kind that a stage has, of which the second counts, on random patches.

    Args:
        fabric: One process, which does the whole batch.
        config: The run.
        channels: The channel of each zone.
    """
    maps = count_channels(config.generator.maps, channels)
    nets, costs = Networks(config, maps).put_on(fabric.device), []
    for stage in config.stages:
        nets.grow_to(stage.stem or 1)
        batch = random_batch(stage, maps, nets.generator.config.location_channels or 2)
        alone = own = 0.0
        if stage.map_head_steps:
            alone = stage.map_head_steps * _second(partial(map_head_step, fabric, nets, batch, stage, 0, 1.0))
        for kind, count in Counter(_kind(stage, step, nets) for step in range(stage.steps)).items():
            own += count * _second(partial(train_step, fabric, nets, batch, stage, *kind))
        sizes = [sum(p.numel() for p in net.parameters()) for net in (nets.generator, nets.critic)]
        hours = round((alone + own) / 3600, 2)
        costs.append(StageCost(sizes[0], sizes[1], round(own / stage.steps, 3), hours, _peak_gib()))
    return costs


def _kind(stage: Stage, step: int, nets: Networks) -> tuple[int, bool, bool]:
    """What a step of a stage costs goes by, as `train_step` takes it: a number, 0 or 1, and the phases.

    Steps of half the size have four times as many patches, and cost as much.
    """
    # Some things are due at some steps alone; at the first one all of them are.
    due = nets.map_head_due(step) or nets.penalty_due(step)
    return int(not due), step < stage.critic_alone, step < stage.unjudged


def random_batch(stage: Stage, map_channels: int, locations: int = 2) -> Batch:
    """Patches of noise with so many maps, as many and as large as a step of this stage has."""
    count, patch = stage.batch, stage.patch

    def some(channels: int) -> torch.Tensor:
        return torch.rand(count, channels, patch, patch, generator=torch.Generator().manual_seed(0))

    image = (some(3) * 2 - 1).contiguous(memory_format=torch.channels_last)
    location = some(locations) * 2 - 1
    # Half of them are asked for less and half for more, as in training: each takes work of its own.
    by = torch.linspace(-1, 1, count)[:, None, None, None]
    source = some(map_channels)
    maps = source, (source + by).clamp(0, 1)
    wanted = image.flip(0)
    masks = some(1), some(1), some(1)
    return Batch(image, *maps, location, *masks, location[:, :2].mean(dim=(2, 3)), wanted, some(1))


def _second(work: Callable[[], object]) -> float:
    """Seconds that something takes the second time, since the first one warms up."""
    seconds = 0.0
    for _ in range(2):
        start = time.perf_counter()
        work()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
        seconds = time.perf_counter() - start
    return seconds


def _peak_gib() -> float | None:
    if sys.platform == "win32":
        return None
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # In bytes there, in KiB here.
    return round(peak / 2**30 if sys.platform == "darwin" else peak / 2**20, 2)
