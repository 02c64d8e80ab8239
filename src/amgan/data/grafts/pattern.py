"""A pattern of lines: the reliefs of a few old faces, put together on the mean face, that all grafts can be made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from amgan.data.grafts.bare_skin import bare_skin
from amgan.data.grafts.relief import relief_of
from amgan.data.grafts.spots import lines_in, spots_in
from amgan.data.store import Store
from amgan.errors import DatasetError
from amgan.faces.light import LUMA
from amgan.faces.outlines import LIPS, SIDE, disc, hull, to_masks
from amgan.faces.rising import rising
from amgan.maps.mesh import mean_face_in, places_in
from amgan.maps.packing import pack_zones
from amgan.maps.shading import TINT
from amgan.signs.atlas import Atlas, Relief
from amgan.signs.zones import zone_masks

# How much of the scale the reliefs of the givers stand for.
FULL = 0.8
# The name of what lies in no zone among the givers.
REST = "rest"
# How far in from where a giver's skin is bare no more its relief has faded in, to a side of the face.
_FADE = 24 / 1024
# Cells of masks around lips that are not skin (`bare_skin`) either, and where it does not fade.
_LIP = 9
# Of which sign lines are not to end at an edge, since it lies wherever their giver's hair does, and from where to where
# they fade there, of how far that skin has faded in. Elsewhere lines end where they do on anybody.
_TO_HAIR, _ENDS = "forehead_wrinkles", (0.05, 0.7)
# How far zones fade into each other, and what the one who gives the rest counts in a zone.
_SOFT, _REST = 10 / 1024, 0.03

# Beside lines and spots, how much is left of what is fine, or skin looks like wax. How much more colour spots have than
# lines, how soft their edges are, how much of the lines between them goes, which are those of other people's eyes, and
# how much is left of what is lighter than around there: on smooth cheeks it looks like scratches.
_BESIDE, _BROWN, _SOFT_SPOTS, _NO_LINES, _RIDGES = 0.9, 1.6, 1.6 / 1024, 0.6, 0.55
# Deviation of the blur that parts pores from shade, to a side of the face.
_PORES = 5 / 1024
# The deviation of the blur over which patches are compared, and how strong they may be beside what is usual.
_PATCH, _AS_STRONG = 17 / 1024, 0.9

_Array = npt.NDArray[np.float32]


class Giver(NamedTuple):
    """Who gives the lines of a sign.

    Attributes:
        face: Name of a row of the data.
        gain: Factor on the relief.
        what: All of it, or its "spots" or its "lines" alone (`amgan.data.grafts.spots`), with what is fine beside them.
    """

    face: str
    gain: float = 1.0
    what: Relief = "all"


def patterns_of(store: Store, atlas: Atlas, givers: Sequence[Mapping[str, Giver]]) -> _Array:
    """Several patterns, (patterns, C, S, S, 3), `evened`; arguments and errors as for `pattern_of`."""
    return evened(np.stack([pattern_of(store, atlas, of_one) for of_one in givers]))


def evened(patterns: _Array) -> _Array:
    """Makes patches fainter that one side of one giver alone has, such as a spotted temple: anybody may get them.

    Args:
        patterns: (patterns, C, S, S, 3), on the mean face, whose sides mirror each other.

    Returns:
        As large; nowhere stronger, and over any small area at most about as strong as the other side, or as is usual.
    """
    deviation = _PATCH * patterns.shape[2]
    energy = ((patterns @ LUMA) ** 2).sum(axis=1)
    strength = np.stack([np.sqrt(cv2.GaussianBlur(one, (0, 0), deviation)) for one in energy])
    other = strength[..., ::-1]
    usual = np.median(np.concatenate([strength, other]), axis=0)
    factors = (_AS_STRONG * np.maximum(other, usual) / strength.clip(min=1e-6)).clip(max=1)
    softly = np.stack([cv2.GaussianBlur(one, (0, 0), deviation / 2) for one in factors])
    return np.asarray(patterns * softly[:, None, :, :, None], np.float32)


def pattern_of(store: Store, atlas: Atlas, givers: Mapping[str, Giver]) -> _Array:
    """The relief of a face with most of every sign, per unit of score.

    Args:
        store: Prepared faces.
        atlas: Zones.
        givers: Who gives each sign's lines; and "rest" what lies in no zone, or where a giver's skin is covered.

    Returns:
        (C, S, S, 3) float32, one relief a channel of the aging map, on the mean face, S that of the store; for
        `amgan.data.grafts.relief.laid_on`.

    Raises:
        DatasetError: A giver is no face of the data, or a sign has none.
    """
    rows = {row.name: index for index, row in enumerate(store.rows)}
    for sign in (*atlas.signs, REST):
        if sign not in givers:
            raise DatasetError(
                f"givers: nobody gives {sign}; name a row of the data, or leave givers out for a choice by score"
            )
        if givers[sign].face not in rows:
            fault = f"givers.{sign}: {givers[sign].face}: no face of {store.folder}"
            raise DatasetError(f"{fault}; name others, or leave givers out for a choice by score")
    size = store.size
    mean = mean_face_in(size)
    steps = np.arange(size // 4, dtype=np.float32) * 4 + np.float32(1.5)

    def on_mean(giver: Giver) -> tuple[_Array, _Array]:
        index = rows[giver.face]
        landmarks, picture = store.landmarks[index], store.images[index]
        # Lines out of shade, beside eyes and on temples, look like dirt on another.
        small = bare_skin(picture, landmarks, shaded=False)
        bare = np.asarray(cv2.resize(small, (size, size), interpolation=cv2.INTER_LINEAR) / np.float32(255), np.float32)
        around = max(round(_FADE * SIDE), 1)
        # Lips have one edge on all faces, and lines above them end there.
        faded = small | hull(to_masks(landmarks, size), LIPS, _LIP)
        within = cv2.GaussianBlur(np.asarray(cv2.erode(faded, disc(around)), np.float32), (0, 0), around / 2)
        fading = np.asarray(cv2.resize(within / 255, (size, size), interpolation=cv2.INTER_LINEAR), np.float32)
        places = cv2.resize(places_in(landmarks, mean, size, steps, steps), (size, size))
        relief = relief_of(picture, bare, size)
        relief = relief * np.float32(giver.gain) if giver.what == "all" else _parted(relief, giver, size)
        relief = np.dstack([relief * fading[..., None], fading])
        found = cv2.remap(relief, places[..., 0], places[..., 1], cv2.INTER_CUBIC, borderMode=cv2.BORDER_CONSTANT)
        return np.asarray(found[..., :3], np.float32), np.asarray(found[..., 3].clip(0, 1), np.float32)

    whole, bare = on_mean(givers[REST])
    channels = pack_zones(atlas)
    total = np.zeros((max(channels) + 1, *whole.shape), np.float32)
    total[0] = _REST * whole
    weights, gone = _REST * np.maximum(bare, np.float32(0.2)), np.zeros_like(bare)
    # The mean face has no irises, and zones are not drawn by them: any ten landmarks do in their place.
    points = np.concatenate([mean, mean[:10]]).astype(np.float32)
    zones = zone_masks(atlas, points, size, size).zones
    known: dict[Giver, tuple[_Array, _Array]] = {}
    for zone, mask, channel in zip(atlas.zones, zones, channels, strict=True):
        giver = givers[zone.partition(".")[0]]
        if giver not in known:
            known[giver] = on_mean(giver)
        relief, bare = known[giver]
        weight = np.asarray(cv2.GaussianBlur(mask, (0, 0), _SOFT * size), np.float32)
        total[channel] += relief * weight[..., None]
        # What is covered of one has faded already: only where another shows skin does that one count.
        weights += bare * weight
        if zone.partition(".")[0] == _TO_HAIR:
            gone += weight * (1 - rising(bare, _ENDS))
    return np.asarray(total * ((1 - gone) / weights)[..., None] * (1 / np.float32(FULL)), np.float32)


def _parted(relief: _Array, giver: Giver, size: int) -> _Array:
    """The lines or the spots of a relief (H, W, 3), times the gain, and what is fine beside them.

    They are of the colour that those have on anybody: a giver's is that of one light and one camera.
    """
    light, tint = np.asarray(relief @ LUMA, np.float32), np.array(TINT, np.float32)
    lines = -lines_in(relief, size)
    if giver.what == "lines":
        marks, rest, brown, ridges = lines, light - lines, tint, 1.0
    else:
        marks = light.clip(max=0) * spots_in(relief, size)
        rest, brown, ridges = light - marks - np.float32(_NO_LINES) * lines, np.float32(_BROWN) * tint, _RIDGES
        marks = np.asarray(cv2.GaussianBlur(marks, (0, 0), max(_SOFT_SPOTS * size, 0.3)), np.float32)
    # Of the rest what is fine, and a gain makes no more of it: skin does not grow rougher where lines are deeper.
    rest = rest - cv2.GaussianBlur(rest, (0, 0), _PORES * size)
    rest *= np.float32(_BESIDE * min(giver.gain, 1.0))
    rest = np.where(rest > 0, np.float32(ridges) * rest, rest)
    return np.asarray(
        rest[..., None] * (1 + tint) + np.float32(giver.gain) * marks[..., None] * (1 + brown), np.float32
    )
