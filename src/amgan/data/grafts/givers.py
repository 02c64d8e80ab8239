"""Whose lines make the patterns: of each sign those who have most of it and hide none of it."""

from __future__ import annotations

import functools
from collections.abc import Mapping

import cv2
import numpy as np
import numpy.typing as npt

from amgan.data.curation.occlusion import FACE_SIZE, Cover, OcclusionDetector, load_detector
from amgan.data.grafts.bare_skin import bare_skin
from amgan.data.grafts.pattern import FULL, REST, Giver
from amgan.data.store import Store
from amgan.errors import DatasetError
from amgan.faces.align import at_side, points_at
from amgan.faces.outlines import SIDE
from amgan.maps.mesh import turned
from amgan.signs.atlas import Atlas, Relief
from amgan.signs.zones import zone_masks

# A face has a relief worth having if it looks ahead, and is more probably bare than covered. Others count for so much:
# they give where nobody else does.
_ASIDE, _COVERED, _ELSE = 0.06, 0.5, 0.05
# Least and most factor on a relief: what is made much deeper than it was shows noise.
_GAIN = (0.8, 1.6)
# How much of it is laid, in zones by what shows the sign, and elsewhere: the depth of folds is shading
# (`amgan.maps.shading`), and creases where no sign lies look crumpled.
_LAID: Mapping[Relief, float] = {"all": 0.7, "lines": 1.05, "spots": 1.0}
_LAID_ELSEWHERE = 0.45
# Of how many with the most of a sign the skin is looked at, for each pattern.
_TRIES = 30

_Array = npt.NDArray[np.float32]


def choose_givers(
    store: Store, atlas: Atlas, indices: npt.NDArray[np.int64], scores: _Array, patterns: int
) -> list[dict[str, Giver]]:
    """Givers for patterns of lines, as a config names them (`amgan.data.grafts.pattern`).

    Args:
        store: Prepared faces.
        atlas: Signs and zones.
        indices: (N,), rows of the store to choose from.
        scores: (N, Z), their scores in 0..1.
        patterns: How many sets are wanted; nobody gives the same sign in two of them, if there are enough people.

    Returns:
        One mapping a pattern, of every sign and "rest".

    Raises:
        DatasetError: Too few faces have a sign.
    """
    detector = load_detector()

    @functools.cache
    def shown(place: int) -> _Array:
        """(Z,) in 0..1, what of each zone is bare skin; little of a face that is covered."""
        index = indices[place]
        landmarks, picture = store.landmarks[index], store.images[index]
        if is_covered(detector, store, int(index)):
            return np.full(len(atlas.zones), _ELSE, np.float32)
        zones = zone_masks(atlas, landmarks, store.size, SIDE // 2).zones
        bare = cv2.resize(
            bare_skin(picture, landmarks, shaded=False), zones.shape[1:][::-1], interpolation=cv2.INTER_AREA
        )
        visible: _Array = (zones * bare).sum(axis=(1, 2)) / (255 * zones.sum(axis=(1, 2))).clip(min=1e-6)
        return visible.clip(min=_ELSE)

    ahead = np.array([1 if abs(turned(store.landmarks[index])) < _ASIDE else _ELSE for index in indices])

    def best(zones: list[int], name: str, what: Relief, laid: float) -> list[Giver]:
        of_sign = scores[:, zones].mean(axis=1)
        looked_at = [int(place) for place in np.argsort(-of_sign * ahead)[: _TRIES * patterns] if of_sign[place] > 0]
        if len(looked_at) < patterns:
            fault = f"only {len(looked_at)} faces have any {name}, and {patterns} are wanted"
            raise DatasetError(f"{store.folder}: {fault}; have more photos of old people, or fewer generator.patterns")
        best_first = sorted(looked_at, key=lambda place: -of_sign[place] * ahead[place] * shown(place)[zones].min())
        # One photo a person, as long as there are enough people.
        people = {store.rows[indices[place]].identity: place for place in reversed(best_first)}
        alone = sorted(best_first, key=lambda place: people[store.rows[indices[place]].identity] != place)
        return [
            Giver(store.rows[indices[place]].name, round(laid * float(np.clip(FULL / of_sign[place], *_GAIN)), 2), what)
            for place in alone[:patterns]
        ]

    by_zone = {zone: number for number, zone in enumerate(atlas.zones)}
    by_sign: Mapping[str, list[Giver]] = {
        sign: best([by_zone[zone] for zone in atlas.zones_of(sign)], sign, kind.relief, _LAID[kind.relief])
        for sign, kind in atlas.signs.items()
    } | {REST: best(list(by_zone.values()), "sign", "lines", _LAID_ELSEWHERE)}
    return [{sign: givers[number] for sign, givers in by_sign.items()} for number in range(patterns)]


def is_covered(detector: OcclusionDetector, store: Store, index: int) -> bool:
    """Whether hair, cloth or glasses cover a face of a store."""
    return max(covers(detector, store, index).values()) >= _COVERED


def covers(detector: OcclusionDetector, store: Store, index: int) -> Mapping[Cover, float]:
    """How probably what covers a face of a store, 0..1 (`OcclusionDetector.measure`)."""
    landmarks = points_at(store.landmarks[index], store.size, FACE_SIZE)
    return detector.measure(at_side(store.images[index], FACE_SIZE), landmarks)
