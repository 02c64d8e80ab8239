"""How strong are the clinical signs? One ridge regression a sign on pooled features of its zone's crops."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from amgan.errors import AtlasError, DatasetError
from amgan.models.ridge import RidgeFit, fit_ridge, person_folds

from .resnet import ResNetFeatures

Crops = npt.NDArray[np.uint8] | Sequence[npt.NDArray[np.uint8]]
Features = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]
# Of the cross-validation that chooses the penalty.
FOLDS = 5


class SignJudge:
    """Scores clinical signs on crops of their zones.

    A crop is a (B, h, w, 3) uint8 array and where it comes from is the caller's affair; use the same way of cropping
    for fitting and predicting, and no shrinking: fine lines are what is judged, and a 1024 px face is about as coarse
    as they survive. Ridge predictions are drawn towards the mean of the training scores. So compare the predictions
    on edited pictures with those on real ones, not with the scores asked for.

    Args:
        features: Turns (B, h, w, 3) uint8 crops into (B, D) features; by default `ResNetFeatures`.

    Raises:
        MissingExtraError: The default features are asked for and their packages are not installed.
    """

    def __init__(self, features: Features | None = None) -> None:
        self._features: Features = ResNetFeatures() if features is None else features
        self.fits: dict[str, RidgeFit] = {}

    def fit(
        self,
        crops_by_sign: Mapping[str, Crops],
        scores_by_sign: Mapping[str, npt.ArrayLike],
        groups_by_sign: Mapping[str, Sequence[object]] | None = None,
    ) -> None:
        """Fits every sign given; signs fitted before stay.

        Args:
            crops_by_sign: Sign to crops, (B, h, w, 3) uint8, or a sequence of B crops (h, w, 3) of any sizes.
            scores_by_sign: The same signs to (B,) scores.
            groups_by_sign: The same signs to B labels of the person. Crops of one person (both sides of a face)
                never fall on two sides of a fold, or the held-out numbers would flatter. By default all differ.

        Raises:
            DatasetError: Signs or lengths do not match, a score is not a number, or there are too few crops.
        """
        self.fit_features(
            {sign: self.extract(crops) for sign, crops in crops_by_sign.items()}, scores_by_sign, groups_by_sign
        )

    def fit_features(
        self,
        features_by_sign: Mapping[str, npt.NDArray[np.floating]],
        scores_by_sign: Mapping[str, npt.ArrayLike],
        groups_by_sign: Mapping[str, Sequence[object]] | None = None,
    ) -> None:
        """`fit` on features (B, D) that `extract` gave before: they take minutes, the fit takes seconds."""
        if set(features_by_sign) != set(scores_by_sign):
            odd = ", ".join(sorted(set(features_by_sign) ^ set(scores_by_sign)))
            raise DatasetError(f"crops or scores are missing for: {odd}; give both for every sign")
        for sign, features in features_by_sign.items():
            scores = np.asarray(scores_by_sign[sign], np.float64)
            groups = list(groups_by_sign[sign]) if groups_by_sign is not None else list(range(len(features)))
            if scores.shape != (len(features),) or len(groups) != len(features):
                raise DatasetError(f"sign '{sign}': {len(features)} crops, {scores.shape} scores, {len(groups)} groups")
            if not np.isfinite(scores).all() or not np.isfinite(features).all():
                raise DatasetError(f"sign '{sign}': a score or feature is not a finite number; drop its row")
            folds = person_folds(groups, FOLDS)
            if folds.max(initial=0) + 1 < FOLDS:
                raise DatasetError(f"sign '{sign}': fewer people than the {FOLDS} folds; give more crops")
            self.fits[sign] = fit_ridge(np.asarray(features, np.float64), scores, folds)

    def extract(self, crops: Crops) -> npt.NDArray[np.float32]:
        """Features (B, D) of crops (B, h, w, 3), or of a sequence of B crops (h, w, 3) of any sizes."""
        if isinstance(crops, np.ndarray):
            return self._features(crops)
        if not crops:
            raise DatasetError("there are no crops to judge; give at least one")
        return np.concatenate([self._features(crop[None]) for crop in crops])

    def predict(self, crops_by_sign: Mapping[str, Crops]) -> dict[str, npt.NDArray[np.float64]]:
        """Scores crops.

        Args:
            crops_by_sign: Sign to crops as in `fit`.

        Returns:
            Sign to (B,) scores, in units of the scores it was fitted on and not clipped to their range.

        Raises:
            AtlasError: A sign was never fitted.
        """
        unknown = sorted(set(crops_by_sign) - set(self.fits))
        if unknown:
            known = ", ".join(sorted(self.fits)) or "none"
            raise AtlasError(f"the judge was not fitted on: {', '.join(unknown)}; it knows: {known}")
        return {sign: self.fits[sign].predict(self.extract(crops)) for sign, crops in crops_by_sign.items()}
