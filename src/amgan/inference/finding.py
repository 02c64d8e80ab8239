"""A face of a photo made ready: aligned at the size the network works at, its zones drawn, scored."""

from __future__ import annotations

import time
from collections.abc import Sequence

from amgan.faces.align import align_face
from amgan.faces.detect import Face
from amgan.faces.parsing import FaceParser
from amgan.faces.photo import Photo
from amgan.inference.surroundings import look_around, seen_from, squares_of
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


def face_view(
    bundle: Bundle, parser: FaceParser, photo: Photo, face: Face, others: Sequence[Face], detecting: float
) -> FaceView:
    """Aligns and scores a face.

    Args:
        bundle: The model.
        parser: Tells hair from skin.
        photo: The photo.
        face: The face in it.
        others: All other faces in it.
        detecting: How long it took to find it, seconds.
    """
    start = time.perf_counter()
    size = working_size(bundle, align_face(face.landmarks).size)
    alignment = align_face(face.landmarks, size)
    rgb, landmarks = alignment.crop(photo.rgb), alignment.to_aligned(face.landmarks)
    masks = zone_masks(bundle.atlas, landmarks, size)
    parts = parser.parse(rgb)
    # A model whose hair does not grey changes nothing beyond the square.
    far = None if bundle.generator.config.greys else 0
    wide = look_around(parser, photo.rgb, alignment, rgb, parts, seen_from(alignment, squares_of(others)), far)
    aligned = time.perf_counter()
    estimates = bundle.estimators.estimate(rgb, landmarks)
    seconds = {
        "detect": round(detecting, 3),
        "align": round(aligned - start, 3),
        "estimate": round(time.perf_counter() - aligned, 3),
    }
    report = FaceReport(
        box=_rounded(face.box),
        region=wide.window(photo.rgb.shape),
        age=round(bundle.atlas.age.grade(estimates[AGE].score), 1),
        scores={zone: round(known.score, 4) for zone, known in estimates.items() if zone != AGE},
        deviations={zone: round(known.deviation, 4) for zone, known in estimates.items() if zone != AGE},
        covered=tuple(zone for zone, known in estimates.items() if not known.can_judge),
        seconds=seconds,
    )
    scores = {zone: known.score for zone, known in estimates.items()}
    return FaceView(alignment, rgb, landmarks, masks, parts, wide, scores, report)


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
