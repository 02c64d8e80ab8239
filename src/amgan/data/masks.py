"""Many masks of one face in little memory, of which a patch takes the part that it shows."""

from __future__ import annotations

import zlib

import numpy as np
import numpy.typing as npt

# Bytes that say where a mask is not empty: top, left, height and width.
_BOX = np.dtype(np.uint16), 4


def pack_masks(masks: npt.NDArray[np.uint8], compressed: bool = True) -> npt.NDArray[np.uint8]:
    """Masks (K, R, R) in one row of bytes, for `Masks`: of each the rectangle that is not empty.

    Most zones take a hundredth of a picture: so they are a fifth of the size, and a twentieth if they are compressed,
    but then five times as long under way.
    """
    boxes = np.zeros((len(masks), _BOX[1]), _BOX[0])
    parts = [b""]
    for box, mask in zip(boxes, masks, strict=True):
        rows, columns = (np.flatnonzero(mask.any(axis=axis)) for axis in (1, 0))
        if len(rows):
            top, bottom, left, right = rows[0], rows[-1] + 1, columns[0], columns[-1] + 1
            box[:] = top, left, bottom - top, right - left
            parts.append(mask[top:bottom, left:right].tobytes())
    return np.frombuffer(zlib.compress(boxes.tobytes() + b"".join(parts), 1 if compressed else 0), np.uint8)


class Masks:
    """Packed masks.

    Args:
        packed: Of `pack_masks`.
        count: K, how many masks there are.
        side: R, of each.

    Example:
        >>> masks = np.zeros((2, 4, 4), np.uint8)
        >>> masks[0, 1, 2] = 255
        >>> Masks(pack_masks(masks), 2, 4).part(1, 1, 2)[0].tolist()
        [[0.0, 1.0], [0.0, 0.0]]
    """

    def __init__(self, packed: npt.NDArray[np.uint8], count: int, side: int) -> None:
        self.side = side
        whole = np.frombuffer(zlib.decompress(packed.data), np.uint8)
        kind, numbers = _BOX
        first = count * numbers * kind.itemsize
        self._boxes = whole[:first].view(kind).reshape(count, numbers).astype(int)
        sizes = self._boxes[:, 2] * self._boxes[:, 3]
        ends = first + np.cumsum(sizes)
        self._parts = [
            whole[end - size : end].reshape(box[2:]) for end, size, box in zip(ends, sizes, self._boxes, strict=True)
        ]

    def mask(self, number: int) -> npt.NDArray[np.uint8]:
        """(R, R), one of them; below 0 counted from the last one."""
        found = np.zeros((self.side, self.side), np.uint8)
        top, left, height, width = self._boxes[number]
        found[top : top + height, left : left + width] = self._parts[number]
        return found

    def part(self, top: int, left: int, side: int) -> npt.NDArray[np.float32]:
        """(K, side, side) in 0..1, all of them in a square of this upper left corner."""
        found = np.zeros((len(self._parts), side, side), np.float32)
        for into, (first, beside, height, width), mask in zip(found, self._boxes, self._parts, strict=True):
            upper, lower = max(top, first), min(top + side, first + height)
            near, far = max(left, beside), min(left + side, beside + width)
            if upper < lower and near < far:
                shown = mask[upper - first : lower - first, near - beside : far - beside]
                np.divide(shown, 255, out=into[upper - top : lower - top, near - left : far - left], dtype=np.float32)
        return found
