"""Painting on the aging map: what the brush drew becomes a painted map, and the map is coloured to be painted on."""

from __future__ import annotations

from collections.abc import Mapping

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from amgan.app.pictures import Rgb
from amgan.errors import RequestError
from amgan.inference.facemaps import map_of
from amgan.inference.painted import read_painted
from amgan.inference.views import FaceView
from amgan.models.bundle import Bundle

# Scores from 0 to 1 as colours: even steps of lightness that also the colour-blind tell apart, and none that skin has.
COLOURS = ("#440154", "#3b528b", "#21918c", "#5ec962", "#fde725")

CANVAS = 512
"""Side of the face's square in the drawing and in the coloured map, pixels; the map that the model sees has 256."""

SOFTNESS = 0.012
"""Standard deviation of a stroke's blurred edge as a share of that square's side; that of a zone's edge."""

_LARGEST = 4 * CANVAS


def canvas_size(view: FaceView) -> tuple[int, int]:
    """Width and height of the drawing of a face: of the shape of the report's `region`."""
    left, top, right, bottom = view.report.region
    scale = CANVAS / _square(view)
    return max(round((right - left) * scale), 1), max(round((bottom - top) * scale), 1)


def _square(view: FaceView) -> float:
    """Side of the face's square, pixels of the photo."""
    return view.alignment.scale * view.alignment.size


def painting(drawing: bytes, view: FaceView, shape: tuple[int, int]) -> Image.Image | None:
    """Makes a painted map, as `Ager.age_views` takes it, of what was drawn over a face.

    Args:
        drawing: A PNG of the face's `region`, of any size: red is the score, opacity where it was painted.
        view: The face.
        shape: (H, W) of the photo.

    Returns:
        Grey with alpha, (W, H) as the photo, with the soft edges that zones have; None if nothing is painted.

    Raises:
        RequestError: It is no such PNG, or a large one.
    """
    image = read_painted(drawing, "the drawing", _LARGEST)
    if image.mode != "RGBA":
        raise RequestError("the drawing: without opacity; paint again")
    pixels = np.asarray(image, np.float32)
    opacity = pixels[..., 3] / 255
    if not opacity.any():
        return None
    left, top, right, bottom = view.report.region
    # Multiplied by its opacity first, so that the black of what is not painted does not bleed in.
    soft = np.dstack([pixels[..., 0] * opacity, opacity])
    soft = np.asarray(cv2.GaussianBlur(soft, (0, 0), SOFTNESS * _square(view) * image.width / (right - left)))
    soft = np.asarray(cv2.resize(soft, (right - left, bottom - top), interpolation=cv2.INTER_LINEAR))
    score = soft[..., 0] / np.maximum(soft[..., 1], 1e-6)
    whole = np.zeros((*shape, 2), np.uint8)
    levels = np.dstack([score, 255 * soft[..., 1]])
    whole[top:bottom, left:right] = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    # Where no bit of opacity is left the score means nothing, and zeros make a small file.
    whole[..., 0][whole[..., 1] == 0] = 0
    return Image.fromarray(whole, "LA") if whole[..., 1].any() else None


def coloured_map(bundle: Bundle, view: FaceView, targets: Mapping[str, float]) -> npt.NDArray[np.uint8]:
    """The aging map of the sliders in `COLOURS`, to lie over the face.

    Args:
        bundle: The model.
        view: The face.
        targets: Score in 0..1 of each zone and of ``age``.

    Returns:
        (h, w, 4) uint8 of `canvas_size`, opaque on the head only. Of several channels, the mean.
    """
    width, height = canvas_size(view)
    left, top, right, _ = view.report.region
    maps = map_of(bundle, view, targets)[0].mean(axis=0)
    head = view.masks.head
    # The map has the head's soft edge in it; a colour is the score alone.
    score = np.where(head > 0, maps / np.maximum(head, 1e-6), 0).astype(np.float32)
    place = view.alignment.within(left, top, width / (right - left)).resized(head.shape[-1])
    window = (0, 0, width, height)
    shown, opacity = (place.paste(layer, (height, width), window) for layer in (score, head))
    return np.dstack([_coloured(shown), np.clip(np.rint(255 * opacity), 0, 255).astype(np.uint8)])


def _coloured(score: npt.NDArray[np.float32]) -> Rgb:
    stops = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in COLOURS], np.float32)
    at = np.clip(score, 0, 1) * (len(stops) - 1)
    low = np.minimum(at.astype(int), len(stops) - 2)
    share = (at - low)[..., None]
    return np.rint(stops[low] * (1 - share) + stops[low + 1] * share).astype(np.uint8)
