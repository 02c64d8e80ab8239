"""Ridge regressions on pooled ImageNet features: of the zone's crop, of the whole face, and of the other zones.

How a face ages in one place tells of the others, and a crop is only so clear. Each place has its own regression of the
sign's score; what share each has in the answer is learned on people whom they had not seen, and where the others do not
help beyond chance, the zone's own crop answers alone. Fitted in a minute, and good enough with a few hundred scored
faces (docs/estimators.md has the figures).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from amgan.logistic import fit_logistic
from amgan.models.backbone import CHANNELS, DEEPEST_CHANNELS, Trunk, pretrained_trunk
from amgan.models.estimates import face_crops
from amgan.models.estimator import (
    FEWEST_COVERED,
    FOLDS,
    LEAST_DEVIATION,
    Features,
    Progress,
    SignEstimators,
    SignLabels,
    SignReport,
    ZoneFeatures,
    as_images,
)
from amgan.models.ridge import RidgeFit, blend, fit_ridge, person_folds
from amgan.signs.atlas import AGE, Atlas

CROP_SIZE = 224
FEATURES = 2 * (sum(CHANNELS) + DEEPEST_CHANNELS)
# Penalties of the ridge that foretells errors: its answer, the logarithm of an error, is mostly noise.
NOISE_PENALTIES = (0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 300.0, 1000.0)
# Weight of the squared length of the weights beside the mean log loss, on standardised features.
COVERED_PENALTY = 3e-3


def pooled_features(trunk: Trunk, crops: npt.NDArray[np.uint8]) -> Tensor:
    """Mean and spread over each scale of the trunk's features.

    Args:
        trunk: Frozen deep trunk.
        crops: (B, S, S, 3) uint8.

    Returns:
        (B, FEATURES) float32.
    """
    with torch.inference_mode():
        return _pooled(trunk, torch.from_numpy(crops))


def _pooled(trunk: Trunk, crops: Tensor) -> Tensor:
    maps = trunk(as_images(crops).contiguous(memory_format=torch.channels_last))
    return torch.cat([part for f in maps for part in (f.mean(dim=(2, 3)), f.std(dim=(2, 3)))], dim=1)


def places_around(atlas: Atlas) -> npt.NDArray[np.int64]:
    """Where on the face each sign is looked for when a zone is judged.

    On the zone's own side, for signs that have two; for a zone in the middle, and for age, on both.

    Returns:
        (Z + 1, S + 1, 2): for every zone and ``age``, where each sign and ``age`` are seen, as columns in the order of
        the atlas's zones, then ``age``. The mean of the two is meant; they are the same where there is one.
    """
    zones = (*atlas.zones, AGE)

    def ends(zone: str, sign: str) -> list[int]:
        of_sign = (AGE,) if sign == AGE else atlas.zones_of(sign)
        side = zone.partition(".")[2]
        same = [each for each in of_sign if side and each.endswith(f".{side}")]
        found = [zones.index(each) for each in same or of_sign]
        return [found[0], found[-1]]

    return np.array([[ends(zone, sign) for sign in (*atlas.signs, AGE)] for zone in zones], np.int64)


class RidgeEstimators(SignEstimators):
    """Blended ridge regressions of the score, one of the deviation, a logistic one of whether the zone is covered.

    Args:
        atlas: Signs and zones.
    """

    kind: ClassVar[str] = "ridge"
    stored_as: ClassVar[torch.dtype] = torch.float32
    feature_type: ClassVar[type[np.generic]] = np.float32

    weight: Tensor
    bias: Tensor
    deviation_weight: Tensor
    deviation_bias: Tensor
    covered_weight: Tensor
    covered_bias: Tensor

    def __init__(self, atlas: Atlas) -> None:
        super().__init__(atlas)
        count, self._around = len(self.names), places_around(atlas)
        # Of each sign by each place around its zone.
        self.register_buffer("weight", torch.zeros(count, count, FEATURES))
        for part in ("deviation_weight", "covered_weight"):
            self.register_buffer(part, torch.zeros(count, FEATURES))
        self.register_buffer("bias", torch.zeros(count))
        # Of the logarithm of the deviation.
        self.register_buffer("deviation_bias", torch.zeros(count))
        # Where covered zones were not learned, none is.
        self.register_buffer("covered_bias", torch.full((count,), -torch.inf))
        # Kept out of the state dict: the trunk's weights come with their own package.
        self._trunk = [pretrained_trunk(deep=True).requires_grad_(False)]

    @property
    def settings(self) -> dict[str, Any]:
        """None."""
        return {}

    @property
    def crop_size(self) -> int:
        """See `SignEstimators.crop_size`."""
        return CROP_SIZE

    @property
    def feature_shape(self) -> tuple[int, ...]:
        """One vector."""
        return (FEATURES,)

    def file_weights(self) -> dict[str, Tensor]:
        """See `SignEstimators.file_weights`: the places that have a share alone, with their numbers."""
        weights = self.state_dict()
        each = weights["weight"].reshape(-1, FEATURES)
        told = each.any(dim=1)
        return weights | {"weight": each[told], "places": told.nonzero()[:, 0]}

    def take_file_weights(self, weights: dict[str, Tensor]) -> None:
        """See `SignEstimators.take_file_weights`; a file of before tells no places: the zones' own crops."""
        weights, count = dict(weights), len(self.names)
        # A sign's own place is that of its name.
        places = weights.pop("places", torch.arange(count) * (count + 1))
        each = torch.zeros(count**2, FEATURES)
        each[places] = weights["weight"]
        self.load_state_dict(weights | {"weight": each.view(count, count, FEATURES)})

    def fit(
        self, labels: Mapping[str, SignLabels], keep: Path | None = None, progress: Progress = iter
    ) -> dict[str, SignReport]:
        """See `SignEstimators.fit`; a minute at most, so that nothing is kept or shown."""
        reports = {}
        for index, name in enumerate(self.names):
            known = labels[name]
            scored = np.isfinite(known.scores)
            features, y = known.features[scored], known.scores[scored]
            folds = person_folds([p for p, has in zip(known.people, scored, strict=True) if has], FOLDS)
            fits = self.fit_places(features, y, folds)
            whole = blend(np.stack([fit.held_out for fit in fits]), index, y, folds)
            self.weight[index], self.bias[index] = 0, whole.bias
            for place, (fit, share) in enumerate(zip(fits, whole.shares, strict=True)):
                if share == 0:
                    continue
                weights, offset = fit.plain
                self.weight[index, place] = torch.from_numpy(share * weights)
                self.bias[index] += share * offset
            noise, within = fit_deviation(features.own.astype(np.float64), y - whole.held_out, folds)
            weights, offset = noise.plain
            self.deviation_weight[index], self.deviation_bias[index] = torch.from_numpy(weights), offset
            learned = int(known.covered.sum()) if known.covered.sum() >= FEWEST_COVERED else 0
            if learned:
                seen = scored | known.covered
                weights, bias = fit_covered(known.features[seen].own.astype(np.float64), known.covered[seen])
                self.covered_weight[index], self.covered_bias[index] = torch.from_numpy(weights), bias
            reports[name] = SignReport(len(y), whole.correlation, whole.error, within, learned)
        return reports

    def fit_places(
        self, features: ZoneFeatures, y: npt.NDArray[np.float64], folds: npt.NDArray[np.int64]
    ) -> list[RidgeFit]:
        """A regression of the scores (N,) of N zones of one sign by each of the places around them."""
        # Place after place, so that no more than one's features are in memory.
        return [fit_ridge(self._seen_at(features, place), y, folds) for place in range(len(self.names))]

    def _seen_at(self, features: ZoneFeatures, place: int) -> npt.NDArray[np.float64]:
        """(N, FEATURES) of one of the places around each zone."""
        first, last = self._around[features.columns, place].T
        table, faces = features.table, features.faces
        seen: npt.NDArray[np.float64] = (table[faces, first].astype(np.float64) + table[faces, last]) / 2
        return seen

    def predict_sign(self, name: str, features: ZoneFeatures) -> npt.NDArray[np.float32]:
        """See `SignEstimators.predict_sign`."""
        index = self.names.index(name)
        weights = self.weight[index].double().numpy()
        # Many places have no share.
        places = np.flatnonzero(weights.any(axis=1)).tolist()
        scores = np.full(len(features), float(self.bias[index]))
        for place in places:
            scores += self._seen_at(features, place) @ weights[place]
        own = torch.from_numpy(np.array(features.own))
        found: npt.NDArray[np.float32] = self._answers(own, torch.from_numpy(scores).float(), index).numpy()
        return found

    def judged(self, crops: Tensor) -> Tensor:
        """See `SignEstimators.judged`."""
        rows = torch.tensor([self.names.index(zone.partition(".")[0]) for zone in (*self.atlas.zones, AGE)])
        own = _pooled(self._trunk[0], crops)
        around = own[torch.from_numpy(self._around)].mean(dim=2)
        scores = (around * self.weight[rows]).sum(dim=(1, 2)) + self.bias[rows]
        return self._answers(own, scores, rows).T

    def _answers(self, own: Tensor, scores: Tensor, rows: Tensor | int) -> Tensor:
        """(3, N) of the zones' own features (N, F) and scores (N,), of one sign, or of a sign for each."""

        def linear(weight: Tensor, bias: Tensor) -> Tensor:
            return (own * weight[rows]).sum(dim=1) + bias[rows]

        deviations = linear(self.deviation_weight, self.deviation_bias).exp().clamp(LEAST_DEVIATION, 1)
        covered = linear(self.covered_weight, self.covered_bias).sigmoid()
        return torch.stack([scores.clamp(0, 1), deviations, covered])

    def features(self, rgb: npt.NDArray[np.uint8], landmarks: npt.NDArray[np.float32]) -> Features:
        """See `SignEstimators.features`."""
        crops = face_crops(self.atlas, (*self.atlas.zones, AGE), rgb, landmarks, CROP_SIZE)
        return pooled_features(self._trunk[0], crops).numpy()


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
    """Logistic regression on standardised features.

    Args:
        x: (N, F) features.
        covered: (N,).

    Returns:
        Weights (F,) and bias of the logit, for features as they come.
    """
    mean, scale = x.mean(axis=0), x.std(axis=0) + 1e-6
    z, y = torch.from_numpy((x - mean) / scale), torch.from_numpy(covered).double()
    weights, bias = fit_logistic(z, y, COVERED_PENALTY)
    plain = weights.numpy() / scale
    return plain, float(bias.item() - mean @ plain)
