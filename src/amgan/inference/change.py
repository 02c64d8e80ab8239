"""What a model adds to one aligned face, from the scores it has and the scores that are wanted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional as F

from amgan.errors import WeightsError
from amgan.faces.photo import photo_from_image
from amgan.inference.views import FaceView
from amgan.maps.kinds import draw_map
from amgan.maps.location import location_maps
from amgan.maps.targets import painted_map
from amgan.models.bundle import Bundle
from amgan.models.change import hue_kept, where_changed
from amgan.signs.atlas import AGE

# Where the target map differs from the face's own by less than this, the change fades out; by nothing, to nothing.
FULL_EFFECT = 0.05


@torch.inference_mode()
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
    asked = ((target - own).abs().amax(dim=1, keepdim=True) / FULL_EFFECT).clamp(max=1)
    may = where_changed(torch.from_numpy(face.masks.editable), torch.from_numpy(face.masks.skin))
    where = _grown(asked * may[None, None], size)
    image = torch.from_numpy(face.rgb).permute(2, 0, 1)[None].float() / 127.5 - 1
    image = image.contiguous(memory_format=torch.channels_last)
    zero = torch.zeros(1, dtype=torch.long)
    location = location_maps(zero, zero, size, size) if bundle.generator.config.location_maps else None
    with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        out = bundle.generator(image, _grown(target, size), location)
    change = hue_kept((out.image - image) * where, where)
    return change[0].permute(1, 2, 0).contiguous().numpy()


def map_of(bundle: Bundle, face: FaceView, scores: Mapping[str, float], painted: Image.Image | None = None) -> Tensor:
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
        torch.from_numpy(face.masks.zones)[None],
        torch.from_numpy(face.masks.head)[None],
        torch.tensor([[scores[zone] for zone in bundle.atlas.zones]]),
        torch.tensor([scores[AGE]]),
        bundle.channels,
    )
    if painted is None:
        return drawn
    if bundle.generator.config.maps != "zones":
        raise WeightsError(f"{bundle.path}: takes no painted map: it knows no places; leave the map out")
    return _paint(drawn, painted, face)


def _paint(target: Tensor, painted: Image.Image, face: FaceView) -> Tensor:
    """Lays a painted map, in the photo's coordinates, over an aligned target map (1, C, R, R)."""
    left, top, right, bottom = face.report.region
    small = face.alignment.within(left, top).resized(target.shape[-1])
    paint = photo_from_image(painted, "the painted map")
    grey = paint.rgb[top:bottom, left:right].mean(axis=2)
    opacity = np.full(grey.shape, 255, np.uint8) if paint.alpha is None else paint.alpha[top:bottom, left:right]
    # Multiplied by its opacity before it is shrunk, so that the colour of transparent pixels does not bleed in.
    score = (grey * (opacity / 255)).round().astype(np.uint8)
    shrunk = small.crop(np.stack([score, opacity, opacity], axis=2)).astype(np.float32) / np.float32(255)
    return torch.from_numpy(painted_map(target[0].numpy(), shrunk[..., 0], shrunk[..., 1]))[None]


def _grown(maps: Tensor, size: tuple[int, int]) -> Tensor:
    return F.interpolate(maps, size=size, mode="bilinear", align_corners=False)
