"""One training step of generator and critic. Pure of files, clocks and printing.

Every gradient of a step is made before any network moves. So a batch may be cut into parts, over processes and over
passes (`amgan.training.draws`), and what is learned is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import torch
from torch import Tensor

from amgan.data.patches import Batch
from amgan.models.critic import ChangeCritic, FeatureCritic
from amgan.training.config import Stage
from amgan.training.draws import Draws, Part
from amgan.training.gradients import (
    conv_critic_gradients,
    feature_critic_gradients,
    generator_gradients,
    made_patches,
    map_head_gradients,
)
from amgan.training.networks import Networks
from amgan.training.pair_gradients import change_critic_gradients, pair_gradients
from amgan.training.parallel import average_gradients, clip_gradients, step_all
from amgan.training.passes import Pass, Stats

if TYPE_CHECKING:
    from lightning_fabric import Fabric


def train_step(
    fabric: Fabric,
    nets: Networks,
    batch: Batch,
    stage: Stage,
    step: int,
    critic_alone: bool = False,
    unjudged: bool = False,
) -> Stats:
    """Steps generator and critic once on one batch.

    Args:
        fabric: The processes; each calls this with the same networks.
        nets: Networks and optimisers on the process's device; changed in place.
        batch: The process's own patches and maps, ``Part(rank, processes)`` of the step's batch.
        stage: Sizes in force, of the whole batch.
        step: Its number, which with the config's seed gives all randomness.
        critic_alone: Whether the generator stands still.
        unjudged: Whether the critic does, and grafts alone teach the generator ("change" only).

    Returns:
        Every loss by name, of the process's own patches; the mean over the processes is that of the batch.
    """
    map_head = nets.map_head_due(step)
    optimisers = [nets.critic_optimiser] if critic_alone else [nets.generator_optimiser, nets.critic_optimiser]
    if unjudged:
        optimisers = [nets.generator_optimiser]
    if map_head:
        nets.set_map_rates(nets.config.map_head_rate)
        optimisers.append(nets.map_optimiser)

    def gradients(given: Pass) -> Stats:
        if isinstance(nets.critic, ChangeCritic):
            if critic_alone:
                return change_critic_gradients(given, made_patches(given).image)
            return pair_gradients(given, not unjudged)
        stats, made = ({}, made_patches(given)) if critic_alone else generator_gradients(given)
        if not isinstance(nets.critic, FeatureCritic):
            return stats | conv_critic_gradients(given, made)
        stats |= feature_critic_gradients(given, made)
        return stats | map_head_gradients(given, made.image) if map_head else stats

    stats = _step(fabric, nets, batch, stage, step, optimisers, gradients)
    if not critic_alone:
        nets.update_ema(stage.batch)
    return stats


def map_head_step(fabric: Fabric, nets: Networks, batch: Batch, stage: Stage, step: int, rate: float) -> Stats:
    """Teaches the feature critic's map head alone, on real patches.

    Args:
        fabric: As for `train_step`.
        nets: Networks; only the map head is changed.
        batch: As for `train_step`.
        stage: Gives the sizes the head sees.
        step: As for `train_step`.
        rate: Factor on the head's learning rates.

    Returns:
        As `train_step`.
    """
    nets.set_map_rates(rate)
    return _step(fabric, nets, batch, stage, step, [nets.map_optimiser], map_head_gradients)


def _step(
    fabric: Fabric,
    nets: Networks,
    batch: Batch,
    stage: Stage,
    step: int,
    optimisers: list[torch.optim.Adam],
    gradients: Callable[[Pass], Stats],
) -> Stats:
    """Steps some optimisers with the gradients of the whole batch; returns the means of what the own passes do."""
    config, passes, processes = nets.config, stage.accumulate, fabric.world_size
    wanted = config.weights.cycle or config.weights.cycle_pixel
    cycled = max(round(config.cycle_share * stage.batch), 1) if wanted else 0
    parameters = [each for optimiser in optimisers for group in optimiser.param_groups for each in group["params"]]
    _take_gradients(parameters)  # those of the last step go before anything is computed
    means: Stats = {}
    for number in range(passes):
        # A pass by itself, and then added to those before: a pass goes backward more than once, and sums in another
        # order than that of a process a part would differ by a rounding.
        before = _take_gradients(parameters)
        of_own = Part(number, passes).of(batch, fabric.device)
        part = Part(fabric.global_rank + processes * number, processes * passes)
        draws = Draws(config.seed, step, stage.batch, part, fabric.device)
        found = gradients(Pass(fabric, nets, stage, of_own, cycled, part, draws, step))
        for name, value in found.items():
            means[name] = means[name] + value / passes if name in means else value / passes
        for each, grad in zip(parameters, before, strict=True):
            if grad is not None:
                each.grad = grad if each.grad is None else grad + each.grad
    for each in parameters:
        # What none of these patches asked for is no reason to stand still: another process's may have.
        each.grad = torch.zeros_like(each) if each.grad is None else each.grad
    average_gradients(fabric, optimisers)
    if config.clip and nets.generator_optimiser in optimisers:
        means["g_norm"] = clip_gradients(fabric, nets.generator_optimiser, config.clip)
    step_all(fabric, optimisers)
    return means


def _take_gradients(parameters: Sequence[Tensor]) -> list[Tensor | None]:
    """Takes their gradients away from some parameters."""
    taken = [each.grad for each in parameters]
    for each in parameters:
        each.grad = None
    return taken
