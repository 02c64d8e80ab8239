"""Checkpoints: written aside and moved into place, the one before kept, loaded without pickle."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import torch

from amgan.errors import WeightsError
from amgan.training.step import Networks

NAME, PREVIOUS = "checkpoint.pt", "checkpoint.previous.pt"
_OPTIMISERS = ("generator_optimiser", "critic_optimiser", "map_optimiser")


def save_checkpoint(folder: Path, nets: Networks, step: int) -> None:
    """Writes the state after `step` steps; a crash at any moment leaves one whole checkpoint."""
    optimisers = {name: getattr(nets, name).state_dict() for name in _OPTIMISERS if hasattr(nets, name)}
    aside = folder / (NAME + ".part")
    stem = nets.generator.config.stem
    torch.save({"step": step, "stem": stem, "networks": nets.state_dict(), "optimisers": optimisers}, aside)
    current = folder / NAME
    if current.exists():
        current.replace(folder / PREVIOUS)
    aside.replace(current)


def load_checkpoint(folder: Path, nets: Networks) -> int:
    """Restores the newest whole checkpoint.

    Returns:
        How many steps it has behind it.

    Raises:
        WeightsError: There is none that can be read.
    """
    faults = []
    for name in (NAME, PREVIOUS):
        path = folder / name
        if not path.is_file():
            continue
        try:
            state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        except (RuntimeError, EOFError, OSError, pickle.UnpicklingError) as error:
            # A truncated file: the one before it is whole.
            faults.append(f"{path} is damaged ({str(error).splitlines()[0][:80]})")
            continue
        nets.grow_to(state["stem"])
        nets.load_state_dict(state["networks"])
        for optimiser, content in state["optimisers"].items():
            getattr(nets, optimiser).load_state_dict(content)
        return int(state["step"])
    raise WeightsError("; ".join(faults) or f"{folder}: no checkpoint to resume; leave --resume out to start anew")
