"""Which place of one face is which of another, by their landmarks."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# The irises follow the gaze and are left out.
_MESH = 468
# The mesh's upper edge, lifted to about the hairline, as far as the forehead is high there.
_UPPER_EDGE = (54, 103, 67, 109, 10, 338, 297, 332, 284)
_FOREHEAD = (10, 9)
# Points to a side of the picture's border, which lies still.
_BORDER = 5


def places_in(
    other: npt.NDArray[np.float32],
    own: npt.NDArray[np.float32],
    size: int,
    xs: npt.NDArray[np.float32],
    ys: npt.NDArray[np.float32],
) -> npt.NDArray[np.float32]:
    """Where in another aligned face the places of this one are.

    Args:
        other: (478, 2), landmarks of the other face.
        own: (478, 2), landmarks of this one.
        size: Side of both pictures, pixels.
        xs: (w,), columns of this face that are asked for.
        ys: (h,), rows.

    Returns:
        (h, w, 2), x and y in the other face.
    """
    from scipy.interpolate import LinearNDInterpolator
    from scipy.spatial import Delaunay

    lines = LinearNDInterpolator(Delaunay(_points(own, size)), _points(other, size))
    return np.asarray(lines(np.stack(np.meshgrid(xs, ys), axis=-1)), np.float32)


def turned(landmarks: npt.NDArray[np.float32]) -> float:
    """How far a face looks aside: the tip of its nose off the middle, as a share of its width; right is above 0."""
    left, nose, right = landmarks[[234, 1, 454], 0]
    return float((nose - left) / (right - left) - 0.5)


def _points(landmarks: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float64]:
    top, brow = _FOREHEAD
    lifted = landmarks[list(_UPPER_EDGE)] + landmarks[top] - landmarks[brow]
    steps = np.linspace(-size / 16, size + size / 16, _BORDER)
    border = [(x, y) for x in steps for y in steps if {x, y} & {steps[0], steps[-1]}]
    return np.concatenate([landmarks[:_MESH], lifted, border]).astype(np.float64)
