"""Sign estimators: how severe is each sign on this face, and how old does it look.

One ridge regression a sign on pooled ImageNet features of the zone's crop. It is small, fits in a second, and with a
few hundred scored faces reaches the agreement of two raters on most signs (FINDINGS). Right zones are mirrored, so
one estimator serves both sides.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from amgan.models.backbone import CHANNELS, Trunk, pretrained_trunk
from amgan.signs.atlas import AGE, Atlas
from amgan.signs.zones import zone_crop, zone_square

CROP_SIZE = 224
FEATURES = 2 * sum(CHANNELS)
PENALTIES = (30.0, 100.0, 300.0, 1000.0, 3000.0)


def pooled_features(trunk: Trunk, crops: npt.NDArray[np.uint8]) -> Tensor:
    """Mean and spread over each scale of the trunk's features.

    Args:
        trunk: Frozen trunk.
        crops: (B, S, S, 3) uint8.

    Returns:
        (B, FEATURES) float32.
    """
    images = torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 127.5 - 1
    with torch.inference_mode():
        maps = trunk(images.contiguous(memory_format=torch.channels_last))
        return torch.cat([part for f in maps for part in (f.mean(dim=(2, 3)), f.std(dim=(2, 3)))], dim=1)


def face_crops(
    atlas: Atlas, zones: tuple[str, ...], rgb: npt.NDArray[np.uint8], landmarks: npt.NDArray[np.float32]
) -> npt.NDArray[np.uint8]:
    """The crop of each zone, right ones mirrored.

    Args:
        atlas: Where the zones lie.
        zones: Names of zones, ``age`` among them if wanted.
        rgb: (S, S, 3) uint8 aligned face.
        landmarks: (478, 2) aligned coordinates.

    Returns:
        (len(zones), CROP_SIZE, CROP_SIZE, 3) uint8.
    """
    return np.stack(
        [
            zone_crop(rgb, zone_square(atlas, zone, landmarks), CROP_SIZE, mirror=zone.endswith(".right"))
            for zone in zones
        ]
    )


def fit_ridge(features: Tensor, scores: Tensor, folds: int = 5) -> tuple[Tensor, Tensor, float]:
    """Ridge regression on standardised features; the penalty is chosen by cross-validation.

    Args:
        features: (N, F).
        scores: (N,).
        folds: Number of folds; row i belongs to fold i modulo `folds`.

    Returns:
        Weights (F,), bias (), both for raw features, and the cross-validated mean absolute error.
    """
    x, y = features.double(), scores.double()
    fold = torch.arange(len(x)) % folds
    errors = []
    for penalty in PENALTIES:
        parts = []
        for index in range(folds):
            weight, bias = _ridge(x[fold != index], y[fold != index], penalty)
            parts.append((x[fold == index] @ weight + bias - y[fold == index]).abs())
        errors.append(float(torch.cat(parts).mean()))
    best = min(range(len(PENALTIES)), key=errors.__getitem__)
    weight, bias = _ridge(x, y, PENALTIES[best])
    return weight.float(), bias.float(), errors[best]


def _ridge(x: Tensor, y: Tensor, penalty: float) -> tuple[Tensor, Tensor]:
    mean, std = x.mean(dim=0), x.std(dim=0) + 1e-6
    z = (x - mean) / std
    gram = z.T @ z + penalty * torch.eye(z.shape[1], dtype=z.dtype)
    weight = torch.linalg.solve(gram, z.T @ (y - y.mean())) / std
    return weight, y.mean() - mean @ weight


class SignEstimators(nn.Module):
    """Estimates every zone's score and the apparent age of an aligned face.

    Args:
        atlas: Signs and zones.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, atlas: Atlas) -> None:
        super().__init__()
        self.atlas = atlas
        self.names = (*atlas.signs, AGE)
        self.register_buffer("weight", torch.zeros(len(self.names), FEATURES))
        self.register_buffer("bias", torch.zeros(len(self.names)))
        # Kept out of the state dict: the trunk's weights come with their own package.
        self._trunk = [pretrained_trunk()]

    def fit(self, features: Mapping[str, Tensor], scores: Mapping[str, Tensor]) -> dict[str, float]:
        """Fits all signs.

        Args:
            features: Sign (or ``age``) to (N, FEATURES), from left or centre zones.
            scores: Sign (or ``age``) to (N,) scores in 0..1.

        Returns:
            Cross-validated mean absolute error of each sign.
        """
        errors = {}
        for index, name in enumerate(self.names):
            self.weight[index], self.bias[index], errors[name] = fit_ridge(features[name], scores[name])
        return errors

    def predict(self, zones: tuple[str, ...], features: Tensor) -> Tensor:
        """Scores in 0..1 of zones (``age`` too) from their features (len(zones), FEATURES)."""
        index = [self.names.index(zone.partition(".")[0]) for zone in zones]
        return ((features * self.weight[index]).sum(dim=1) + self.bias[index]).clamp(0, 1)

    def estimate(self, rgb: npt.NDArray[np.uint8], landmarks: npt.NDArray[np.float32]) -> dict[str, float]:
        """Scores one aligned face.

        Args:
            rgb: (S, S, 3) uint8, FFHQ-aligned.
            landmarks: (478, 2) aligned coordinates.

        Returns:
            Zone to score in 0..1, and ``age`` to normalised age in 0..1.
        """
        zones = (*self.atlas.zones, AGE)
        features = pooled_features(self._trunk[0], face_crops(self.atlas, zones, rgb, landmarks))
        return dict(zip(zones, self.predict(zones, features).tolist(), strict=True))
