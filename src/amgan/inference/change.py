"""What a model adds to one aligned face, from the scores it has and the scores that are wanted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from PIL import Image

from amgan.errors import WeightsError
from amgan.faces.photo import photo_from_image
from amgan.inference.views import FaceView
from amgan.maps.arrays import grown
from amgan.maps.kinds import draw_map
from amgan.maps.location import location_maps
from amgan.maps.targets import painted_map
from amgan.models.bundle import Bundle
from amgan.models.change import hue_kept, where_changed
from amgan.signs.atlas import AGE

# Where the target map differs from the face's own by less than this, the change fades out; by nothing, to nothing.
FULL_EFFECT = 0.05

Maps = npt.NDArray[np.float32]


def face_change(
    bundle: Bundle,
    face: FaceView,
    targets: Mapping[str, float],
    painted: Image.Image | None = None,
    bf16: bool = False,
) -> npt.NDArray[np.float32]:
    """What to add to an aligned face.

    Args:
        bundle: The model.
        face: The face.
        targets: Zone, and ``age``, to the score in 0..1 that is wanted.
        painted: A map to lay over those, as large as the photo.
        bf16: Whether to compute in bfloat16.

    Returns:
        (S, S, 3) float32 in -2..2, where a picture goes from -1 to 1; 0 where nothing was asked for.

    Raises:
        WeightsError: A map is painted for a model whose aging maps have no places.
    """
    own = map_of(bundle, face, face.scores)
    target = map_of(bundle, face, targets, painted)
    size = (face.rgb.shape[0], face.rgb.shape[1])
    # Where the map asks for nothing, nothing changes: an edit stays in its zones.
    asked = (np.abs(target - own).max(axis=1, keepdims=True) / np.float32(FULL_EFFECT)).clip(max=1)
    masks = face.masks
    zoned = masks.zones.max(axis=0) if bundle.generator.config.maps == "zones" else np.ones_like(masks.skin)
    where = grown(asked * where_changed(masks.editable, masks.skin, zoned), size)
    # Channels last in memory, as the photo is, and as networks are fastest with.
    image = face.rgb.transpose(2, 0, 1)[None].astype(np.float32) / np.float32(127.5) - 1
    zero = np.zeros(1, np.float32)
    location = location_maps(zero, zero, size, size) if bundle.generator.config.location_maps else None
    aged = bundle.generator.aged(image, grown(target, size), location, bf16)
    change = hue_kept((aged - image) * where, where)
    return np.ascontiguousarray(change[0].transpose(1, 2, 0))


def map_of(bundle: Bundle, face: FaceView, scores: Mapping[str, float], painted: Image.Image | None = None) -> Maps:
    """The aging map of an aligned face.

    Args:
        bundle: The model.
        face: The face.
        scores: Score in 0..1 of each zone and of ``age``.
        painted: A map to lay over those, as large as the photo.

    Returns:
        (1, C, R, R) in 0..1.

    Raises:
        WeightsError: A map is painted for a model whose aging maps have no places.
    """
    drawn = draw_map(
        bundle.generator.config.maps,
        face.masks.zones[None],
        face.masks.head[None],
        np.array([[scores[zone] for zone in bundle.atlas.zones]], np.float32),
        np.array([scores[AGE]], np.float32),
        bundle.channels,
    )
    if painted is None:
        return drawn
    if bundle.generator.config.maps != "zones":
        raise WeightsError(f"{bundle.path}: takes no painted map: it knows no places; leave the map out")
    return _paint(drawn, painted, face)


def _paint(target: Maps, painted: Image.Image, face: FaceView) -> Maps:
    """Lays a painted map, in the photo's coordinates, over an aligned target map (1, C, R, R)."""
    left, top, right, bottom = face.report.region
    small = face.alignment.within(left, top).resized(target.shape[-1])
    paint = photo_from_image(painted, "the painted map")
    grey = paint.rgb[top:bottom, left:right].mean(axis=2)
    opacity = np.full(grey.shape, 255, np.uint8) if paint.alpha is None else paint.alpha[top:bottom, left:right]
    # Multiplied by its opacity before it is shrunk, so that the colour of transparent pixels does not bleed in.
    score = (grey * (opacity / 255)).round().astype(np.uint8)
    shrunk = small.crop(np.stack([score, opacity, opacity], axis=2)).astype(np.float32) / np.float32(255)
    return painted_map(target[0], shrunk[..., 0], shrunk[..., 1])[None]
