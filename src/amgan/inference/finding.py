"""A face of a photo made ready: aligned at the size the network works at, its zones drawn, scored."""

from __future__ import annotations

import time
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from amgan.faces.align import Alignment, align_face
from amgan.faces.detect import Face
from amgan.faces.parsing import SIDE, FaceParser, Parts
from amgan.faces.photo import Photo
from amgan.inference.views import FaceReport, FaceView
from amgan.models.bundle import Bundle
from amgan.signs.atlas import AGE
from amgan.signs.zones import zone_masks

# The network works at the photo's own scale from the size it was trained on to this many times as much; beyond, it
# sees the face enlarged or shrunk, and the change it makes is scaled back, never the photo.
LARGEST = 1.5
# Of a face of less than half the trained size the fine lines would be lost when the change is scaled back, and what is
# left of them looks like cracks: such a face is shown at half that size, where the lines drawn are coarser.
SMALL = 0.5
# Hair fades out over this share of the square's side where the square ends and the photo does not, less at its upper
# side, beyond which there is little left of a head; and how near to the photo's border, to its longer side, is at it.
FADE, FADE_ABOVE, EDGE = 0.08, 0.03, 0.04


def face_view(bundle: Bundle, parser: FaceParser, photo: Photo, face: Face, detecting: float) -> FaceView:
    """Aligns and scores a face.

    Args:
        bundle: The model.
        parser: Tells hair from skin.
        photo: The photo.
        face: The face in it.
        detecting: How long it took to find it, seconds.
    """
    start = time.perf_counter()
    size = working_size(bundle, align_face(face.landmarks).size)
    alignment = align_face(face.landmarks, size)
    rgb, landmarks = alignment.crop(photo.rgb), alignment.to_aligned(face.landmarks)
    masks = zone_masks(bundle.atlas, landmarks, size)
    parts = face_parts(parser, rgb, alignment, photo.rgb.shape)
    aligned = time.perf_counter()
    estimates = bundle.estimators.estimate(rgb, landmarks)
    seconds = {
        "detect": round(detecting, 3),
        "align": round(aligned - start, 3),
        "estimate": round(time.perf_counter() - aligned, 3),
    }
    report = FaceReport(
        box=_rounded(face.box),
        region=alignment.window(photo.rgb.shape[:2]),
        age=round(bundle.atlas.age.grade(estimates[AGE].score), 1),
        scores={zone: round(known.score, 4) for zone, known in estimates.items() if zone != AGE},
        deviations={zone: round(known.deviation, 4) for zone, known in estimates.items() if zone != AGE},
        covered=tuple(zone for zone, known in estimates.items() if not known.can_judge),
        seconds=seconds,
    )
    scores = {zone: known.score for zone, known in estimates.items()}
    return FaceView(alignment, rgb, landmarks, masks, parts, scores, report)


def face_parts(parser: FaceParser, rgb: npt.NDArray[np.uint8], alignment: Alignment, shape: tuple[int, ...]) -> Parts:
    """Hair and skin of an aligned face; hair fades out where the square ends and the photo does not.

    So no lock has an edge where it leaves the square.

    Args:
        parser: Tells them apart.
        rgb: (S, S, 3) uint8, the face.
        alignment: Where it lies in the photo.
        shape: The photo's height and width.
    """
    parts, side = parser.parse(rgb), alignment.resized(SIDE)
    edges = np.array([(SIDE / 2, 0), (SIDE / 2, SIDE - 1), (0, SIDE / 2), (SIDE - 1, SIDE / 2)], np.float32)
    steps = np.arange(SIDE, dtype=np.float32) + np.float32(0.5)
    rises = [
        np.ones(SIDE, np.float32) if _reaches(point, shape) else (steps / np.float32(share * SIDE)).clip(max=1)
        for point, share in zip(side.to_photo(edges), (FADE_ABOVE, FADE, FADE, FADE), strict=True)
    ]
    down, across = rises[0] * rises[1][::-1], rises[2] * rises[3][::-1]
    return replace(parts, hair=parts.hair * down[:, None] * across)


def _reaches(point: npt.NDArray[np.float32], shape: tuple[int, ...]) -> bool:
    """Whether a point of a photo's (H, W) lies at its border or beyond."""
    x, y = point.tolist()
    margin = EDGE * max(shape[:2])
    return not (margin < x < shape[1] - 1 - margin and margin < y < shape[0] - 1 - margin)


def working_size(bundle: Bundle, own: int) -> int:
    """Side of the aligned square at which a face is shown to the network.

    Args:
        bundle: The model.
        own: Side of that square in the photo's own pixels.
    """
    multiple, trained = bundle.generator.config.multiple, bundle.image_size
    least = SMALL * trained if own < SMALL * trained else trained
    return round(min(max(own, least), LARGEST * trained) / multiple) * multiple


def _rounded(box: tuple[float, float, float, float]) -> tuple[float, float, float, float]:
    left, top, right, bottom = (round(v, 1) for v in box)
    return left, top, right, bottom
