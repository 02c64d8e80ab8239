"""One process or many: Lightning Fabric starts them, gives each its device and number format, and joins them.

Every process holds the same networks and works on its own part of each batch (`amgan.training.draws`). Gradients are
averaged by one explicit call a step: the step uses parts of the networks by themselves, which the hooks of PyTorch's
DistributedDataParallel would miss.
"""

from __future__ import annotations

import datetime
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeVar

import torch
from torch import Tensor

from amgan.errors import ConfigError, EngineError, MissingExtraError, in_one_line
from amgan.models.precision import TrainingPrecision, has_fast_bf16

if TYPE_CHECKING:
    from lightning_fabric import Fabric

T = TypeVar("T")
Accelerator = Literal["auto", "cpu", "gpu"]

# Preparing a large set takes hours, in which the other processes wait. Of one that dies they learn sooner: from the
# broken connection, or from what launched them.
PATIENCE = datetime.timedelta(hours=24)


@dataclass(frozen=True)
class Machines:
    """Where a run takes place.

    Attributes:
        accelerator: "gpu" is CUDA's; "auto" takes one if there is any.
        devices: Processes on each machine, one a GPU.
        nodes: Machines.
    """

    accelerator: Accelerator = "auto"
    devices: int = 1
    nodes: int = 1

    @property
    def processes(self) -> int:
        """In all; what torchrun says goes before `devices` and `nodes`."""
        devices, nodes = _launched() or (self.devices, self.nodes)
        return devices * nodes

    @property
    def on_gpu(self) -> bool:
        """Whether the networks are put on GPUs."""
        return self.accelerator == "gpu" or (self.accelerator == "auto" and torch.cuda.is_available())


ALONE = Machines()


def start_fabric(precision: TrainingPrecision, machines: Machines = ALONE) -> Fabric:
    """Starts the processes of a run, or joins those that a launcher such as torchrun has started.

    Args:
        precision: Number format of the networks.
        machines: Where; what torchrun says goes before its devices and nodes.

    Raises:
        MissingExtraError: lightning-fabric is not installed.
        ConfigError: There are not as many GPUs, or they do not compute in this format.
        EngineError: The processes do not find each other.
    """
    try:
        from lightning_fabric import Fabric
        from lightning_fabric.strategies.ddp import DDPStrategy
    except ModuleNotFoundError as error:
        raise MissingExtraError("training needs lightning-fabric; pip install 'amgan[train]'") from error
    # Its greetings; warnings stay.
    logging.getLogger("lightning_fabric").setLevel(logging.WARNING)
    logging.getLogger("lightning.fabric").setLevel(logging.WARNING)
    if machines.on_gpu and not torch.cuda.is_available():
        raise ConfigError("--accelerator gpu: PyTorch sees none here; install its CUDA build, or leave the option out")
    devices, nodes = _launched() or (machines.devices, machines.nodes)
    if machines.on_gpu and devices > torch.cuda.device_count():
        raise ConfigError(f"--devices {devices}: this machine has {torch.cuda.device_count()} GPUs")
    fabric = Fabric(
        accelerator="cuda" if machines.on_gpu else "cpu",
        strategy=DDPStrategy(timeout=PATIENCE) if devices * nodes > 1 else "auto",
        devices=devices,
        num_nodes=nodes,
        precision=_fabric_precision(precision, machines.on_gpu),
    )
    try:
        fabric.launch()
    except (ValueError, RuntimeError) as error:
        message = in_one_line(error, 200)
        raise EngineError(f"{devices} processes on each of {nodes} machines did not start: {message}") from error
    return fabric


def _launched() -> tuple[int, int] | None:
    """Processes a machine, and machines, if torchrun started this process."""
    if not torch.distributed.is_available() or not torch.distributed.is_torchelastic_launched():
        return None
    here, all_of_them = int(os.environ["LOCAL_WORLD_SIZE"]), int(os.environ["WORLD_SIZE"])
    if all_of_them % here:
        raise ConfigError(f"torchrun: {here} processes here of {all_of_them}; start as many on every machine")
    return here, all_of_them // here


