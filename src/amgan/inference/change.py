"""What a model adds to one aligned face, from the scores it has and the scores that are wanted."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
from PIL import Image

from amgan.data.grafts.hair import off_background
from amgan.errors import WeightsError
from amgan.faces.photo import photo_from_image
from amgan.inference.views import FaceView
from amgan.maps.arrays import grown
from amgan.maps.change import inward, restrain, where_changed
from amgan.maps.kinds import draw_map, in_any_zone
from amgan.maps.location import location_maps
from amgan.maps.mesh import face_places
from amgan.maps.sagging import moved, sagging
from amgan.maps.shading import lit, shading
from amgan.maps.targets import asked_map, painted_map
from amgan.maps.variants import varied
from amgan.models.bundle import Bundle
from amgan.signs.atlas import AGE

# Where the target map differs from the face's own by less than this, the change fades out; by nothing, to nothing.
FULL_EFFECT = 0.05
# Pixels that the generator sees beyond what may change: its answer is then, to a grey level, that of the whole face.
MARGIN = 64

Maps = npt.NDArray[np.float32]


def face_change(
    bundle: Bundle,
    face: FaceView,
    targets: Mapping[str, float],
    painted: Image.Image | None = None,
    bf16: bool = False,
    seed: int = 0,
) -> npt.NDArray[np.float32]:
    """What to add to an aligned face.

    Args:
        bundle: The model.
        face: The face.
        targets: Zone, and ``age``, to the score in 0..1 that is wanted.
        painted: A map to lay over those, as large as the photo.
        bf16: Whether to compute in bfloat16.
        seed: Which of many sets of lines the face gets, if the model knows several.

    Returns:
        (S, S, 3) float32 in -2..2, where a picture goes from -1 to 1; 0 where nothing was asked for.

    Raises:
        WeightsError: A map is painted for a model whose aging maps have no places.
    """
    own = map_of(bundle, face, face.scores)
    target = map_of(bundle, face, targets, painted)
    size = (face.rgb.shape[0], face.rgb.shape[1])
    # Where the map asks for nothing, nothing changes: an edit stays in its zones.
    differs = (np.abs(target - own).max(axis=1, keepdims=True) / np.float32(FULL_EFFECT)).clip(max=1)
    masks = face.masks
    guarded, zoned = bundle.generator.config.guarded, in_any_zone(bundle.generator.config.maps, masks.zones)
    fading = 1 if guarded else inward(masks.head, masks.skin) * off_background(face.rgb, masks.skin)
    where = grown(differs * fading * where_changed(masks.editable, masks.skin, zoned, guarded), size)
    # Channels last in memory, as the photo is, and as networks are fastest with.
    image = face.rgb.transpose(2, 0, 1)[None].astype(np.float32) / np.float32(127.5) - 1
    change = np.zeros_like(image)
    if not where.any():
        return np.ascontiguousarray(change[0].transpose(1, 2, 0))
    asked = grown(asked_map(bundle.generator.config.asks, own, target), size)
    window = _window(where[0, 0], bundle.generator.config.multiple)
    change[:, :, *window] = _made(bundle, image, asked, location_of(bundle, face, seed), window, bf16)
    change = np.ascontiguousarray(restrain(change, where, guarded)[0].transpose(1, 2, 0))
    config = bundle.generator.config
    if not config.sags and not config.shades:
        return change
    return _formed(face, change, target - own, where[0, 0], config.sags, config.shades)


def _formed(face: FaceView, change: Maps, rise: Maps, where: Maps, sags: bool, shades: bool) -> Maps:
    """A change (S, S, 3) with that of the face's light and shape, lines moving along with the skin that they lie on.

    Args:
        face: The face.
        change: What is added to it.
        rise: (1, C, R, R) in -1..1, by how much it is to have more of each sign.
        where: (S, S) in 0..1, how much of a change is made at each place; not 0 everywhere.
        sags: Whether the shape changes.
        shades: Whether the light does.
    """
    part = _window(where, 1)
    # Of signs that lie at one place, that which changes most.
    most = np.take_along_axis(rise[0], np.abs(rise[0]).argmax(axis=0)[None], axis=0)[0]
    size = where.shape[0]
    places = face_places(face.landmarks, size, most.shape[-1])

    def here(maps: Maps) -> Maps:
        found: Maps = grown(maps[None], (size, size))[0][:, *part] * where[part]
        return found

    still = face.rgb[part].astype(np.float32) / np.float32(127.5) - 1
    made = still + change[part]
    if shades:
        made = lit(made, here(shading(places, most)).transpose(1, 2, 0))
    if sags:
        made = moved(made, here(sagging(places, most)) * np.float32(size / 2))
    change[part] = made - still
    return change


def _window(where: Maps, cell: int) -> tuple[slice, slice]:
    """Rows and columns of all that may change, with `MARGIN`; where (H, W) is 0 nothing will.

    It begins on a whole cell of the generator's coarsest grid, so that the grid lies alike whatever is asked for.
    """
    sides = []
    for axis in (1, 0):
        touched = np.flatnonzero(where.any(axis=axis))
        first, last = int(touched[0]), int(touched[-1])
        start = max(first - MARGIN, 0) // cell * cell
        sides.append(slice(start, min(last + 1 + MARGIN, where.shape[1 - axis])))
    return sides[0], sides[1]


def _made(
    bundle: Bundle, image: Maps, asked: Maps, location: Maps | None, window: tuple[slice, slice], bf16: bool
) -> Maps:
    """What the generator changes in a window.

    Args:
        bundle: The model.
        image: (1, 3, H, W) in -1..1.
        asked: (1, C, H, W), the map that is given.
        location: (1, C, H, W), or None.
        window: Rows and columns.
        bf16: Whether to compute in bfloat16.

    Returns:
        (1, 3, h, w), what to add in the window.
    """
    multiple, (height, width) = bundle.generator.config.multiple, image.shape[-2:]
    extents = [part.stop - part.start for part in window]
    # The generator wants whole cells of its coarsest grid; beyond the picture its border is repeated.
    counts = [-(-extent // multiple) * multiple for extent in extents]
    rows, columns = (
        np.arange(part.start, part.start + count).clip(max=side - 1)
        for part, count, side in zip(window, counts, (height, width), strict=True)
    )

    def seen(maps: Maps) -> Maps:
        return np.take(np.take(maps, rows, axis=-2), columns, axis=-1)

    given = None if location is None else seen(location)
    aged = bundle.generator.aged(seen(image), seen(asked), given, bf16)
    return aged[:, :, : extents[0], : extents[1]] - image[:, :, *window]


def location_of(bundle: Bundle, face: FaceView, seed: int = 0) -> Maps | None:
    """The location maps (1, C, S, S) of an aligned face; None for a model that takes none. `seed` as `face_change`."""
    config, side = bundle.generator.config, face.rgb.shape[0]
    if not config.location_maps:
        return None
    if config.places == "face":
        places = face_places(face.landmarks, side)
        if config.patterns > 1:
            places = varied(places, _lines_of(face) + seed, config.patterns)
        return grown(places[None], (side, side))
    return location_maps(np.zeros(1, np.float32), np.zeros(1, np.float32), (side, side), (side, side))


def _lines_of(face: FaceView) -> int:
    """A number for a face's own lines: by its scores, which stay as they are at any size and through a video."""
    scores = np.array([face.scores[zone] for zone in sorted(face.scores)])
    return zlib.crc32(np.round(1000 * scores).astype(np.int64).tobytes())


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
