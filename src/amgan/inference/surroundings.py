"""What is around an aligned face, as far as its hair reaches: the square that FFHQ places cuts crowns and long hair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from amgan.faces.align import Alignment, align_face
from amgan.faces.detect import Face
from amgan.faces.parsing import SIDE, FaceParser

# Hair is followed out of the square in steps of so many cells of the parser, and so many steps at most on every side:
# as far as half the square's side.
STEP, STEPS = SIDE // 16, 8
# From which share on a cell is hair that leads further, and how many cells around what is found may be hair in part.
_HAIR, _AROUND = 0.3, 3
# Less than this is no hair to follow.
_HARDLY = 0.05
# The parser knows more of a face that fills its picture: over this share of the square its answers on what is around
# take over from those, towards the edge.
_BLEND = 0.08
# Hair fades out over this share of what is looked at where that ends and the photo does not; and how near to the
# photo's border, to its longer side, is at it.
FADE, EDGE = 0.06, 0.005
# Cells over which hair that touches somebody else's goes over to that.
_SHARED = 2.0

Array = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Surroundings:
    """A square around the middle of an aligned face, which is all there is of it where no hair leaves that.

    Attributes:
        alignment: Where it lies in the photo.
        pad: Pixels of it on every side of the face's square.
        rgb: (S + 2 pad, S + 2 pad, 3) uint8.
        hair: (R, R) in 0..1, how much of each cell is hair of this face; cells are as large as the parser's.
    """

    alignment: Alignment
    pad: int
    rgb: npt.NDArray[np.uint8]
    hair: Array

    @property
    def face(self) -> npt.NDArray[np.uint8]:
        """(S, S, 3) uint8, the face's own square."""
        inside = slice(self.pad, self.alignment.size - self.pad)
        return self.rgb[inside, inside]

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


def look_around(
    parser: FaceParser,
    rgb: npt.NDArray[np.uint8],
    face: Alignment,
    own: npt.NDArray[np.uint8],
    hair: Array,
    others: Sequence[Face] = (),
    steps: int | None = None,
) -> Surroundings:
    """Follows the hair of a face out of its square.

    Args:
        parser: Tells hair from all else.
        rgb: (H, W, 3) uint8, the photo.
        face: The face's square.
        own: (S, S, 3) uint8, what is in it.
        hair: (`SIDE`, `SIDE`), the hair that the parser saw there.
        others: All other faces of the photo, whose hair is theirs.
        steps: How far to look, in `STEP`; None is as far as there is hair.
    """
    looked = steps
    if looked is None:
        looked = STEPS if _leaves(hair, _open(face, rgb.shape)) else 0
    found = _cut(_hair_around(parser, rgb, face, hair), looked) if looked else hair
    found = found * _whose(len(found), face, others)
    if steps is None:
        looked = -(-_beyond(found) // STEP)
        found = _cut(found, looked)
    pad = looked * STEP * face.size // SIDE
    wide = face.padded(pad)
    found = found * _fading(len(found), _open(wide, rgb.shape))
    return Surroundings(wide, pad, wide.crop(rgb) if pad else own, found)


def _hair_around(parser: FaceParser, rgb: npt.NDArray[np.uint8], face: Alignment, hair: Array) -> Array:
    """(2 `SIDE`, 2 `SIDE`), the hair in a square twice as large that hangs together with that of a face."""
    half = SIDE // 2
    wide = face.resized(half).padded(half // 2)
    seen = cv2.resize(parser.parse(wide.crop(rgb)).hair, (2 * SIDE, 2 * SIDE), interpolation=cv2.INTER_LINEAR)
    # What lies beyond the photo is the photo mirrored.
    inside = cv2.warpAffine(
        np.ones(rgb.shape[:2], np.uint8),
        face.resized(SIDE).padded(half).matrix,
        (2 * SIDE, 2 * SIDE),
        flags=cv2.INTER_NEAREST | cv2.WARP_INVERSE_MAP,
    )
    seen = np.asarray(seen * inside, np.float32)
    near = ((np.arange(SIDE, dtype=np.float32) + np.float32(0.5)) / np.float32(_BLEND * SIDE)).clip(max=1)
    near = np.minimum(near, near[::-1])
    weight, square = np.minimum(near[:, None], near), (slice(half, half + SIDE),) * 2
    seen[square] += weight * (hair - seen[square])
    _, labels = cv2.connectedComponents((seen > _HAIR).astype(np.uint8))
    attached = np.unique(labels[square][hair > _HAIR])
    kept = np.isin(labels, attached[attached > 0]).astype(np.uint8)
    kept[square] = 1
    side = 2 * _AROUND + 1
    return seen * cv2.dilate(kept, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side)))


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


def _whose(side: int, face: Alignment, others: Sequence[Face]) -> Array:
    """(side, side) in 0..1, how much of each cell is this face's: what lies nearer to another, by its size, is not."""
    cells = face.resized(SIDE).padded((side - SIDE) // 2)
    across, down = np.meshgrid(*[np.arange(side, dtype=np.float32)] * 2)

    def far(x: float, y: float, scale: float) -> Array:
        return np.asarray(np.hypot(across - np.float32(x), down - np.float32(y)) / np.float32(scale), np.float32)

    own, share = far((side - 1) / 2, (side - 1) / 2, SIDE), np.ones((side, side), np.float32)
    for other in others:
        square = align_face(other.landmarks)
        middle = square.to_photo(np.full((1, 2), (square.size - 1) / 2, np.float32))
        x, y = cells.to_aligned(middle)[0].tolist()
        theirs = far(x, y, square.size / cells.scale)
        share *= (np.float32(0.5) + (theirs - own) * np.float32(SIDE / _SHARED)).clip(0, 1)
    return share


def _open(square: Alignment, shape: tuple[int, ...]) -> tuple[bool, bool, bool, bool]:
    """Whether the photo goes on above a square, below it, left and right of it."""
    last = square.size - 1
    edges = np.array([(last / 2, 0), (last / 2, last), (0, last / 2), (last, last / 2)], np.float32)
    margin = EDGE * max(shape[:2])
    above, below, left, right = (
        margin < x < shape[1] - 1 - margin and margin < y < shape[0] - 1 - margin
        for x, y in square.to_photo(edges).tolist()
    )
    return above, below, left, right


def _leaves(hair: Array, sides: tuple[bool, bool, bool, bool]) -> bool:
    """Whether hair reaches the edge of its square on a side beyond which the photo goes on."""
    edges = hair[:2], hair[-2:], hair[:, :2], hair[:, -2:]
    return any(goes_on and bool((edge > _HAIR).any()) for edge, goes_on in zip(edges, sides, strict=True))


def _fading(side: int, sides: tuple[bool, bool, bool, bool]) -> Array:
    """(side, side) in 0..1, which falls to nothing where the photo goes on, so that no lock has an edge there."""
    rises = (np.arange(side, dtype=np.float32) + np.float32(0.5)) / np.float32(FADE * side)
    above, below, left, right = (rises.clip(max=1) if goes_on else np.ones_like(rises) for goes_on in sides)
    return (above * below[::-1])[:, None] * (left * right[::-1])
