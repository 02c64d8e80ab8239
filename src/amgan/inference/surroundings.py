"""What is around an aligned face, as far as its hair reaches: the square that FFHQ places cuts crowns and long hair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

import cv2
import numpy as np
import numpy.typing as npt

from amgan.faces.align import Alignment, align_face
from amgan.faces.detect import Face
from amgan.faces.parsing import SIDE, FaceParser, Parts

# Hair is followed out of the square in steps of so many cells of the parser, and so many steps at most on every side:
# as far as half the square's side.
STEP, STEPS = SIDE // 16, 8
# From which share on a cell is hair that leads further, and how many cells around what is found may be hair in part.
_HAIR, _AROUND = 0.3, 3
# Less than this is no hair to follow.
_HARDLY = 0.05
# The parser knows more of a face that fills its picture: over this share of the square its answers on what is around
# take over from those, towards an edge behind which the photo goes on.
_BLEND = 0.08
# What is left of the photo behind an edge, if not more than this share of the side, is as what lies at that edge: from
# afar, and with the photo mirrored behind, hair in it is not seen well.
_NARROW = 0.03
# Hair that is no longer looked at fades out before over this share of what is, or over as much as the photo goes on if
# that is less; and from how many cells on that is worth to be followed.
FADE, EDGE = 0.04, 0.5
# Cells over which what touches somebody else's goes over to that.
_SHARED = 2.0

Array = npt.NDArray[np.float32]
ValueT = TypeVar("ValueT", bound=np.generic)

NOBODY: Array = np.zeros((0, 3), np.float32)


@dataclass(frozen=True)
class Surroundings:
    """A square around the middle of an aligned face, which is all there is of it where no hair leaves that.

    Attributes:
        alignment: Where it lies in the photo.
        pad: Pixels of it on every side of the face's square.
        rgb: (S + 2 pad, S + 2 pad, 3) uint8.
        hair: (R, R) in 0..1, how much of each cell is hair of this face; cells are as large as the parser's.
        skin: (R, R) in 0..1, how much of it is skin, whosever.
        whose: (`SIDE`, `SIDE`) in 0..1, of the face's own square, how much of it is this face's and nobody else's.
    """

    alignment: Alignment
    pad: int
    rgb: npt.NDArray[np.uint8]
    hair: Array
    skin: Array
    whose: Array

    @property
    def face(self) -> npt.NDArray[np.uint8]:
        """(S, S, 3) uint8, the face's own square."""
        return self.of_face(self.rgb)

    def of_face(self, pixels: npt.NDArray[ValueT]) -> npt.NDArray[ValueT]:
        """What is as large as `rgb`, within the face's own square."""
        inside = slice(self.pad, self.alignment.size - self.pad)
        return pixels[inside, inside]

    @property
    def cells(self) -> int:
        """Cells on every side of the face's square."""
        return (len(self.hair) - SIDE) // 2

    def resized(self, rgb: npt.NDArray[np.uint8], face: Alignment) -> Surroundings:
        """The same around a face's square at another size.

        Args:
            rgb: (H, W, 3) uint8, the photo.
            face: That square.
        """
        pad = self.cells * face.size // SIDE
        wide = face.padded(pad)
        return replace(self, alignment=wide, pad=pad, rgb=wide.crop(rgb))

    def window(self, shape: tuple[int, ...]) -> tuple[int, int, int, int]:
        """The box in a photo of `shape` (H, W) around the face's square and the hair: (left, top, right, bottom)."""
        ends = np.array([(self.cells, self.cells), (self.cells + SIDE, self.cells + SIDE)]) - 0.5
        there = np.argwhere(self.hair > 0)[:, ::-1]
        if len(there):
            # Brought to the photo's edges, hair reaches a little beyond its cells; pixel centres are at integers.
            around = _AROUND + 0.5
            ends = np.stack(
                [np.minimum(ends[0], there.min(axis=0) - around), np.maximum(ends[1], there.max(axis=0) + around)]
            )
        (x0, y0), (x1, y1) = ends.clip(-0.5, len(self.hair) - 0.5).tolist()
        corners = np.array([(x0, y0), (x1, y0), (x1, y1), (x0, y1)], np.float32)
        points = self.alignment.resized(len(self.hair)).to_photo(corners)
        box = np.stack([np.floor(points.min(axis=0)), np.ceil(points.max(axis=0)) + 1])
        (left, top), (right, bottom) = box.clip(0, shape[1::-1]).astype(int).tolist()
        return left, top, right, bottom


def squares_of(faces: Sequence[Face]) -> Array:
    """(K, 3), the middle (x, y) and the side of the square of each face, pixels of the photo."""
    found = []
    for face in faces:
        square = align_face(face.landmarks)
        ((x, y),) = square.to_photo(np.full((1, 2), (square.size - 1) / 2, np.float32)).tolist()
        found.append((x, y, square.size))
    return np.array(found, np.float32).reshape(-1, 3)


