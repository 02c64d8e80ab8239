"""Checkpoints: written aside and moved into place, the one before kept, loaded without pickle."""

from __future__ import annotations

import lzma
import os
import pickle
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from amgan.errors import WeightsError
from amgan.training.networks import Networks

if TYPE_CHECKING:
    from lightning_fabric import Fabric

NAME, PREVIOUS = "checkpoint.pt", "checkpoint.previous.pt"
# What a damaged one is called from then on, so that it never takes the place of a whole one.
DAMAGED = "checkpoint.damaged.pt"

# What reading a damaged one ends with: a name in it may be no text, or a part be taken for a compressed one.
_DAMAGE = (
    RuntimeError,
    ValueError,
    EOFError,
    OSError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
)

# What `read_checkpoint` gives: "step", "stem", "networks", "optimisers" and, since fp16 is there, "scaler".
State = dict[str, Any]


def has_checkpoint(folder: Path) -> bool:
    """Whether a run was stopped in this folder, be it between the two moves of `save_checkpoint`."""
    return any((folder / name).exists() for name in (NAME, PREVIOUS))


def save_checkpoint(folder: Path, nets: Networks, step: int, fabric: Fabric | None = None) -> None:
    """Writes the state after `step` steps; a crash at any moment leaves one whole checkpoint.

    Args:
        folder: The run's.
        nets: Networks and optimisers.
        step: Steps behind them.
        fabric: Has fp16's gradient scale, if that is the run's precision.
    """
    state: State = {
        "step": step,
        "stem": nets.generator.config.stem,
        "networks": nets.state_dict(),
        "optimisers": {name: optimiser.state_dict() for name, optimiser in nets.optimisers.items()},
        "scaler": {} if fabric is None else dict(fabric.strategy.precision.state_dict()),
    }
    aside = folder / (NAME + ".part")
    with aside.open("wb") as file:
        torch.save(state, file)
        file.flush()
        # The move must not reach the disk before what is moved does.
        os.fsync(file.fileno())
    current = folder / NAME
    if current.exists():
        current.replace(folder / PREVIOUS)
    aside.replace(current)


def read_checkpoint(folder: Path, say: Callable[[str], None] = lambda line: None) -> State:
    """The newest whole checkpoint of a run; a damaged one that is passed over for it is put aside.

    Args:
        folder: The run's.
        say: Told, in one line, of a damaged one that was passed over.

    Raises:
        WeightsError: There is none that can be read.
    """
    fault = ""
    for name in (NAME, PREVIOUS):
        path = folder / name
        if not path.is_file():
            continue
        try:
            _check_sums(path)
            state: State = torch.load(path, map_location="cpu", weights_only=True)
        except _DAMAGE as error:
            # The one before it is whole.
            reason = str(error).splitlines() or ["it is empty"]
            fault += f"{path} is damaged ({reason[0][:80]}); "
            continue
        if fault:
            (folder / NAME).replace(folder / DAMAGED)
            say(f"{fault}going on from {path}, after {state['step']} steps")
        return state
    if fault:
        raise WeightsError(f"{fault}no checkpoint of this run can be read; choose another --out")
    raise WeightsError(f"{folder}: no checkpoint to resume; leave --resume out to start anew")


def _check_sums(path: Path) -> None:
    """Finds bits that are others than were written: PyTorch's files are ZIP archives, and it does not look at the sums.

    Raises:
        BadZipFile: There are some, or it is no such archive.
    """
    with zipfile.ZipFile(path) as archive:
        if (part := archive.testzip()) is not None:
            raise zipfile.BadZipFile(f"{part} is not what was written")


def restore(nets: Networks, state: State, fabric: Fabric | None = None) -> int:
    """Gives networks, optimisers and, if it has one, fp16's gradient scale the state of a checkpoint.

    Returns:
        How many steps it has behind it.
    """
    nets.grow_to(state["stem"])
    nets.load_state_dict(state["networks"])
    optimisers = nets.optimisers
    for name, content in state["optimisers"].items():
        optimisers[name].load_state_dict(content)
    if fabric is not None and state.get("scaler"):
        fabric.strategy.precision.load_state_dict(state["scaler"])
    return int(state["step"])
