"""Does an edit stay where it belongs?"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Rgb = npt.NDArray[np.uint8]


def inside_over_rest(
    difference: npt.NDArray[np.floating], zone: npt.NDArray[np.bool_], head: npt.NDArray[np.bool_]
) -> float:
    """How much more an edit changes its zone than the rest of the head.

    Args:
        difference: (H, W) size of the change, grey levels.
        zone: (H, W) what was to be edited.
        head: (H, W) face and hair.

    Returns:
        Mean change inside the zone over that in the rest of the head; NaN if nothing changed.
    """
    inside, rest = float(difference[zone].mean()), float(difference[head & ~zone].mean())
    return inside / max(rest, 1e-6) if inside or rest else float("nan")


def stray(before: Rgb, after: Rgb, outline: npt.NDArray[np.bool_]) -> int:
    """The largest change of any channel outside of `outline` (H, W), grey levels; 0 is bit-exact."""
    off = np.abs(after.astype(np.int16) - before).max(axis=2)
    return int(off[~outline].max(initial=0))
