"""Ridge regression whose penalty is chosen on people it has not seen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]

# Ridge penalties tried, as multiples of the number of rows, so that one grid serves small and large tables.
PENALTIES = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)

# How many of its standard errors the mean gain of a blend, in squared errors, must have to count as more than chance.
GAIN = 2.0


@dataclass(frozen=True)
class RidgeFit:
    """A fit and how well it did on rows it had not seen.

    Attributes:
        mean: (D,) mean of the features over the training rows.
        scale: (D,) their standard deviation; 1 where a feature never changes.
        weights: (D,) weights of the standardised features.
        bias: Mean score.
        penalty: The penalty that cross-validation chose, as a multiple of `count`.
        held_out: (N,) predictions of the training rows by fits without their fold.
        correlation: Pearson's r of those and the scores, -1..1; 0 where either does not vary.
        error: Mean absolute error of those, in units of the scores.
        count: Rows it was fitted on.
    """

    mean: Array
    scale: Array
    weights: Array
    bias: float
    penalty: float
    held_out: Array
    correlation: float
    error: float
    count: int

    def predict(self, features: npt.NDArray[np.floating]) -> Array:
        """Scores (B,) of features (B, D); not clipped, so that a score beyond the scale shows."""
        standard: Array = (features - self.mean) / self.scale
        return standard @ self.weights + self.bias

    @property
    def plain(self) -> tuple[Array, float]:
        """Weights (D,) and bias for features as they come, not standardised."""
        weights = self.weights / self.scale
        return weights, self.bias - float(self.mean @ weights)


def fit_ridge(x: Array, y: Array, folds: npt.NDArray[np.int64], penalties: Sequence[float] = PENALTIES) -> RidgeFit:
    """Chooses the penalty of least squared error on held-out folds, then fits all rows with it.

    Args:
        x: (N, D) features.
        y: (N,) scores.
        folds: (N,) the fold of each row, from `person_folds`.
        penalties: To choose from, as multiples of the number of rows.
    """
    held_out = np.zeros((len(penalties), len(y)))
    for fold in range(int(folds.max()) + 1):
        test = folds == fold
        # Standardised on the training rows alone: the held-out ones must not leak into it.
        mean, scale = _standardise(x[~test])
        bias = y[~test].mean()
        weights = solve_ridge((x[~test] - mean) / scale, y[~test] - bias, penalties)
        held_out[:, test] = weights @ ((x[test] - mean) / scale).T + bias
    best = int(((held_out - y) ** 2).mean(1).argmin())
    mean, scale = _standardise(x)
    bias = float(y.mean())
    return RidgeFit(
        mean=mean,
        scale=scale,
        weights=solve_ridge((x - mean) / scale, y - bias, penalties[best : best + 1])[0],
        bias=bias,
        penalty=float(penalties[best]),
        held_out=held_out[best],
        correlation=pearson(held_out[best], y),
        error=float(np.abs(held_out[best] - y).mean()),
        count=len(y),
    )


@dataclass(frozen=True)
class Blend:
    """Several fits of the same scores as one.

    Attributes:
        shares: (K,) factor of each fit's answer, none below zero.
        bias: What is added.
        held_out: (N,) the blend's predictions of the training rows by fits and shares without their fold.
        correlation: As of `RidgeFit`, of `held_out`.
        error: Likewise.
    """

    shares: Array
    bias: float
    held_out: Array
    correlation: float
    error: float


def blend(held_out: Array, own: int, y: Array, folds: npt.NDArray[np.int64]) -> Blend:
    """Finds how much to believe each of several fits ("stacking"), by what they say of rows that they had not seen.

    Shares below zero would fit the fits' common errors; without them a fit that adds nothing gets none. Unless the
    blend is better by more than chance, the fit that stands to reason answers alone.

    Args:
        held_out: (K, N) what `fit_ridge` held out, of fits of the same rows, folds and scores.
        own: Which of the fits stands to reason.
        y: (N,) scores.
        folds: (N,) the fold of each row, from `person_folds`.
    """
    # Takes as long to load as a face to judge, and who only judges needs none.
    from scipy.optimize import nnls

    def shares_of(rows: npt.NDArray[np.bool_]) -> tuple[Array, float]:
        means, mean = held_out[:, rows].mean(axis=1), y[rows].mean()
        shares: Array = nnls((held_out[:, rows] - means[:, None]).T, y[rows] - mean)[0]
        return shares, float(mean - shares @ means)

    blended = np.zeros(len(y))
    for fold in range(int(folds.max()) + 1):
        test = folds == fold
        shares, bias = shares_of(~test)
        blended[test] = shares @ held_out[:, test] + bias
    shares, bias = shares_of(np.ones(len(y), bool))
    gain = (held_out[own] - y) ** 2 - (blended - y) ** 2
    if gain.mean() < GAIN * gain.std() / len(y) ** 0.5:
        shares, bias, blended = np.eye(len(held_out))[own], 0.0, held_out[own]
    return Blend(shares, bias, blended, pearson(blended, y), float(np.abs(blended - y).mean()))


def person_folds(people: Sequence[object], folds: int) -> npt.NDArray[np.int64]:
    """A fold number for every row, all rows of a person together, shuffled the same way every time."""
    index: dict[object, int] = {}
    codes = np.array([index.setdefault(person, len(index)) for person in people], np.int64)
    # Shuffled, since tables come sorted by source, and a fold of one source is another question.
    order = np.random.default_rng(0).permutation(len(index))
    fold: npt.NDArray[np.int64] = (order % folds)[codes]
    return fold


def solve_ridge(x: Array, y: Array, penalties: Sequence[float]) -> Array:
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


def pearson(a: Array, b: Array) -> float:
    """Pearson's r of (N,) and (N,); 0 where either does not vary."""
    a, b = a - a.mean(), b - b.mean()
    size = float(np.linalg.norm(a) * np.linalg.norm(b))
    return float(a @ b) / size if size > 0 else 0.0


def _standardise(x: Array) -> tuple[Array, Array]:
    """Mean and deviation (D,) of the columns; a column that never changes gets 1, since it says nothing."""
    mean, scale = x.mean(0), x.std(0)
    # Rounding leaves a constant column a deviation of 1e-17 or so: compare with the size of its values.
    return mean, np.where(scale > 1e-9 * (1 + np.abs(mean)), scale, 1.0)
