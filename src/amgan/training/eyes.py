"""What the frozen trunks see of a pass: every picture of it through one noise and one window."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from amgan.models.texture import TEXTURE_STRIDE
from amgan.training.draws import Draws
from amgan.training.networks import Corner, Networks


@dataclass(frozen=True)
class Eyes:
    """The frozen trunks, as all pictures of a pass are shown to them.

    Attributes:
        nets: Has them.
        grain: (B, 3, P, P), the noise that the ImageNet trunk sees a picture through.
        corner: Where the texture trunk's window lies.
    """

    nets: Networks
    grain: Tensor
    corner: Corner

    def features(self, image: Tensor) -> list[Tensor]:
        """Of the first patches (b, 3, P, P), by the ImageNet trunk."""
        return self.nets.features(image + self.grain[: len(image)])

    def texture(self, image: Tensor) -> list[Tensor]:
        """Of patches (b, 3, P, P), by the texture trunk, if the critic has one."""
        return self.nets.texture(image, self.corner)

    def beside(self, maps: Tensor, location: Tensor) -> list[Tensor]:
        """Aging and location maps in one (B, C + 2, H, W), beside each of the features and then of the textures.

        Which pattern of lines a patch got is no place, and nothing that a critic may ask for.
        """
        return self.nets.maps_of_features(torch.cat([maps, location[:, :2]], dim=1), self.corner)


def eyes(nets: Networks, image: Tensor, draws: Draws) -> Eyes:
    """Draws noise and window for a pass.

    Args:
        nets: Has the trunks.
        image: (B, 3, P, P), its patches.
        draws: Its random numbers.
    """
    corner = _corner(image.shape[-1], draws)
    return Eyes(nets, nets.config.feature_noise * draws.normal(image), corner)


def _corner(patch: int, draws: Draws) -> Corner:
    """Where the texture trunk's window of half a patch lies: on whole cells of its features."""
    last = patch // 2 // TEXTURE_STRIDE
    return draws.integer(0, last) * TEXTURE_STRIDE, draws.integer(0, last) * TEXTURE_STRIDE
