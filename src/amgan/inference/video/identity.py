"""Tells one person from another across cuts, without a package of its own.

The signature is what an ImageNet network sees in the FFHQ crop, on a grid of 4x4. The limits were found on stills in
good light: of 60 pairs of two shots of one person 98% are more alike than `SAME`, of 140 different people's pairs 99%
less than `OTHER`. Blur and turned heads were not measured; the gallery, which grows while a face is followed, is for
them.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from amgan.faces.align import align_face
from amgan.models.backbone import Trunk
from amgan.models.estimator import as_images

SAME, OTHER = 0.93, 0.90
_SIDE, _GRID, _TAP = 224, 4, 3
# Views of the person that are kept, and how unlike the others one must be to be worth it.
_MOST, _NEW = 12, 0.97

Signature = npt.NDArray[np.float32]


@torch.inference_mode()
def signature(trunk: Trunk, rgb: npt.NDArray[np.uint8], landmarks: npt.NDArray[np.float32]) -> Signature:
    """What a face looks like.

    Args:
        trunk: The packaged network, four taps or five.
        rgb: (H, W, 3) uint8.
        landmarks: (478, 2) coordinates in it.

    Returns:
        (D,) float32 of length 1; the product of two is how alike they are.
    """
    crop = align_face(landmarks, _SIDE).crop(rgb)
    features = trunk(as_images(torch.from_numpy(crop)[None]))[_TAP]
    vector = F.normalize(F.adaptive_avg_pool2d(features, _GRID).flatten(1), dim=1)
    return np.asarray(vector[0].numpy(), np.float32)


class Gallery:
    """Views of one person."""

    def __init__(self) -> None:
        self._views: list[Signature] = []

    @property
    def empty(self) -> bool:
        """Whether the person is still unknown."""
        return not self._views

    def likeness(self, view: Signature) -> float:
        """How alike a face is to the nearest view, in -1..1."""
        return max(float(known @ view) for known in self._views)

    def learn(self, view: Signature) -> None:
        """Keeps a view of the person, if it shows something new and is not too unlike to be believed."""
        if self.empty or (len(self._views) < _MOST and OTHER < self.likeness(view) < _NEW):
            self._views.append(view)
