"""What a model adds to one aligned face, from the scores it has and the scores that are wanted."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from amgan.data.grafts.hair import off_background
from amgan.faces.outlines import NOSE, hull, softened, to_masks
from amgan.faces.photo import Photo
from amgan.faces.whiskers import brows_of
from amgan.inference.facemaps import greying_of, location_of, map_of, paint_of, rise_of
from amgan.inference.forming import Rises, formed
from amgan.inference.views import FaceView
from amgan.maps.arrays import grown
from amgan.maps.change import around, carried_along, inward, restrain, where_changed, window
from amgan.maps.kinds import in_any_zone
from amgan.maps.targets import asked_map, painted_map
from amgan.models.bundle import Bundle
from amgan.models.generator_config import GeneratorConfig

# Where the target map differs from the face's own by less than this, the change fades out; by nothing, to nothing.
FULL_EFFECT = 0.05
# What of the lines on the nose stays that are to go, and how far around its wings, pixels of outlines' masks.
SHAPE, AROUND_NOSE = 0.75, 6
# How much of the light that goes with age comes back where scores fall: most of a face's own shade has gone with its
# folds, and what is lit twice glows. And how much of it, and of the shape, comes where they rise.
FALL, RISE = 0.4, 1.1
# Pixels that the generator sees beyond what may change: its answer is then, to a grey level, that of the whole face.
# With instance norm it sees that whole, for the statistics are of all that is seen.
MARGIN = 64

Maps = npt.NDArray[np.float32]


def face_change(
    bundle: Bundle,
    face: FaceView,
    targets: Mapping[str, float],
    painted: Photo | None = None,
    bf16: bool = False,
    seed: int = 0,
) -> npt.NDArray[np.float32]:
    """What to add to an aligned face and to the hair around it.

    Args:
        bundle: The model.
        face: The face.
        targets: Zone, and ``age``, to the score in 0..1 that is wanted.
        painted: A map to lay over those, as large as the photo.
        bf16: Whether to compute in bfloat16.
        seed: Which of many sets of lines the face gets, if the model knows several.

    Returns:
        As large as ``face.wide.rgb``, float32 in -2..2, where a picture goes from -1 to 1; 0 where nothing was
        asked for.

    Raises:
        WeightsError: A map is painted for a model whose aging maps have no places.
    """
    config = bundle.generator.config
    own = map_of(bundle, face, face.scores)
    paint = None if painted is None else paint_of(bundle, face, painted, around=True)
    target, on_face = map_of(bundle, face, targets), None
    if paint is not None:
        inside = slice(face.wide.cells, face.wide.cells + target.shape[-1])
        on_face = paint[0][inside, inside], paint[1][inside, inside]
        target = painted_map(target[0], *on_face)[None]
    size = (face.rgb.shape[0], face.rgb.shape[1])
    differs = np.abs(target - own).max(axis=1)[0]
    where = _on_skin(config, face, _where(config, face, differs))
    grown_where = grown(where[None, None], size)
    # Channels last in memory, as the photo is, and as networks are fastest with.
    image = face.rgb.transpose(2, 0, 1)[None].astype(np.float32) / np.float32(127.5) - 1
    change = np.zeros_like(image)
    if where.any():
        asked = grown(asked_map(config.asks, own, target), size)
        if (asked < 0).any():
            # Of shade on the nose's tip and wings little is age: without it they melt into the cheeks.
            asked = np.where(asked < 0, asked * (1 - np.float32(SHAPE) * grown(_nose(face)[None, None], size)), asked)
        if config.norm == "instance":
            part = slice(0, size[0]), slice(0, size[1])
        else:
            part = _whole_cells(window(grown_where[0, 0], MARGIN), config.multiple)
        change[:, :, *part] = _made(bundle, image, asked, location_of(bundle, face, seed), part, bf16)
        change = restrain(change, grown_where, config.guarded)
        if config.greys:  # brows grey with the rest of the hair
            change *= 1 - grown(brows_of(face.landmarks, size[0])[None, None], size)
    pad = face.wide.pad
    change = np.pad(change[0].transpose(1, 2, 0), ((pad, pad), (pad, pad), (0, 0)))
    if not (config.follows_trends or config.greys):
        return change
    rises = None
    if config.follows_trends:
        light, shape = (rise_of(bundle, face, targets, on_face, follows) for follows in ("light", "shape"))
        light = np.where(light < 0, np.float32(FALL), np.float32(RISE)) * light
        shape = np.where(shape < 0, np.float32(1), np.float32(RISE)) * shape
        # Light and shape may change where the map itself asks for nothing: with the age, in zones that follow that.
        lit, moves = (_where(config, face, np.maximum(differs, np.abs(rise).max(axis=1)[0])) for rise in (light, shape))
        rises = Rises(light, _on_skin(config, face, lit), shape, _pliable(config, face, moves))
    return formed(face, change, rises, greying_of(bundle, face, targets, paint), config, bundle.trends)


def prepare(bundle: Bundle, face: FaceView) -> None:
    """Finds what `face_change` wants to know of a face whatever is asked of it, so that the first change waits less.

    It is kept with the face and with the model; of what is there already nothing is found again.

    Args:
        bundle: The model.
        face: The face, at the size at which it will be changed.
    """
    config, trends = bundle.generator.config, bundle.trends
    if config.knows_places or config.follows_trends or (config.location_maps and config.places == "face"):
        face.places()
    if trends is not None:
        _ = trends.lights, trends.field
    if config.greys:
        _ = face.hair


def _where(config: GeneratorConfig, face: FaceView, differs: Maps) -> Maps:
    """Where a face changes, (R, R) in 0..1.

    Args:
        config: Of the generator.
        face: The face.
        differs: (R, R), how far the map that is wanted is from the face's own.
    """
    masks = face.masks
    # Where the map asks for nothing, nothing changes: an edit stays in its zones.
    asked = (differs / np.float32(FULL_EFFECT)).clip(max=1)
    where = asked * where_changed(masks.editable, masks.skin, in_any_zone(config.maps, masks.zones), config.guarded)
    # The outline of a head reaches beyond its ears: onto another's cheek, where two touch.
    where = where * _own(face, where)
    if not (config.greys or config.guarded):
        where = where * inward(masks.head, masks.skin) * off_background(face.rgb, masks.skin)
    return np.asarray(where, np.float32)


def _own(face: FaceView, where: Maps) -> Maps:
    """As large as `where`, in 0..1, what is nobody else's."""
    return grown(face.wide.whose[None, None], where.shape)[0, 0]


