"""Which place of one face is which of another, by their landmarks."""

from __future__ import annotations

import functools
import importlib.resources

import cv2
import numpy as np
import numpy.typing as npt

# The irises follow the gaze and are left out.
_MESH = 468
# The mesh's upper edge, lifted to about the hairline, as far as the forehead is high there.
_UPPER_EDGE = (54, 103, 67, 109, 10, 338, 297, 332, 284)
_FOREHEAD = (10, 9)
# Side of the square in which the mean face lies, pixels.
_MEAN_SIDE = 1024
# At this many places along each axis the mesh is asked, which is finer than its triangles.
LOCATED = 128
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


@functools.cache
def mean_face() -> npt.NDArray[np.float32]:
    """(468, 2), mean landmarks of aligned adult faces; where a picture goes from -1 to 1."""
    text = (importlib.resources.files("amgan.maps") / "mean_face.csv").read_text()
    pixels = np.loadtxt(text.splitlines(), np.float32, delimiter=",")
    return (pixels + np.float32(0.5)) * np.float32(2 / _MEAN_SIDE) - 1


def face_places(landmarks: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float32]:
    """Location maps that say where on the mean face each place of a face lies.

    Args:
        landmarks: (478, 2), of the face.
        size: Side of its picture, pixels.

    Returns:
        (2, 128, 128), X then Y, of which -1 to 1 is the picture of the mean face.
    """
    return np.ascontiguousarray(_asked(mean_face_in(size), landmarks, size).transpose(2, 0, 1))


def places_at(places: npt.NDArray[np.float32], side: int) -> npt.NDArray[np.float32]:
    """Location maps (2, R, R) at another side; a mesh is asked at 128 places along it, and no finer."""
    if side == places.shape[-1]:
        return places
    return np.stack([cv2.resize(axis, (side, side), interpolation=cv2.INTER_LINEAR) for axis in places])


def places_of(landmarks: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float32]:
    """The other way round: where on a face each place of the mean face lies.

    Args:
        landmarks: (478, 2), of the face.
        size: Side of its picture, pixels.

    Returns:
        (128, 128, 2), X and Y, of which -1 to 1 is the picture of the face.
    """
    return _asked(landmarks, mean_face_in(size), size)


def mean_face_in(size: int) -> npt.NDArray[np.float32]:
    """(468, 2), mean landmarks in a picture of this side, pixels."""
    return in_pixels(mean_face(), size)


def in_pixels(places: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float32]:
    """Places in a picture that goes from -1 to 1 as pixels of one of this side; of any shape.

    Example:
        >>> in_pixels(np.float32([-1, 0, 1]), 4).tolist()
        [-0.5, 1.5, 3.5]
    """
    return (places + 1) * np.float32(size / 2) - np.float32(0.5)


def _asked(other: npt.NDArray[np.float32], own: npt.NDArray[np.float32], size: int) -> npt.NDArray[np.float32]:
    """(128, 128, 2), `places_in` for places all over a picture, as shares of it from -1 to 1."""
    steps = (np.arange(LOCATED, dtype=np.float32) + np.float32(0.5)) * np.float32(size / LOCATED) - np.float32(0.5)
    return (places_in(other, own, size, steps, steps) + np.float32(0.5)) * np.float32(2 / size) - 1


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