def _fabric_precision(precision: TrainingPrecision, on_gpu: bool) -> Literal["32-true", "bf16-mixed", "16-mixed"]:
    if precision == "fp16":
        if not on_gpu:
            raise ConfigError("precision: fp16 is for GPUs; take bf16 or fp32 here")
        return "16-mixed"
    if precision == "auto":
        fast = torch.cuda.is_bf16_supported(including_emulation=False) if on_gpu else has_fast_bf16()
        return "bf16-mixed" if fast else "32-true"
    return "bf16-mixed" if precision == "bf16" else "32-true"


def node_by_node(fabric: Fabric, work: Callable[[], T]) -> T:
    """What `work` gives in each process, done first by one process of each machine, one machine after another.

    So what it writes is written once, whether the machines share a disk or not.
    """
    first: list[T] = []
    nodes = fabric.world_size // _processes_here(fabric)
    for node in range(nodes):
        if (fabric.node_rank, fabric.local_rank) == (node, 0):
            first.append(work())
        fabric.barrier()
    return first[0] if first else work()


def _processes_here(fabric: Fabric) -> int:
    return int(getattr(fabric.strategy, "num_processes", 1))


def average_gradients(fabric: Fabric, optimisers: Sequence[torch.optim.Optimizer]) -> None:
    """Gives the parameters of some optimisers, all of which have gradients, the mean of all processes' gradients."""
    if fabric.world_size == 1:
        return
    gradients = [p.grad for o in optimisers for group in o.param_groups for p in group["params"]]
    flat = fabric.all_reduce(torch.cat([g.flatten() for g in gradients]), reduce_op="mean")
    assert isinstance(flat, Tensor)
    for gradient, mean in zip(gradients, flat.split([g.numel() for g in gradients]), strict=True):
        gradient.copy_(mean.view(gradient.shape))


def clip_gradients(fabric: Fabric, optimiser: torch.optim.Optimizer, most: float) -> Tensor:
    """Shrinks the gradients of an optimiser's parameters to a norm of at most `most`; returns the norm they had."""
    scaler = getattr(fabric.strategy.precision, "scaler", None)
    if scaler is not None:
        scaler.unscale_(optimiser)
    parameters = [parameter for group in optimiser.param_groups for parameter in group["params"]]
    return torch.nn.utils.clip_grad_norm_(parameters, most)


def step_all(fabric: Fabric, optimisers: Sequence[torch.optim.Optimizer]) -> None:
    """Steps some optimisers, whose gradients are all there; in fp16 those with an overflow are left out."""
    scaler = getattr(fabric.strategy.precision, "scaler", None)
    for optimiser in optimisers:
        if scaler is None:
            optimiser.step()
        else:
            scaler.step(optimiser)
    if scaler is not None:
        # Once, not after each as Fabric's own optimisers do: their gradients were made with one scale.
        scaler.update()


def mean_over_processes(fabric: Fabric, values: dict[str, Tensor]) -> dict[str, float]:
    """Scalars of the same names in every process, averaged."""
    found = fabric.all_reduce(torch.stack([values[name].float() for name in values]), reduce_op="mean")
    assert isinstance(found, Tensor)
    return dict(zip(values, found.tolist(), strict=True))


@contextmanager
def losing_no_process(fabric: Fabric, advice: Callable[[], str]) -> Iterator[None]:
    """Turns the end of a connection to another process into one line.

    Args:
        fabric: The processes.
        advice: How to go on, asked for when it happens.

    Raises:
        EngineError: Another process ended, or its machine was lost.
    """
    try:
        yield
    except RuntimeError as error:
        # Gloo, which joins processors, has no type of its own for it.
        if fabric.world_size == 1 or not (isinstance(error, torch.distributed.DistError) or "gloo" in str(error)):
            raise
        # Without the place in Gloo's source before it, and its guess after it.
        reason = str(error).splitlines()[0].rpartition(".cc:")[2].partition("] ")[2].partition(". ")[0]
        raise EngineError(f"another process of this run is gone ({reason or error}); {advice()}") from error
