"""How strong are the clinical signs? One ridge regression a sign on pooled features of its zone's crops."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from amgan.errors import AtlasError, DatasetError

from .resnet import ResNetFeatures

Crops = npt.NDArray[np.uint8] | Sequence[npt.NDArray[np.uint8]]
Features = Callable[[npt.NDArray[np.uint8]], npt.NDArray[np.float32]]

# Ridge penalties tried, as multiples of the number of rows, so that one grid serves small and large tables.
PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)


@dataclass(frozen=True)
class SignFit:
    """One fitted sign and how well it did on crops it had not seen.

    Attributes:
        mean: (D,) mean of the features over the training crops.
        scale: (D,) their standard deviation; 1 where a feature never changes.
        weights: (D,) weights of the standardised features.
        bias: Mean score.
        penalty: The penalty that cross-validation chose, as a multiple of `count`.
        correlation: Pearson's r of held-out predictions and scores, -1..1; 0 where either does not vary.
        error: Mean absolute error of held-out predictions, in units of the scores.
        count: Crops it was fitted on.
    """

    mean: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]
    bias: float
    penalty: float
    correlation: float
    error: float
    count: int

    def predict(self, features: npt.NDArray[np.floating]) -> npt.NDArray[np.float64]:
        """Scores (B,) of features (B, D); not clipped, so that a score beyond the atlas shows."""
        standard: npt.NDArray[np.float64] = (features - self.mean) / self.scale
        return standard @ self.weights + self.bias


class SignJudge:
    """Scores clinical signs on crops of their zones.

    A crop is a (B, h, w, 3) uint8 array and where it comes from is the caller's affair; use the same way of cropping
    for fitting and predicting, and no shrinking: fine lines are what is judged, and a 1024 px face is about as coarse
    as they survive. Ridge predictions are drawn towards the mean of the training scores. So compare the predictions
    on edited pictures with those on real ones, not with the scores asked for.

    Args:
        features: Turns (B, h, w, 3) uint8 crops into (B, D) features; by default `ResNetFeatures`.
        penalties: Ridge penalties to choose from, as multiples of the number of crops.
        folds: Folds of the cross-validation.

    Raises:
        MissingExtraError: The default features are asked for and their packages are not installed.
    """

    def __init__(
        self, features: Features | None = None, penalties: Sequence[float] = PENALTIES, folds: int = 5
    ) -> None:
        self._features: Features = ResNetFeatures() if features is None else features
        self._penalties = tuple(penalties)
        self._folds = folds
        self.fits: dict[str, SignFit] = {}

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
            folds = _folds(groups, self._folds)
            if folds.max(initial=0) + 1 < self._folds:
                raise DatasetError(f"sign '{sign}': fewer people than the {self._folds} folds; give more crops")
            self.fits[sign] = _fit(np.asarray(features, np.float64), scores, folds, self._penalties)

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


def _folds(groups: Sequence[object], folds: int) -> npt.NDArray[np.int64]:
    """A fold number for every row, whole groups together, shuffled the same way every time."""
    index: dict[object, int] = {}
    codes = np.array([index.setdefault(group, len(index)) for group in groups], np.int64)
    # Shuffled, since tables come sorted by source, and a fold of one source is another question.
    order = np.random.default_rng(0).permutation(len(index))
    fold: npt.NDArray[np.int64] = (order % folds)[codes]
    return fold


def _standardise(x: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Mean and deviation (D,) of the columns; a column that never changes gets 1, since it says nothing."""
    mean, scale = x.mean(0), x.std(0)
    # Rounding leaves a constant column a deviation of 1e-17 or so: compare with the size of its values.
    return mean, np.where(scale > 1e-9 * (1 + np.abs(mean)), scale, 1.0)


def _ridge(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], penalties: Sequence[float]
) -> npt.NDArray[np.float64]:
    """Minimises |x w - y|^2 + N penalty |w|^2 for each penalty: (P, D) for x (N, D) and y (N,), both centred.

    One eigendecomposition of the smaller of x x^T and x^T x serves all penalties.
    """
    n, d = x.shape
    wide = n <= d
    values, vectors = np.linalg.eigh(x @ x.T if wide else x.T @ x)
    # Rounding makes zero eigenvalues slightly negative, which a small penalty would not cover.
    values = np.maximum(values, 0.0)
    target = vectors.T @ (y if wide else x.T @ y)
    solutions = np.stack([vectors @ (target / (values + n * penalty)) for penalty in penalties])
    return solutions @ x if wide else solutions


def _fit(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], folds: npt.NDArray[np.int64], penalties: Sequence[float]
) -> SignFit:
    """Chooses the penalty of least squared error on held-out folds, then fits all rows with it."""
    held_out = np.zeros((len(penalties), len(y)))
    for fold in range(int(folds.max()) + 1):
        test = folds == fold
        # Standardised on the training rows alone: the held-out ones must not leak into it.
        mean, scale = _standardise(x[~test])
        bias = y[~test].mean()
        weights = _ridge((x[~test] - mean) / scale, y[~test] - bias, penalties)
        held_out[:, test] = weights @ ((x[test] - mean) / scale).T + bias
    best = int(((held_out - y) ** 2).mean(1).argmin())
    mean, scale = _standardise(x)
    bias = float(y.mean())
    return SignFit(
        mean=mean,
        scale=scale,
        weights=_ridge((x - mean) / scale, y - bias, penalties[best : best + 1])[0],
        bias=bias,
        penalty=float(penalties[best]),
        correlation=_correlation(held_out[best], y),
        error=float(np.abs(held_out[best] - y).mean()),
        count=len(y),
    )


def _correlation(a: npt.NDArray[np.float64], b: npt.NDArray[np.float64]) -> float:
    a, b = a - a.mean(), b - b.mean()
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / size if size > 0 else 0.0
