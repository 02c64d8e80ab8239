"""How far apart are two sets of pictures, seen through a network: Fréchet distance and KID."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


def frechet_distance(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> float:
    """Squared Fréchet distance of the Gaussians fitted to two sets, in float64 (Heusel et al. 2017).

    The trace of the root of the product of two covariances A'A and B'B is the sum of the singular values of A B', which
    needs no root of a matrix that has none when the pictures are fewer than the features.

    Args:
        a: (N, D) features, N at least 2.
        b: (M, D) features.

    Returns:
        At least 0, up to rounding.
    """
    x, y = np.asarray(a, np.float64), np.asarray(b, np.float64)
    root_a, root_b = _root(x), _root(y)
    cross = np.linalg.svd(root_a @ root_b.T, compute_uv=False).sum()
    means = np.square(x.mean(axis=0) - y.mean(axis=0)).sum()
    return float(means + np.square(root_a).sum() + np.square(root_b).sum() - 2 * cross)


def kernel_distance(a: npt.NDArray[np.floating], b: npt.NDArray[np.floating]) -> float:
    """KID: the unbiased squared MMD with the cubic polynomial kernel (Binkowski et al. 2018), over all pairs.

    Args:
        a: (N, D) features.
        b: (M, D) features.

    Returns:
        About 0 for sets of one distribution; may be negative.
    """
    first, second = np.asarray(a, np.float64), np.asarray(b, np.float64)

    def kernel(x: Array, y: Array) -> Array:
        return np.asarray((x @ y.T / x.shape[1] + 1) ** 3, np.float64)

    def within(x: Array) -> float:
        found = kernel(x, x)
        return float((found.sum() - np.trace(found)) / (len(x) * (len(x) - 1)))

    return within(first) + within(second) - 2 * float(kernel(first, second).mean())


def _root(x: Array) -> Array:
    """R (K, D) with R'R the covariance of the rows of x (N, D), K the smaller of N and D."""
    centred = (x - x.mean(axis=0)) / np.sqrt(len(x) - 1)
    return centred if len(x) <= x.shape[1] else np.asarray(np.linalg.qr(centred, mode="r"), np.float64)
