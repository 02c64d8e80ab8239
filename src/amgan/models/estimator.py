"""Sign estimators: how severe is each sign on this face, how sure is that, and can it be seen at all.

What all kinds share. There are two: ridge regressions on pooled ImageNet features (`amgan.models.ridge_estimators`) and
the paper's residual networks from scratch (`amgan.models.resnet_estimators`). Right zones are mirrored, so one
estimator serves both sides.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from amgan.models.estimates import Estimate
from amgan.signs.atlas import AGE, Atlas

FOLDS = 5
# No error is foretold below this, however well the fitted faces came out; a rater's own grades are 5 apart.
LEAST_DEVIATION = 0.02
# Fewer covered zones than this teach nothing about covered zones.
FEWEST_COVERED = 10

# What an estimator looks at, (..., *SignEstimators.feature_shape) of SignEstimators.feature_type.
Features = npt.NDArray[Any]
# Wraps the numbers of pieces of work, to show a progress bar.
Progress = Callable[[Iterable[int]], Iterable[int]]


@dataclass(frozen=True)
class ZoneFeatures:
    """Some zones of some faces, with what is seen of the rest of each face.

    Attributes:
        table: (M, Z + 1, *feature_shape) of all zones, and the whole, of all faces; mapped from a file where many.
        faces: (N,) which faces.
        columns: (N,) which zone of each, in the order of the atlas's zones, then ``age``.
    """

    table: Features
    faces: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]

    @classmethod
    def of_column(cls, table: Features, column: int) -> ZoneFeatures:
        """The same zone of every face."""
        return cls(table, np.arange(len(table)), np.full(len(table), column))

    @property
    def own(self) -> Features:
        """(N, *feature_shape) of the zones themselves."""
        return self.table[self.faces, self.columns]

    def __len__(self) -> int:
        return len(self.faces)

    def __getitem__(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64] | slice) -> ZoneFeatures:
        return ZoneFeatures(self.table, self.faces[rows], self.columns[rows])


@dataclass(frozen=True)
class SignLabels:
    """What one sign's estimator is fitted on.

    Attributes:
        features: Of its N zones, on whichever sides people looked at.
        scores: (N,) in 0..1; NaN where nobody scored it.
        covered: (N,) bool, whether a rater could not judge it.
        people: N names; photos of one person share theirs.
    """

    features: ZoneFeatures
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


def as_images(crops: Tensor) -> Tensor:
    """(B, S, S, 3) uint8 to (B, 3, S, S) in -1..1, channels last in memory as they are."""
    return crops.permute(0, 3, 1, 2).float() / 127.5 - 1


class SignEstimators(nn.Module, ABC):
    """Estimates every zone's score and the apparent age of an aligned face.

    Args:
        atlas: Signs and zones.

    Attributes:
        kind: What files and the command line call this kind.
        stored_as: Type of the weights in a file; smaller than in memory only if they are rounded to it anyway.
        feature_type: Of the features.
    """

    kind: ClassVar[str]
    stored_as: ClassVar[torch.dtype]
    feature_type: ClassVar[type[np.generic]]

    def __init__(self, atlas: Atlas) -> None:
        super().__init__()
        self.atlas = atlas
        self.names = (*atlas.signs, AGE)

    def columns_of(self, name: str) -> npt.NDArray[np.int64]:
        """Where the zones of a sign, or ``age``, stand among those of the atlas, then ``age``."""
        signs = [zone.partition(".")[0] for zone in (*self.atlas.zones, AGE)]
        return np.flatnonzero([sign == name for sign in signs])

    def file_weights(self) -> dict[str, Tensor]:
        """What a file holds of it."""
        return self.state_dict()

    def take_file_weights(self, weights: dict[str, Tensor]) -> None:
        """Takes what a file holds; the opposite of `file_weights`."""
        self.load_state_dict(weights)

    @property
    @abstractmethod
    def settings(self) -> dict[str, Any]:
        """What defines it beside its kind, atlas and weights, for JSON."""

    @property
    @abstractmethod
    def feature_shape(self) -> tuple[int, ...]:
        """Shape of the features of one zone."""

    @property
    @abstractmethod
    def crop_size(self) -> int:
        """Side of the crops it looks at, pixels."""

    @abstractmethod
    def judged(self, crops: Tensor) -> Tensor:
        """Estimates of all zones and the face in one graph, for `amgan.models.export`.

        Args:
            crops: (Z + 1, S, S, 3) uint8, of `face_crops`.

        Returns:
            (Z + 1, 3), the fields of `Estimate`.
        """

    @abstractmethod
    def features(self, rgb: npt.NDArray[np.uint8], landmarks: npt.NDArray[np.float32]) -> Features:
        """Features (Z + 1, *feature_shape) of all zones and the face of an aligned picture, for `predict`."""

    @abstractmethod
    def fit(
        self, labels: Mapping[str, SignLabels], keep: Path | None = None, progress: Progress = iter
    ) -> dict[str, SignReport]:
        """Fits all signs.

        Args:
            labels: Sign, or ``age``, to what is known of it.
            keep: Where a kind that takes long keeps each sign that is finished, so that a fit that was stopped goes on.
            progress: Shows how far such a kind is.

        Returns:
            How each did on held-out people.
        """

    @abstractmethod
    def predict_sign(self, name: str, features: ZoneFeatures) -> npt.NDArray[np.float32]:
        """Estimates of N zones of one sign, or of ``age``: (3, N), the fields of `Estimate`."""

    def predict(self, features: Features) -> list[Estimate]:
        """Estimates of all zones and ``age`` of one face from its features (Z + 1, *feature_shape)."""
        found = np.zeros((len(features), len(Estimate._fields)), np.float32)
        for name in self.names:
            columns = self.columns_of(name)
            zones = ZoneFeatures(features[None], np.zeros(len(columns), np.int64), columns)
            found[columns] = self.predict_sign(name, zones).T
        return [Estimate(*of_zone) for of_zone in found.tolist()]

    def estimate(self, rgb: npt.NDArray[np.uint8], landmarks: npt.NDArray[np.float32]) -> dict[str, Estimate]:
        """Judges one aligned face.

        Args:
            rgb: (S, S, 3) uint8, FFHQ-aligned.
            landmarks: (478, 2) aligned coordinates.

        Returns:
            Zone, and ``age``, to its estimate.
        """
        zones = (*self.atlas.zones, AGE)
        return dict(zip(zones, self.predict(self.features(rgb, landmarks)), strict=True))
