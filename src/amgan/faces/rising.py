"""How far values have come between two limits."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def rising(values: npt.NDArray[np.float32] | np.float32, limits: tuple[float, float]) -> npt.NDArray[np.float32]:
    """0 up to the first limit, 1 from the second on, and a straight line in between.

    Example:
        >>> rising(np.float32([0, 0.25, 0.5, 1]), (0.0, 0.5)).tolist()
        [0.0, 0.5, 1.0, 1.0]
    """
    low, high = limits
    return np.asarray(((values - low) / np.float32(high - low)).clip(0, 1), np.float32)
