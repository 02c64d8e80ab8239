"""Sign estimators: how severe is each sign on this face, how sure is that, and can it be seen at all.

One ridge regression a sign on pooled ImageNet features of the zone's crop. It is small, fits in seconds, and with a
few hundred scored faces reaches the agreement of two raters on most signs (docs/estimators.md). Right zones are
mirrored, so one estimator serves both sides.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from amgan.models.backbone import CHANNELS, DEEPEST_CHANNELS, Trunk, pretrained_trunk
from amgan.models.ridge import RidgeFit, fit_ridge, person_folds
from amgan.signs.atlas import AGE, Atlas
from amgan.signs.zones import zone_crop, zone_square

CROP_SIZE = 224
FEATURES = 2 * (sum(CHANNELS) + DEEPEST_CHANNELS)
FOLDS = 5
# Penalties of the ridge that foretells errors: its answer, the logarithm of an error, is mostly noise.
NOISE_PENALTIES = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
# No error is foretold below this, however well the fitted faces came out; a rater's own grades are 5 apart.
LEAST_DEVIATION = 0.02
# Fewer covered zones than this teach nothing about covered zones.
FEWEST_COVERED = 10
# From this probability on a zone counts as covered.
COVERED = 0.5
# Weight of the squared length of the weights beside the mean log loss, on standardised features.
COVERED_PENALTY = 3e-3


class Estimate(NamedTuple):
    """What an estimator says of one zone.

    Attributes:
        score: In 0..1.
        deviation: Standard deviation that its error is expected to have, in units of the score.
        covered: Probability that hair, beard, glasses or the like hide the zone; 0 where that was not learned.
    """

    score: float
    deviation: float
    covered: float

    @property
    def can_judge(self) -> bool:
        """Whether the zone is seen well enough for the score to mean something."""
        return self.covered < COVERED


@dataclass(frozen=True)
class SignLabels:
    """What one sign's estimator is fitted on.

    Attributes:
        features: (N, FEATURES) of its left or centre zones.
        scores: (N,) in 0..1; NaN where nobody scored it.
        covered: (N,) bool, whether a rater could not judge it.
        people: N names; photos of one person share theirs.
    """

    features: npt.NDArray[np.float32]
    scores: npt.NDArray[np.float64]
    covered: npt.NDArray[np.bool_]
    people: list[str]


@dataclass(frozen=True)
class SignReport:
    """How well an estimator did on people it was not fitted on.

    Attributes:
        count: Scored faces.
        correlation: Pearson's r.
        error: Mean absolute error, in units of the score.
        within: Share of the faces whose error is less than the deviation foretold (0.68 if errors are normal).
        covered: Faces on which it learned what covered looks like; 0 if they were too few.
    """

    count: int
    correlation: float
    error: float
    within: float
    covered: int


def pooled_features(trunk: Trunk, crops: npt.NDArray[np.uint8]) -> Tensor:
    """Mean and spread over each scale of the trunk's features.

    Args:
        trunk: Frozen deep trunk.
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


