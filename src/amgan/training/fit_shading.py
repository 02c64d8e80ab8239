"""Measures how light falls on faces with age, for `amgan.maps.shading`.

Faces are brought to the mean face, and at each place the logarithm of light is
regressed on the aging map there: on a sign's score in its zones, on age elsewhere. Beside that stands what else may
change the light: where a head turns, how a mouth smiles or opens, sex, population, and where the photo comes from. Each
face counts both ways round, so that what is found is alike on both sides. Takes some two minutes for 700 faces.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import cv2
import numpy as np
import numpy.typing as npt

from amgan.data.curation.occlusion import load_detector
from amgan.data.fit_sagging import both_ways_round, groups, pose
from amgan.data.grafts.bare_skin import bare_skin
from amgan.data.grafts.givers import covers
from amgan.data.store import Store
from amgan.faces.light import light_in, logarithms
from amgan.faces.outlines import EYES, LIPS, hull, to_masks
from amgan.maps.aging import aging_map
from amgan.maps.mesh import mean_face, mean_face_in, places_in
from amgan.maps.packing import pack_zones
from amgan.signs.atlas import Atlas
from amgan.signs.zones import zone_masks

# Side of the picture of the mean face that is measured, and the blur before, to a side of a face.
CELLS, BLUR = 256, 2.5 / 1024
PENALTY = 20.0
# About the deviation of scores among people, by which the penalty on their slope is as large as on others'.
SPREAD = 0.16
# Lids and lips are measured too, so far around; lids of nobody who seems to wear glasses.
_AROUND_LIPS, _AROUND_EYES, _GLASSES = 4, 7, 0.3
# Men's skin counts so much where beards grow: shaved or not, they would pass for a shade that goes with age.
_BEARDED = 0.03
# Places that fewer faces show fade out, from the second share of them to the first.
_SHOWN, _HARDLY = 0.42, 0.12
# What is softly the most, as logarithms: of darkening, of lightening (mostly where something else stood in the light),
# and of hue; and how much of hue is taken, which cameras and make-up change as age does.
_DARKER, _LIGHTER, _HUE, _OF_HUE = 0.4, 0.06, 0.06, 0.75
# Faces that are counted in at a time, since the sums are large.
_TOGETHER = 24
# Of the nose's base and of an ear's landmark, from which beards grow; and how soft that begins.
_NOSE_BASE, _EAR, _BESIDE, _SOFT = 2, 234, 0.30, 0.1

Array = npt.NDArray[np.float32]


class Slopes:
    """Ridge regressions, one a pixel, of some values on one map's and on what is the same for all pixels.

    Args:
        pixels: How many.
        values: How many values a pixel has.
        others: How many columns there are beside the map.
        penalty: On squared slopes, as many faces as it outweighs.
    """

    def __init__(self, pixels: int, values: int, others: int, penalty: float = PENALTY) -> None:
        self._square = np.zeros((pixels, others + 2, others + 2), np.float64)
        self._right = np.zeros((pixels, others + 2, values), np.float64)
        self._penalty = np.diag([0.0, *[penalty] * others, penalty * SPREAD**2]) + 1e-6 * np.eye(others + 2)

    def add(self, values: Array, weights: Array, maps: Array, others: Array) -> None:
        """Counts in some faces.

        Args:
            values: (n, P, C).
            weights: (n, P), how much each pixel of each counts.
            maps: (n, P), what the slope is wanted on.
            others: (n, K), of mean 0 and deviation 1.
        """
        known = np.concatenate([np.ones((len(others), 1), np.float32), others.astype(np.float32)], axis=1)
        count = known.shape[1]
        products = (known[:, :, None] * known[:, None, :]).reshape(len(known), -1)
        self._square[:, :count, :count] += (weights.T @ products).reshape(-1, count, count)
        weighed = weights * maps
        beside = weighed.T @ known
        self._square[:, :count, count] += beside
        self._square[:, count, :count] += beside
        self._square[:, count, count] += (weighed * maps).sum(axis=0)
        for value in range(values.shape[2]):
            self._right[:, :count, value] += (weights * values[..., value]).T @ known
            self._right[:, count, value] += (weighed * values[..., value]).sum(axis=0)

    def found(self) -> npt.NDArray[np.float64]:
        """(P, C), by how much values rise for one more of the map."""
        return np.asarray(np.linalg.solve(self._square + self._penalty, self._right)[:, -1])


def fit(
    store: Store,
    atlas: Atlas,
    chosen: npt.NDArray[np.int64],
    scores: Array,
    ages: Array,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> Array:
    """The shading that goes with one more of every sign and of age.

    Args:
        store: Prepared faces.
        atlas: Signs and zones.
        chosen: Which of them.
        scores: (n, Z) of the zones of those, 0..1.
        ages: (n,) of those, 0..1.
        progress: Gets what is to be gone through, and gives it back.

    Returns:
        (`CELLS`, `CELLS`, 3), logarithms, softly limited, 0 where too few faces show skin.
    """
    rows = [store.rows[index] for index in chosen]
    others = np.concatenate(
        [
            pose(both_ways_round(store.landmarks[chosen, : len(mean_face())].astype(np.float64))),
            np.tile(groups(rows), (2, 1)),
        ],
        axis=1,
    )
    others = ((others - others.mean(axis=0)) / (others.std(axis=0) + 1e-9)).astype(np.float32)
    mean = mean_face_in(store.size)
    zones = zone_masks(atlas, np.concatenate([mean, mean[:10]]), store.size, CELLS).zones[None]
    head, channels = np.ones((1, CELLS, CELLS), np.float32), pack_zones(atlas)
    # What the light of a zone does not follow of its sign it follows of age.
    share = np.array([atlas.signs[zone.partition(".")[0]].light for zone in atlas.zones]).clip(max=1)
    scores = np.asarray(share * scores + (1 - share) * ages[:, None], np.float32)
    beards, detector = _beards(), load_detector()
    slopes, shown = Slopes(CELLS**2, 4, others.shape[1]), np.zeros((CELLS, CELLS), np.float32)
    waiting: list[tuple[Array, Array, Array, Array]] = []
    for number in progress(range(len(chosen))):
        picture, landmarks = store.images[chosen[number]], store.landmarks[chosen[number]]
        lids = covers(detector, store, int(chosen[number]))["glasses"] < _GLASSES
        light, weight = even(*_on_mean(picture, landmarks, mean, _skin(picture, landmarks, lids)))
        shown += (weight + weight[:, ::-1]) / (2 * len(chosen))
        weight = weight * (1 - (1 - np.float32(_BEARDED)) * beards) if rows[number].sex == "male" else weight
        drawn = aging_map(zones, head, scores[number][None], ages[number][None], channels)[0].max(axis=0)
        both = (np.stack([one, one[:, ::-1]]) for one in (light, weight, drawn))
        values, weights, maps = (one.reshape(2, CELLS**2, *one.shape[3:]) for one in both)
        waiting.append((values, weights, maps, others[[number, number + len(chosen)]]))
        if len(waiting) == _TOGETHER or number == len(chosen) - 1:
            slopes.add(*(np.concatenate(part) for part in zip(*waiting, strict=True)))
            waiting.clear()
    return limited(np.asarray(slopes.found(), np.float32).reshape(CELLS, CELLS, 4), shown)


def even(logs: Array, weight: Array) -> tuple[Array, Array]:
    """Takes from a face what light differs all over it, and its own hue.

    Args:
        logs: (S, S, 3), logarithms.
        weight: (S, S) in 0..1, where skin is.

    Returns:
        (S, S, 4), light less the plane that fits it best, and red, green and blue beside light, less their means; and
        the weight.
    """
    light = light_in(logs)
    steps = np.linspace(-1, 1, len(light), dtype=np.float32)
    plane = np.stack([np.ones_like(light), *np.meshgrid(steps, steps)], axis=-1).reshape(-1, 3)
    weighed = plane * weight.reshape(-1, 1)
    found = np.linalg.solve(weighed.T @ plane + 1e-3 * np.eye(3, dtype=np.float32), weighed.T @ light.ravel())
    hue = logs - light[..., None]
    own = (hue * weight[..., None]).sum(axis=(0, 1)) / weight.sum().clip(min=1e-3)
    return np.dstack([light - (plane @ found).reshape(light.shape), hue - own]), weight


def limited(found: Array, shown: Array) -> Array:
    """Slopes (S, S, 4) of light and of hue as logarithms (S, S, 3), of places that enough faces show (S, S)."""
    light, hue = found[..., :1], _OF_HUE * found[..., 1:]
    light = np.where(light > 0, _softly(light, _LIGHTER), _softly(light, _DARKER))
    fading = ((shown - _HARDLY) / (_SHOWN - _HARDLY)).clip(0, 1)[..., None]
    return np.asarray((light + _softly(hue, _HUE)) * fading, np.float32)


def _softly(values: Array, most: float) -> Array:
    return np.asarray(most * np.tanh(values / most), np.float32)


def _skin(picture: npt.NDArray[np.uint8], landmarks: Array, lids: bool) -> npt.NDArray[np.uint8]:
    """(`SIDE`, `SIDE`), 255 where bare skin is, lips, and, if wanted, lids."""
    points = to_masks(landmarks, len(picture))
    found = bare_skin(picture, landmarks)
    for part, around in ((LIPS, _AROUND_LIPS), *(((eye, _AROUND_EYES) for eye in EYES) if lids else ())):
        found = np.maximum(found, np.asarray(cv2.GaussianBlur(hull(points, part, around), (0, 0), 1.5), np.uint8))
    return found


def _on_mean(
    picture: npt.NDArray[np.uint8], landmarks: Array, mean: Array, skin: npt.NDArray[np.uint8]
) -> tuple[Array, Array]:
    """A face's logarithms of light (`CELLS`, `CELLS`, 3), skin alone, and how much skin is at each place."""
    size = len(picture)
    weight = np.asarray(cv2.resize(skin, (size, size)) / np.float32(255), np.float32)
    logs = logarithms(picture) * weight[..., None]
    blurred = cv2.GaussianBlur(np.dstack([logs, weight]), (0, 0), BLUR * size)
    asked = np.arange(CELLS // 2, dtype=np.float32) * (2 * size / CELLS) + np.float32(size / CELLS - 0.5)
    places = cv2.resize(places_in(landmarks, mean, size, asked, asked), (2 * CELLS, 2 * CELLS))
    fine = cv2.remap(np.asarray(blurred, np.float32), places[..., 0], places[..., 1], cv2.INTER_LINEAR)
    found = np.asarray(cv2.resize(fine, (CELLS, CELLS), interpolation=cv2.INTER_AREA), np.float32)
    return found[..., :3] / found[..., 3:].clip(min=1e-3), np.ascontiguousarray(found[..., 3])


def _beards() -> Array:
    """(`CELLS`, `CELLS`) in 0..1 on the mean face, where beards grow: below the nose and down the sides."""
    steps = (np.arange(CELLS, dtype=np.float32) + np.float32(0.5)) * np.float32(2 / CELLS) - 1
    x, y = np.meshgrid(np.abs(steps), steps)
    below = (y - mean_face()[_NOSE_BASE, 1]) / np.float32(_SOFT)
    beside = np.minimum(x - np.float32(_BESIDE), y - mean_face()[_EAR, 1]) / np.float32(_SOFT)
    return np.asarray(np.maximum(below, beside).clip(0, 1), np.float32)
