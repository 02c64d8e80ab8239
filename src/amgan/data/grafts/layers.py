"""What grafts want to know of a whole face, found once and kept small; of which a patch takes its part."""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
import numpy.typing as npt

from amgan.data.cache import ArrayCache
from amgan.data.grafts.bare_skin import bare_skin
from amgan.data.grafts.hair import hair_mask
from amgan.data.grafts.relief import reach, relief_of
from amgan.data.grafts.retouch import own_lines
from amgan.data.grafts.window import mask_part
from amgan.data.store import Store
from amgan.faces.align import at_side
from amgan.faces.outlines import SIDE
from amgan.maps.mesh import places_of
from amgan.signs.atlas import Atlas
from amgan.signs.zones import rasterise

# Logarithms are kept as bytes of this step, a fifth of a grey level at medium light on the mean: up to 0.7.
_STEP = np.float32(1 / 180)
# What relief and lines of a face take, to its pixels: bare skin lies in two fifths of the square, in three channels.
_SHARE = 2.5
# What those of all faces may take together, bytes: three quarters of what a run keeps in memory if nobody says more.
_MOST = 3 * 2**30

_Array = npt.NDArray[np.float32]
_Find = Callable[[npt.NDArray[np.uint8], _Array, int], _Array]


class FaceLayers:
    """Bare skin, hair, places, relief and lines of the faces of a store. Threads may share one.

    Relief and lines take a while. Of a set of some hundred faces they are found once a face, of a larger one anew for
    each patch. Which of both depends on the set alone, since they differ by roundings and a batch must not depend on
    how much memory there is.

    Args:
        store: Prepared faces.
        atlas: Gives the outline of the head.
        indices: Rows of the store that are meant by their place here.
        cache_bytes: What may be kept in memory.
        most: Up to how many bytes for all faces relief and lines are found once a face.

    Attributes:
        kept: What is kept.
        whole: Whether relief and lines are found once a face.
    """

    def __init__(
        self, store: Store, atlas: Atlas, indices: npt.NDArray[np.int64], cache_bytes: int, most: int = _MOST
    ) -> None:
        self.store, self.atlas, self.indices = store, atlas, indices
        self.kept = ArrayCache(cache_bytes)
        each = _SHARE * store.size**2 + 2 * SIDE**2  # beside two masks
        self.whole = len(indices) * each <= most

    def bare(self, pick: int, size: int, rows: slice, columns: slice) -> _Array:
        """(h, w) in 0..1, where a part of a face shows bare skin.

        Args:
            pick: A place among `indices`.
            size: Side of the face in pixels, to which rows and columns belong.
            rows: Of the part.
            columns: Likewise.
        """
        return mask_part(self._bare(pick), size, rows, columns)

    def hair(self, pick: int, size: int, rows: slice, columns: slice) -> _Array:
        """(h, w) in 0..1, how grey hair may go (`hair_mask`); arguments as for `bare`."""
        index = self.indices[pick]
        landmarks = self.store.landmarks[index]

        def make() -> npt.NDArray[np.uint8]:
            head = np.round(255 * rasterise(self.atlas.head, landmarks, self.store.size, SIDE)).astype(np.uint8)
            whiskers = self.store.rows[index].sex != "female"
            return hair_mask(self.store.images[index], landmarks, self._bare(pick), head, whiskers)

        return mask_part(self.kept.get(("hair", pick), make), size, rows, columns)

    def places(self, pick: int) -> _Array:
        """(S, S, 2), where in the face the places of the mean face are (`places_of`)."""
        landmarks = self.store.landmarks[self.indices[pick]]
        return self.kept.get(("places", pick), lambda: places_of(landmarks, self.store.size))

    def relief(self, pick: int, size: int, rows: slice, columns: slice) -> _Array:
        """(h, w, 3), the relief of a part of a face (`relief_of`); arguments as for `bare`."""
        return self._found(
            relief_of, pick, lambda: at_side(self.store.images[self.indices[pick]], size), size, rows, columns
        )

    def lines(self, pick: int, picture: npt.NDArray[np.uint8], rows: slice, columns: slice) -> _Array:
        """(h, w, 3), what retouching takes from a part of a face (`own_lines`).

        Args:
            pick: As for `bare`.
            picture: (S, S, 3) uint8, the face, which whoever draws a patch of it has at hand.
            rows: As for `bare`.
            columns: Likewise.
        """
        return self._found(own_lines, pick, lambda: picture, len(picture), rows, columns)

    def _found(
        self,
        find: _Find,
        pick: int,
        picture: Callable[[], npt.NDArray[np.uint8]],
        size: int,
        rows: slice,
        columns: slice,
    ) -> _Array:
        def in_part(tall: slice, wide: slice) -> _Array:
            # What is around it is looked at too.
            around = reach(size)
            more = [slice(max(of.start - around, 0), min(of.stop + around, size)) for of in (tall, wide)]
            found = find(picture()[more[0], more[1]], self.bare(pick, size, *more), size)
            top, left = tall.start - more[0].start, wide.start - more[1].start
            return found[top : top + tall.stop - tall.start, left : left + wide.stop - wide.start]

        if not self.whole:
            return in_part(rows, columns)
        bounds = self.kept.get(("bounds", pick, size), lambda: _bounds(self._bare(pick), size))
        top, bottom, left, right = bounds.tolist()

        def make() -> npt.NDArray[np.int8]:
            logs = in_part(slice(top, bottom), slice(left, right))
            return np.round(logs / _STEP).clip(-127, 127).astype(np.int8)

        layer = self.kept.get((find, pick, size), make)
        found = np.zeros((rows.stop - rows.start, columns.stop - columns.start, 3), np.float32)
        upper, lower = max(rows.start, top), min(rows.stop, bottom)
        near, far = max(columns.start, left), min(columns.stop, right)
        if upper < lower and near < far:
            into = found[upper - rows.start : lower - rows.start, near - columns.start : far - columns.start]
            np.multiply(layer[upper - top : lower - top, near - left : far - left], _STEP, out=into)
        return found

    def _bare(self, pick: int) -> npt.NDArray[np.uint8]:
        index = self.indices[pick]
        return self.kept.get(("bare", pick), lambda: bare_skin(self.store.images[index], self.store.landmarks[index]))


def _bounds(mask: npt.NDArray[np.uint8], size: int) -> npt.NDArray[np.int64]:
    """Top, bottom, left and right, in pixels of a square of this side, of what is in a mask (R, R)."""
    factor = size / len(mask)
    found = []
    for axis in (1, 0):
        seen = np.flatnonzero(cv2.reduce(mask, 1 - axis, cv2.REDUCE_MAX))
        first, last = (seen[0], seen[-1]) if len(seen) else (0, -1)
        # A mask that is enlarged reaches half a pixel of its own further.
        found += [max(int((first - 1) * factor), 0), min(int(np.ceil((last + 2) * factor)), size)]
    return np.array(found)
