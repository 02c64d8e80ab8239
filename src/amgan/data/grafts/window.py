"""A patch of a face, and the part of a mask that it shows."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from amgan.maps.arrays import grown_part
from amgan.maps.mesh import places_in

_Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Window:
    """A patch of a face.

    Attributes:
        x: Left edge, pixels.
        y: Upper edge.
        side: Pixels.
        zones: (Z, h, w) in 0..1, the face's zones there.
        head: (h, w) in 0..1, the head.
        where: (h, w) in 0..1, how much of a change is made at each place.
        places: (2, P, P), where on the mean face it lies; None if location maps do not tell.
        lines: (2, P, P), where on the mean face its lines come from, likewise.
        pattern: Which pattern of lines.
    """

    x: int
    y: int
    side: int
    zones: _Array
    head: _Array
    where: _Array
    places: _Array | None = None
    lines: _Array | None = None
    pattern: int = 0

    @property
    def patch(self) -> tuple[slice, slice]:
        """Its rows and columns."""
        return slice(self.y, self.y + self.side), slice(self.x, self.x + self.side)

    def places_in(self, other: _Array, own: _Array, size: int) -> _Array:
        """(P, P, 2), where in another face its places are; arguments as for `amgan.maps.mesh.places_in`."""
        # The mesh is coarser than every fourth pixel.
        steps = np.arange(self.side // 4, dtype=np.float32) * 4 + np.float32(1.5)
        found = places_in(other, own, size, self.x + steps, self.y + steps)
        return np.asarray(cv2.resize(found, (self.side, self.side), interpolation=cv2.INTER_LINEAR), np.float32)


def mask_part(small: npt.NDArray[np.uint8], size: int, rows: slice, columns: slice) -> _Array:
    """A part (h, w) of a mask (R, R) of bytes that is brought to the face's side, in 0..1."""
    return np.asarray(grown_part(small, size, rows, columns) / np.float32(255), np.float32)