def seen_from(face: Alignment, squares: Array) -> Array:
    """Squares of the photo (K, 3), as of `squares_of`, in pixels of the square of a face."""
    return np.column_stack([face.to_aligned(squares[:, :2]), squares[:, 2:] / np.float32(face.scale)])


def look_around(
    parser: FaceParser,
    rgb: npt.NDArray[np.uint8],
    face: Alignment,
    own: npt.NDArray[np.uint8],
    parts: Parts,
    others: Array = NOBODY,
    steps: int | None = None,
) -> Surroundings:
    """Follows the hair of a face out of its square.

    Args:
        parser: Tells hair from all else.
        rgb: (H, W, 3) uint8, the photo.
        face: The face's square.
        own: (S, S, 3) uint8, what is in it.
        parts: What the parser saw there.
        others: (K, 3), of `seen_from`, all other faces of the photo, whose hair and skin are theirs.
        steps: How far to look, in `STEP`; None is as far as there is hair.
    """
    looked = steps
    if looked is None:
        looked = STEPS if _leaves(parts.hair, _room(face, SIDE, rgb.shape)) else 0
    found = _around(parser, rgb, face, parts) if looked else parts
    whose = _whose(len(found.hair), face.size, others)
    hair = found.hair * whose
    hair = _cut(hair * _of_head(hair, found.skin * whose), looked)
    skin, whose = _cut(found.skin, looked), _cut(whose, looked)
    cells = face.resized(SIDE).padded(looked * STEP)
    hair = hair * _fading(_room(cells, len(hair), rgb.shape), FADE)
    if steps is None:
        looked = -(-_beyond(hair * _inside(face, looked * STEP, rgb.shape)) // STEP)
        hair, skin = _cut(hair, looked), _cut(skin, looked)
    pad = looked * STEP * face.size // SIDE
    wide = face.padded(pad)
    return Surroundings(wide, pad, wide.crop(rgb) if pad else own, hair, skin, _cut(whose, 0))


def _around(parser: FaceParser, rgb: npt.NDArray[np.uint8], face: Alignment, parts: Parts) -> Parts:
    """Parts (2 `SIDE`, 2 `SIDE`) of a square twice as large."""
    half = SIDE // 2
    wide = face.resized(half).padded(half // 2)
    parsed = parser.parse(wide.crop(rgb))
    edges = (half,) * 4
    weight = _fading(_room(face, SIDE, rgb.shape), _BLEND, _NARROW)
    weight = np.asarray(cv2.copyMakeBorder(weight, *edges, cv2.BORDER_REPLICATE), np.float32)

    def joined(far: Array, close: Array) -> Array:
        seen = cv2.resize(far, (2 * SIDE, 2 * SIDE), interpolation=cv2.INTER_LINEAR)
        seen += weight * (cv2.copyMakeBorder(close, *edges, cv2.BORDER_REPLICATE) - seen)
        return np.asarray(seen, np.float32)

    found = joined(parsed.hair, parts.hair), joined(parsed.skin, parts.skin)
    onto = _nearest(face, half, rgb.shape)
    return Parts(*(np.asarray(cv2.remap(part, *onto, cv2.INTER_LINEAR), np.float32) for part in found))


def _of_head(hair: Array, skin: Array) -> npt.NDArray[np.bool_]:
    """(R, R), what hangs together with the face in the middle by hair, or within the face's square by skin.

    Seats, frames and people behind a head, which are taken for hair now and then, do not.
    """
    known, middle = (hair > _HAIR).astype(np.uint8), len(hair) // 2
    square = (slice(middle - SIDE // 2, middle + SIDE // 2),) * 2
    known[square] |= skin[square] > _HAIR
    cv2.circle(known, (middle, middle), SIDE // 4, 1, cv2.FILLED)
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * _AROUND + 1,) * 2)
    _, labels = cv2.connectedComponents(cv2.dilate(known, disc))
    return np.asarray(labels == labels[middle, middle], np.bool_)


def _inside(face: Alignment, cells: int, shape: tuple[int, ...]) -> npt.NDArray[np.uint8]:
    """(R, R), 1 for cells that lie in the photo, of a face's square and so many on every side of it."""
    return np.asarray(
        cv2.warpAffine(
            np.ones(shape[:2], np.uint8),
            face.resized(SIDE).padded(cells).matrix,
            (SIDE + 2 * cells,) * 2,
            flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
        ),
        np.uint8,
    )


def _nearest(face: Alignment, cells: int, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Columns and rows (R, R) of the cell of the photo that lies nearest to each cell: its own, if that is in it.

    Hair that the photo's border cuts goes on beyond, or it would end there as if at an edge of its own.
    """
    grid = face.resized(SIDE).padded(cells)
    columns, rows = np.meshgrid(*[np.arange(grid.size, dtype=np.float32)] * 2)
    points = grid.to_photo(np.stack([columns.ravel(), rows.ravel()], axis=1))
    at = grid.to_aligned(points.clip(0, np.array(shape[1::-1]) - 1)).reshape(grid.size, grid.size, 2)
    return np.ascontiguousarray(at[..., 0], np.float32), np.ascontiguousarray(at[..., 1], np.float32)


def _cut(hair: Array, steps: int) -> Array:
    """The middle of a map, so many steps beyond the face's square on every side."""
    least = (len(hair) - SIDE) // 2 - steps * STEP
    return hair[least : len(hair) - least, least : len(hair) - least]


def _beyond(hair: Array) -> int:
    """How many cells hair reaches beyond the face's square."""
    cells, farthest = (len(hair) - SIDE) // 2, 0
    for axis in (0, 1):
        there = np.flatnonzero((hair > _HARDLY).any(axis=axis))
        if len(there):
            farthest = max(farthest, cells - int(there[0]), int(there[-1]) + 1 - cells - SIDE)
    return farthest


def _whose(side: int, size: int, others: Array) -> Array:
    """(side, side) in 0..1, how much of each cell is this face's: what lies nearer to another, by its size, is not.

    Args:
        side: Of the map, of which the face's own square is the middle.
        size: Side of that square, pixels.
        others: (K, 3), of `seen_from`.
    """
    middle = (side - 1) / 2
    across, down = np.meshgrid(*[np.arange(side, dtype=np.float32)] * 2)

    def far(x: float, y: float, scale: float) -> Array:
        return np.asarray(np.hypot(across - np.float32(x), down - np.float32(y)) / np.float32(scale), np.float32)

    own, share = far(middle, middle, SIDE), np.ones((side, side), np.float32)
    # From the middle of the face, in cells: pixel centres are at integers in both.
    for x, y, scale in ((others - ((size - 1) / 2, (size - 1) / 2, 0)) * (SIDE / size)).tolist():
        theirs = far(middle + x, middle + y, scale)
        share *= (np.float32(0.5) + (theirs - own) * np.float32(SIDE / _SHARED)).clip(0, 1)
    return share


def _room(square: Alignment, cells: int, shape: tuple[int, ...]) -> Array:
    """(4, cells), by how many cells the photo goes on straight out of a square, above it, below it, left and right."""
    grid = square.resized(cells)
    steps, first = np.arange(cells, dtype=np.float64), np.zeros(cells)
    last = first + cells - 1
    ends = np.array(shape[1::-1], np.float64) - 1
    found = np.empty((4, cells), np.float32)
    edges = ((steps, first), (0, -1)), ((steps, last), (0, 1)), ((first, steps), (-1, 0)), ((last, steps), (1, 0))
    for row, (edge, out) in zip(found, edges, strict=True):
        points = grid.to_photo(np.stack(edge, axis=1))
        way = grid.matrix[:, :2] @ np.array(out, np.float64)
        # Along each axis of the photo, until its border; none of it where the edge itself lies beyond.
        far = [
            np.where(step > 0, end - at, at) / abs(step)
            for at, end, step in zip(points.T, ends, way, strict=True)
            if abs(step) > 1e-9
        ]
        there = ((points >= 0) & (points <= ends)).all(axis=1)
        row[:] = np.where(there, np.min(far, axis=0), 0)
    return found


def _leaves(hair: Array, room: Array) -> bool:
    """Whether hair reaches the edge of its square where the photo goes on."""
    edges = hair[:2].max(axis=0), hair[-2:].max(axis=0), hair[:, :2].max(axis=1), hair[:, -2:].max(axis=1)
    return bool(((np.stack(edges) > _HAIR) & (room > EDGE)).any())


def _fading(room: Array, over: float, narrow: float = 0.0) -> Array:
    """(side, side) in 0..1, which falls to nothing at an edge behind which the photo goes on.

    Args:
        room: (4, side), of `_room`.
        over: Share of the side within which it falls, or less if the photo ends sooner.
        narrow: Up to this share of the side what there is of the photo behind an edge is as good as within.
    """
    side = room.shape[1]
    steps = np.arange(side, dtype=np.float32)[:, None]
    # Continuous in how far the photo goes on, or a head that moves in a video would flicker.
    above, below, left, right = (
        np.maximum(steps / width.clip(1e-3, over * side), 2 - width / max(narrow * side, 1e-3)).clip(0, 1)
        for width in room.astype(np.float32)
    )
    return np.asarray(above * below[::-1] * left.T * right[::-1].T, np.float32)