def _on_skin(config: GeneratorConfig, face: FaceView, where: Maps) -> Maps:
    """What of that is skin, if hair turns by itself."""
    return where * grown(face.parts.skin[None, None], where.shape)[0, 0] if config.greys else where


def _pliable(config: GeneratorConfig, face: FaceView, where: Maps) -> Maps:
    """Where the shape of a face that changes there does, with what lies beside it."""
    if not config.greys:
        return where
    person = grown((face.parts.skin + face.parts.hair).clip(max=1)[None, None], where.shape)[0, 0] * _own(face, where)
    # A neck and hair are carried along; what is behind stays, but for a few pixels.
    return np.maximum(where * around(person), carried_along(where, face.masks.skin) * person)


def _nose(face: FaceView) -> Maps:
    """(512, 512) in 0..1, tip and wings of the nose."""
    return softened(hull(to_masks(face.landmarks, len(face.rgb)), NOSE, AROUND_NOSE), AROUND_NOSE)


def _whole_cells(part: tuple[slice, slice], cell: int) -> tuple[slice, slice]:
    """A part with all of the cells of the generator's coarsest grid that it touches; a face is whole cells wide."""
    rows, columns = (slice(side.start // cell * cell, -(-side.stop // cell) * cell) for side in part)
    return rows, columns


def _made(
    bundle: Bundle, image: Maps, asked: Maps, location: Maps | None, part: tuple[slice, slice], bf16: bool
) -> Maps:
    """What the generator changes in a part of a face.

    Args:
        bundle: The model.
        image: (1, 3, H, W) in -1..1.
        asked: (1, C, H, W), the map that is given.
        location: (1, C, H, W), or None.
        part: Rows and columns, in whole cells.
        bf16: Whether to compute in bfloat16.

    Returns:
        (1, 3, h, w), what to add there.
    """
    seen, given = image[:, :, *part], None if location is None else location[:, :, *part]
    return bundle.generator.aged(seen, asked[:, :, *part], given, bf16) - seen