class SignEstimators(nn.Module):
    """Estimates every zone's score and the apparent age of an aligned face.

    Args:
        atlas: Signs and zones.
    """

    weight: Tensor
    bias: Tensor
    deviation_weight: Tensor
    deviation_bias: Tensor
    covered_weight: Tensor
    covered_bias: Tensor

    def __init__(self, atlas: Atlas) -> None:
        super().__init__()
        self.atlas = atlas
        self.names = (*atlas.signs, AGE)
        count = len(self.names)
        for part in ("weight", "deviation_weight", "covered_weight"):
            self.register_buffer(part, torch.zeros(count, FEATURES))
        self.register_buffer("bias", torch.zeros(count))
        # Of the logarithm of the deviation.
        self.register_buffer("deviation_bias", torch.zeros(count))
        # Where covered zones were not learned, none is.
        self.register_buffer("covered_bias", torch.full((count,), -torch.inf))
        # Kept out of the state dict: the trunk's weights come with their own package.
        self._trunk = [pretrained_trunk(deep=True)]

    @property
    def trunk(self) -> Trunk:
        """The frozen deep trunk, for others who look at the same faces."""
        return self._trunk[0]

    def fit(self, labels: Mapping[str, SignLabels]) -> dict[str, SignReport]:
        """Fits all signs.

        Args:
            labels: Sign, or ``age``, to what is known of it.

        Returns:
            How each did on held-out people.
        """
        reports = {}
        for index, name in enumerate(self.names):
            known = labels[name]
            scored = np.isfinite(known.scores)
            x, y = known.features[scored].astype(np.float64), known.scores[scored]
            folds = person_folds([p for p, has in zip(known.people, scored, strict=True) if has], FOLDS)
            fit = fit_ridge(x, y, folds)
            noise, within = fit_deviation(x, y - fit.held_out, folds)
            self._set("weight", "bias", index, fit)
            self._set("deviation_weight", "deviation_bias", index, noise)
            learned = int(known.covered.sum()) if known.covered.sum() >= FEWEST_COVERED else 0
            if learned:
                seen = scored | known.covered
                weights, bias = fit_covered(known.features[seen].astype(np.float64), known.covered[seen])
                self.covered_weight[index], self.covered_bias[index] = torch.from_numpy(weights), bias
            reports[name] = SignReport(fit.count, fit.correlation, fit.error, within, learned)
        return reports

    def _set(self, weight: str, bias: str, index: int, fit: RidgeFit) -> None:
        weights, offset = fit.plain
        getattr(self, weight)[index], getattr(self, bias)[index] = torch.from_numpy(weights), offset

    def predict(self, zones: tuple[str, ...], features: Tensor) -> list[Estimate]:
        """Estimates of zones (``age`` too) from their features (len(zones), FEATURES)."""
        index = torch.tensor([self.names.index(zone.partition(".")[0]) for zone in zones])
        return [Estimate(*of_zone) for of_zone in self._linear(index, features).tolist()]

    def predict_sign(self, name: str, features: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The same of one sign, or ``age``, on many faces: (N, FEATURES) to (3, N), the fields of `Estimate`."""
        index = torch.full((len(features),), self.names.index(name))
        return self._linear(index, torch.from_numpy(features)).T.numpy()

    def _linear(self, index: Tensor, features: Tensor) -> Tensor:
        """(N, 3), the fields of `Estimate`, of signs `index` (N,) from (N, FEATURES)."""

        def linear(weight: Tensor, bias: Tensor) -> Tensor:
            return (features * weight[index]).sum(dim=1) + bias[index]

        scores = linear(self.weight, self.bias).clamp(0, 1)
        deviations = linear(self.deviation_weight, self.deviation_bias).exp().clamp(LEAST_DEVIATION, 1)
        covered = linear(self.covered_weight, self.covered_bias).sigmoid()
        return torch.stack([scores, deviations, covered], dim=1)

    def features(self, rgb: npt.NDArray[np.uint8], landmarks: npt.NDArray[np.float32]) -> Tensor:
        """Features (Z + 1, FEATURES) of all zones and the face of an aligned picture, for `predict`."""
        zones = (*self.atlas.zones, AGE)
        return pooled_features(self.trunk, face_crops(self.atlas, zones, rgb, landmarks))

    def estimate(self, rgb: npt.NDArray[np.uint8], landmarks: npt.NDArray[np.float32]) -> dict[str, Estimate]:
        """Judges one aligned face.

        Args:
            rgb: (S, S, 3) uint8, FFHQ-aligned.
            landmarks: (478, 2) aligned coordinates.

        Returns:
            Zone, and ``age``, to its estimate.
        """
        zones = (*self.atlas.zones, AGE)
        return dict(zip(zones, self.predict(zones, self.features(rgb, landmarks)), strict=True))


def fit_deviation(
    x: npt.NDArray[np.float64], errors: npt.NDArray[np.float64], folds: npt.NDArray[np.int64]
) -> tuple[RidgeFit, float]:
    """Learns how large an estimator's errors are on which faces.

    Args:
        x: (N, F) features.
        errors: (N,) errors on people that the estimator had not seen.
        folds: (N,) the fold of each row.

    Returns:
        A ridge of the logarithm of the deviation, and the share of the errors within what a ridge that had not seen
        the person foretold.
    """
    # A floor, since the logarithm of a lucky hit says nothing.
    fit = fit_ridge(x, np.log(np.abs(errors) + LEAST_DEVIATION), folds, NOISE_PENALTIES)
    # The mean of logarithms is below the logarithm of the deviation: scaled so that squared errors come out right.
    # At least a little: where all grades are the same there are no errors at all.
    scale = max(float(np.sqrt(np.mean((errors / np.exp(fit.held_out)) ** 2))), 1e-3)
    within = float(np.mean(np.abs(errors) < scale * np.exp(fit.held_out)))
    return replace(fit, bias=fit.bias + float(np.log(scale))), within


def fit_covered(x: npt.NDArray[np.float64], covered: npt.NDArray[np.bool_]) -> tuple[npt.NDArray[np.float64], float]:
    """Logistic regression with a quadratic penalty on the weights.

    Args:
        x: (N, F) features.
        covered: (N,).

    Returns:
        Weights (F,) and bias of the logit, for features as they come.
    """
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-6
    z, y = torch.from_numpy((x - mean) / scale), torch.from_numpy(covered).double()
    weights = torch.zeros(z.shape[1], dtype=torch.float64, requires_grad=True)
    bias = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weights, bias], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = nn.functional.binary_cross_entropy_with_logits(z @ weights + bias, y)
        value = value + COVERED_PENALTY * weights.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    plain = weights.detach().numpy() / scale
    return plain, float(bias.item() - mean @ plain)
