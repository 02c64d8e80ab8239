"""The maps of one aligned face: what a model is asked for at each place, and where on a face that place is."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Literal

import numpy as np
import numpy.typing as npt

from amgan.faces.photo import Photo
from amgan.inference.request import check_places
from amgan.inference.views import FaceView
from amgan.maps.arrays import grown
from amgan.maps.darkening import newly_dark
from amgan.maps.greying import newly_grey
from amgan.maps.kinds import draw_map
from amgan.maps.location import location_maps
from amgan.maps.sides import halved, right_share, score_of
from amgan.maps.targets import painted_map
from amgan.maps.variants import varied
from amgan.models.bundle import Bundle
from amgan.signs.atlas import AGE, SIDES

Maps = npt.NDArray[np.float32]
# What is painted, (R, R) in 0..1: scores times their opacity, and the opacity.
Paint = tuple[Maps, Maps]


def map_of(bundle: Bundle, face: FaceView, scores: Mapping[str, float], painted: Photo | None = None) -> Maps:
    """The aging map of an aligned face.

    Args:
        bundle: The model.
        face: The face.
        scores: Score in 0..1 of each zone and of ``age``; halves of a zone may have one too, which then count.
        painted: A map to lay over those, as large as the photo.

    Returns:
        (1, C, R, R) in 0..1.

    Raises:
        WeightsError: A map is painted, or half a zone aimed at, for a model whose aging maps have no places.
    """
    apart = halved(scores)
    if apart:
        instead = "name the sign without a side"
        check_places(bundle.path, bundle.generator.config, f"no half of {min(apart)}", instead)
        left, right = (
            _drawn(bundle, face, {**scores, **{zone: score_of(scores, f"{zone}.{side}") for zone in apart}})
            for side in SIDES
        )
        share = right_share(face.places(left.shape[-1])[0])
        # Linear in the scores as they are, two maps can be blended into one.
        drawn = left * (1 - share) + right * share
    else:
        drawn = _drawn(bundle, face, scores)
    return drawn if painted is None else painted_map(drawn[0], *paint_of(bundle, face, painted))[None]


def rise_of(
    bundle: Bundle,
    face: FaceView,
    targets: Mapping[str, float],
    paint: Paint | None,
    follows: Literal["light", "shape"],
) -> Maps:
    """How much more the map asks for at each place, as far as its light or its shape goes with that.

    Args:
        bundle: The model.
        face: The face.
        targets: Scores that are wanted, as for `map_of`.
        paint: What is painted over those, (R, R) as the map.
        follows: Which of the two.

    Returns:
        (1, C, R, R), in -1..1 times what the atlas lets it go farther than the score.
    """
    share = {name: float(getattr(sign, follows)) for name, sign in bundle.atlas.signs.items()}

    def weighed(scores: Mapping[str, float]) -> Maps:
        changed = dict(scores)
        for name, score in scores.items():
            part = share.get(name.partition(".")[0], 1.0)
            changed[name] = part * score + max(1 - part, 0.0) * scores[AGE]
        return map_of(bundle, face, changed)

    rise = weighed(targets) - weighed(face.scores)
    if paint is None:
        return rise
    score, opacity = paint
    return np.asarray(rise * (1 - opacity) + score - opacity * map_of(bundle, face, face.scores), np.float32)


def _drawn(bundle: Bundle, face: FaceView, scores: Mapping[str, float]) -> Maps:
    return draw_map(
        bundle.generator.config.maps,
        face.masks.zones[None],
        face.masks.head[None],
        np.array([[scores[zone] for zone in bundle.atlas.zones]], np.float32),
        np.array([scores[AGE]], np.float32),
        bundle.channels,
    )


def paint_of(bundle: Bundle, face: FaceView, painted: Photo, around: bool = False) -> Paint:
    """A map that is painted in the photo's coordinates, on an aligned face.

    Args:
        bundle: The model.
        face: The face.
        painted: As large as the photo.
        around: Whether what is around the face's square is wanted too, as `FaceView.wide` has it.

    Raises:
        WeightsError: It is for a model whose aging maps have no places.
    """
    check_places(bundle.path, bundle.generator.config, "no painted map", "leave the map out")
    left, top, right, bottom = face.report.region
    small = face.alignment.within(left, top).resized(len(face.masks.head)).padded(face.wide.cells if around else 0)
    grey = painted.rgb[top:bottom, left:right].mean(axis=2)
    opacity = np.full(grey.shape, 255, np.uint8) if painted.alpha is None else painted.alpha[top:bottom, left:right]
    # Multiplied by its opacity before it is shrunk, so that the colour of transparent pixels does not bleed in.
    score = (grey * (opacity / 255)).round().astype(np.uint8)
    shrunk = small.crop(np.stack([score, opacity, opacity], axis=2)).astype(np.float32) / np.float32(255)
    return shrunk[..., 0], shrunk[..., 1]


def greying_of(bundle: Bundle, face: FaceView, targets: Mapping[str, float], paint: Paint | None) -> Maps:
    """Which share of the strands turns grey at each place (R, R) of `FaceView.wide`, as `paint` is.

    Where somebody is to be younger it is below 0: that share of the grey strands gets its colour back.
    """
    wanted = np.full(face.wide.hair.shape, targets[AGE], np.float32)
    if paint is not None:
        wanted = painted_map(wanted[None], *paint)[0]
    # Both through one table and in one precision: where no other age is wanted the share is 0, and not nearly so.
    scores = np.linspace(0, 1, 101)
    grades = [bundle.atlas.age.grade(score) for score in scores.tolist()]
    now, then = (np.interp(score, scores, grades) for score in (np.float32(face.scores[AGE]), wanted))
    return (newly_grey(now, then) - newly_dark(now, then)).astype(np.float32)


def location_of(bundle: Bundle, face: FaceView, seed: int = 0) -> Maps | None:
    """The location maps (1, C, S, S) of an aligned face; None for a model that takes none. `seed` as `face_change`."""
    config, side = bundle.generator.config, face.rgb.shape[0]
    if not config.location_maps:
        return None
    if config.places == "face":
        places = face.places()
        if config.patterns > 1:
            places = varied(places, _lines_of(face) + seed, config.patterns)
        return grown(places[None], (side, side))
    return location_maps(np.zeros(1, np.float32), np.zeros(1, np.float32), (side, side), (side, side))


def _lines_of(face: FaceView) -> int:
    """A number for a face's own lines: by its scores, which stay as they are at any size and through a video."""
    scores = np.array([face.scores[zone] for zone in sorted(face.scores)])
    return zlib.crc32(np.round(1000 * scores).astype(np.int64).tobytes())
