"""Does a sign do what its target says, and do the others stay?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
# A step back of less than this is the judge's rounding, not the model's.
STILL = 1e-3


def mean_absolute_error(targets: npt.ArrayLike, estimates: npt.ArrayLike) -> float:
    """Mean of |target - estimate|, estimates clipped to 0..1 where the scale ends; NaN where a target is unknown."""
    wanted, found = np.asarray(targets, np.float64), np.clip(np.asarray(estimates, np.float64), 0, 1)
    known = np.isfinite(wanted)
    return float(np.abs(wanted - found)[known].mean()) if known.any() else float("nan")


def slope(levels: npt.ArrayLike, estimates: npt.ArrayLike) -> float:
    """Least-squares slope of estimates (L,) over target levels (L,); 1 follows them, 0 ignores them."""
    x, y = np.asarray(levels, np.float64), np.asarray(estimates, np.float64)
    return float(((x - x.mean()) * (y - y.mean())).sum() / np.square(x - x.mean()).sum())


def monotone(estimates: npt.ArrayLike) -> bool:
    """Whether estimates (L,), of rising levels, never fall, and rise on the whole."""
    y = np.asarray(estimates, np.float64)
    return bool((np.diff(y) >= -STILL).all() and y[-1] - y[0] > STILL)


def cross_talk(changes: npt.NDArray[np.floating], swept: int) -> Array:
    """How much each sign moves when one is swept.

    Args:
        changes: (S,) mean change of each sign when one alone goes from little to much.
        swept: Which one.

    Returns:
        (S,): changes over the swept sign's own, which is 1; NaN if that did not move.
    """
    own = float(changes[swept])
    return np.asarray(changes / (own if abs(own) > STILL else np.nan), np.float64)
