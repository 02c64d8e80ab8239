"""How light and shape of faces go with age in the mean of many, as it was measured on the photos of a model."""

from __future__ import annotations

import functools
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from amgan.errors import WeightsError, in_one_line
from amgan.maps.mesh import mean_face
from amgan.maps.sagging import field_of
from amgan.maps.shading import as_made

# A level of what is stored stands for so much, as a logarithm; the middle level for nothing.
_LEVEL, _MIDDLE = 1 / 256, 128

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Trends:
    """What goes with age on everybody.

    Attributes:
        light: (S, S, 3), logarithms of light on the mean face for one more of the whole scale of the sign that lies
            there, or of age; as measured, for `amgan.maps.shading`.
        moves: (468, 2), how far each landmark moves from 18 to 80 years, pixels of a square of 1024 right and down; for
            `amgan.maps.sagging`.
    """

    light: Array
    moves: Array

    @functools.cached_property
    def lights(self) -> Array:
        """(S, S, 3), the light that is made of that, for `amgan.maps.shading.shading`."""
        return as_made(self.light)

    @functools.cached_property
    def field(self) -> Array:
        """(R, R, 2), the moves of all places of the mean face, for `amgan.maps.sagging.sagging`."""
        return field_of(self.moves)

    def packed(self) -> bytes:
        """Light, in 256 levels, and moves, as NumPy writes arrays, one behind the other."""
        file = io.BytesIO()
        np.save(file, np.round(self.light / _LEVEL + _MIDDLE).clip(0, 255).astype(np.uint8))
        np.save(file, self.moves.astype(np.float32))
        return file.getvalue()


def unpacked(content: bytes, path: Path) -> Trends:
    """What `Trends.packed` gave.

    Args:
        content: That.
        path: Where it was read, for messages.

    Raises:
        WeightsError: It is damaged, or of other landmarks.
    """
    file = io.BytesIO(content)
    try:
        light, moves = np.load(file, allow_pickle=False), np.load(file, allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise WeightsError(f"{path}: damaged model ({in_one_line(error)})") from error
    if light.ndim != 3 or light.shape != (len(light), len(light), 3) or moves.shape != mean_face().shape:
        raise WeightsError(f"{path}: damaged model (light of shape {light.shape}, moves of shape {moves.shape})")
    measured = (light.astype(np.float32) - _MIDDLE) * np.float32(_LEVEL)
    return Trends(measured, np.asarray(moves, np.float32))
