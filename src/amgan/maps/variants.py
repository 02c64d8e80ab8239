"""Other lines for other faces: which pattern of a memory, which way round, and how it is bent.

Everybody's forehead has lines, and no two foreheads the same. A generator with a memory of lines draws what lies at the
places that its location maps say; so faces get lines of their own by other places.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from amgan.faces.rising import rising

# Waves along each axis, their lengths, and by how much together they move a line at most; a picture goes from -1 to 1,
# so that the last is 9 pixels of 1024.
_WAVES, _LENGTHS, _MOST = 2, (0.7, 1.4), 0.018
# On a forehead lines lie where they like: how high above the brows that begins and is so, and by how much more they are
# moved up or down there, in waves of which lengths.
_FOREHEAD, _FREE, _FREE_LENGTHS = (-0.28, -0.48), 0.07, (0.9, 2.0)


def varied(places: npt.NDArray[np.float32], number: int, patterns: int) -> npt.NDArray[np.float32]:
    """Location maps for one of many sets of lines.

    Args:
        places: (2, H, W), X and Y on the mean face (`amgan.maps.mesh.face_places`).
        number: Which set, from 0 on; those that differ by `patterns` have the same pattern, otherwise bent or mirrored.
        patterns: How many patterns the memory has.

    Returns:
        (3, H, W) float32: X and Y where the lines come from, and which pattern, -1 for the first to 1 for the last.

    Example:
        >>> places = np.zeros((2, 4, 4), np.float32)
        >>> [float(varied(places, number, 3)[2, 0, 0]) for number in range(4)]
        [-1.0, 0.0, 1.0, -1.0]
    """
    rng = np.random.default_rng(number)
    mirrored = rng.random() < 0.5
    found = np.empty((3, *places.shape[1:]), np.float32)
    for axis in range(2):
        found[axis] = places[axis] + _waves(places, rng, _LENGTHS, _MOST)
    found[1] += rising(places[1], _FOREHEAD) * _waves(places, rng, _FREE_LENGTHS, _FREE)
    if mirrored:
        found[0] *= -1
    found[2] = third_map(which_pattern(number, patterns), patterns)
    return found


def _waves(
    places: npt.NDArray[np.float32], rng: np.random.Generator, lengths: tuple[float, float], most: float
) -> npt.NDArray[np.float32]:
    """(H, W), by how much each place is moved along an axis."""
    found = np.zeros(places.shape[1:], np.float32)
    for share in rng.dirichlet(np.ones(_WAVES)):
        direction, phase = rng.uniform(0, 2 * np.pi, 2)
        pace = 2 * np.pi / rng.uniform(*lengths)
        # Of float32 like the places: with a float64 among them all is computed so, in four times the time.
        across, down, phase, height = np.array(
            [pace * np.cos(direction), pace * np.sin(direction), phase, share * most], np.float32
        )
        found += height * np.sin(across * places[0] + down * places[1] + phase)
    return found


def which_pattern(number: int, patterns: int) -> int:
    """The pattern of a set of lines."""
    return number % patterns


def third_map(pattern: int, patterns: int) -> float:
    """What the third location map is where one of so many patterns is wanted."""
    return pattern * 2 / max(patterns - 1, 1) - 1
