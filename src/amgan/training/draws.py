"""Which patches of a batch one pass works on, and the random numbers of a step.

A batch is cut into equal parts: one for each process, and of each process's own one for each pass of
`Stage.accumulate`. All random numbers belong to the step or to a patch, never to a part: whoever works on a patch, in
however many parts, draws the same, so losses and gradients are those of the whole batch.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from amgan.data.patches import Batch


@dataclass(frozen=True)
class Part:
    """Every `count`-th patch of a batch, from `index` on.

    Not a run of neighbours: so the first patches of a batch, which go through the cycle, are shared out evenly.
    """

    index: int = 0
    count: int = 1

    def of(self, batch: Batch, device: torch.device) -> Batch:
        """These patches of a batch, on a device."""
        fields = {f.name: getattr(batch, f.name) for f in dataclasses.fields(batch)}
        own = {name: tensor[self.index :: self.count] for name, tensor in fields.items() if tensor is not None}
        moved = {name: tensor.to(device, non_blocking=True) for name, tensor in own.items()}
        return Batch(**moved | {"image": moved["image"].contiguous(memory_format=torch.channels_last)})

    def among_first(self, first: int) -> int:
        """How many of the first so many patches of the batch are in this part, where they come first too."""
        return len(range(self.index, first, self.count))


WHOLE = Part()


class Draws:
    """Random numbers for one part of a step's batch.

    Args:
        seed: Of the run.
        step: Its number.
        batch: Patches in the whole batch.
        part: Which of them are asked about.
        device: Where numbers are made and wanted. A GPU draws others than a processor does.
    """

    def __init__(
        self, seed: int, step: int, batch: int, part: Part = WHOLE, device: torch.device | str = "cpu"
    ) -> None:
        self.device = torch.device(device)
        self._step = _generator("cpu", seed, step)
        # From 1 on: NumPy takes a trailing 0 of a seed for nothing, and patch 0 would draw what the step does.
        self._patches = [_generator(self.device, seed, step, i + 1) for i in range(part.index, batch, part.count)]

    def integer(self, least: int, most: int) -> int:
        """From `least` to `most`, the same for all patches of the step."""
        return int(torch.randint(least, most + 1, (), generator=self._step))

    def normal(self, like: Tensor) -> Tensor:
        """Noise of standard deviation 1 for pictures (B, ...), each patch its own."""
        shape = like.shape[1:]
        return torch.stack([torch.randn(shape, generator=g, device=self.device) for g in self._patches])

    def uniform(self) -> Tensor:
        """(B,) in 0..1."""
        return torch.cat([torch.rand(1, generator=g, device=self.device) for g in self._patches])


def _generator(device: torch.device | str, *key: int) -> torch.Generator:
    (seed,) = np.random.SeedSequence(key).generate_state(1, np.uint64)
    return torch.Generator(device).manual_seed(int(seed))
