"""What one pass over a part of a batch works with, and what every pass asks of the networks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor, nn

from amgan.data.patches import Batch
from amgan.maps.change import HUE_CELLS, restrain, where_changed
from amgan.maps.targets import asked_map
from amgan.models.generator import GeneratorOutput
from amgan.training.config import Stage
from amgan.training.draws import Draws, Part
from amgan.training.networks import Networks

if TYPE_CHECKING:
    from lightning_fabric import Fabric

# Scalars without gradient, on the networks' device.
Stats = dict[str, Tensor]


@dataclass(frozen=True)
class Pass:
    """What one pass works with.

    Attributes:
        fabric: Gives number format and backward.
        nets: Networks.
        stage: Sizes in force.
        batch: The part's patches, on the networks' device.
        cycled: How many patches of the whole batch go through the cycle.
        part: Which of the whole batch these are.
        draws: The part's random numbers.
        step: The step's number.
    """

    fabric: Fabric
    nets: Networks
    stage: Stage
    batch: Batch
    cycled: int
    part: Part
    draws: Draws
    step: int

    def backward(self, loss: Tensor, of: nn.Module | None = None, again: bool = False) -> None:
        """Adds the gradients of a loss that is a mean over the part's patches.

        Args:
            loss: The mean.
            of: The network whose gradients are wanted, where others have made the loss too; None for all.
            again: Whether another loss shares what made it, which is kept then.
        """
        inputs = None if of is None else [*of.parameters()]
        self.fabric.backward(loss / self.stage.accumulate, inputs=inputs, retain_graph=again)

    def location(self) -> Tensor:
        """The location maps (B, C, P, P)."""
        location = self.batch.location
        return mirrored(location, self.draws) if self.nets.config.hide_side else location

    def asked(self, own: Tensor, target: Tensor) -> Tensor:
        """What the generator is given to make a target of patches that are as `own` says."""
        return asked_map(self.nets.generator.config.asks, own, target)

    def output(self, image: Tensor, asked: Tensor, location: Tensor) -> GeneratorOutput:
        """All that the generator says."""
        generator = self.nets.generator
        out: GeneratorOutput = generator(image, asked, location if generator.config.location_maps else None)
        return out

    def aged(self, image: Tensor, asked: Tensor, location: Tensor) -> Tensor:
        """The generator's picture of the first patches, of which only so much is changed as in use."""
        return self.restrained(image, self.output(image, asked, location[: len(image)]).image)

    def restrained(self, image: Tensor, made: Tensor) -> Tensor:
        """A picture of the first patches of which only so much is changed as in use."""
        nets, batch, stage, count = self.nets, self.batch, self.stage, len(image)
        if not nets.config.restrained:
            return made
        guarded = nets.generator.config.guarded
        where = where_changed(batch.editable[:count], batch.skin[:count], batch.zoned[:count], guarded)
        cells = max(HUE_CELLS * stage.patch // stage.image_size, 1)
        return image + restrain(made - image, where, guarded, cells)

    def weighted(self, parts: dict[str, Tensor]) -> Tensor:
        """Sum of losses by their weights in the config."""
        weights = self.nets.config.weights
        return torch.stack([getattr(weights, name) * part for name, part in parts.items()]).sum()


def mirrored(location: Tensor, draws: Draws) -> Tensor:
    """Location maps (B, 2, H, W) with the sign of X drawn anew for each patch."""
    sign = torch.where(draws.uniform() < 0.5, -1.0, 1.0)
    return location * torch.stack([sign, torch.ones_like(sign)], dim=1)[:, :, None, None]


def named(network: str, parts: dict[str, Tensor]) -> Stats:
    """Losses as the log has them, with the network's letter before their names."""
    return {f"{network}_{name}": part.detach() for name, part in parts.items()}
