"""Draws grafts: who gives lines to whom, where, and how strongly.

What two photos of different people cannot show, a graft does: one face twice, alike to the pixel but for signs whose
places and scores are known.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
import numpy.typing as npt

from amgan.data.curation.occlusion import load_detector
from amgan.data.draw import Draw, drawn_below
from amgan.data.grafts.givers import is_covered
from amgan.data.grafts.hair import evenly_greyed
from amgan.data.grafts.layers import FaceLayers
from amgan.data.grafts.relief import laid_on, weighted
from amgan.data.grafts.window import Window
from amgan.data.store import Store
from amgan.errors import DatasetError
from amgan.faces.align import points_at
from amgan.maps.aging import aging_map
from amgan.maps.arrays import grown
from amgan.maps.mesh import in_pixels, turned
from amgan.maps.packing import pack_zones
from amgan.signs.atlas import Atlas

# How much further aside one of the two faces may look than the other (`mesh.turned`).
_TURNED = 0.1
# By how much more, on the mean of all zones, a giver has to give; and by how much in a zone that is given.
_MORE, _MORE_IN_ZONE = 0.1, 0.05
# A face takes part if so many others have more to give; and how many are asked, of whom some are covered. Where all
# are, a patch stays as it is, which is a pair too.
_FEWEST, _TRIES = 3, 8
# Part of a zone that must be bare skin on both faces for its score to be that of the graft.
_SHOWN = 0.5
# Least and most strength, times what the giver has: few people have 0.9 of anything.
_STRENGTH = (0.4, 1.4)
# Shares of grafts: of a whole face, of a zone here and there, and, what is left, of one sign or a side of it.
_WHOLE, _MIXED = 0.5, 0.25

# Least and most of the scale that lines of a pattern stand for; and the share of faces that get younger of those.
_AMOUNT, _OFF_PATTERN = (0.1, 0.9), 0.3
# Shares of faces that are drawn for the lines they have, and of those that lose them; the mean score of all zones from
# which on there are some; least and most of them that goes; and what of that goes where no sign's zone lies.
_LINED, _RETOUCHED, _OWN, _GOING, _ELSEWHERE = 0.4, 0.8, 0.35, (0.3, 1.0), 0.8

# Normalised ages at which hair begins to go grey and has gone: 38 and 68 years.
_GREYING = (0.32, 0.8)

_Array = npt.NDArray[np.float32]


class Graft(NamedTuple):
    """Signs laid on a patch.

    Attributes:
        after: (P, P, 3) uint8, the patch with them.
        scores: (Z,) of the face then, 0..1.
        age: Normalised.
    """

    after: npt.NDArray[np.uint8]
    scores: _Array
    age: np.float32


class Grafts:
    """Grafts from and to the faces of a store. Threads may share one.

    Args:
        store: Prepared faces.
        atlas: Gives the outline of the head.
        indices: Rows of the store to draw from.
        draw: Their scores and ages, and how they are drawn.
        cache_bytes: What is known of the faces may take of the memory.
        patterns: (patterns, C, S, S, 3), lines that all get who grow older (`amgan.data.grafts.pattern`); without,
            anyone old gives lines to anyone.
        hair: Whether hair goes grey too; not if it does so by itself in use (`GeneratorConfig.greys`).
    """

    def __init__(
        self,
        store: Store,
        atlas: Atlas,
        indices: npt.NDArray[np.int64],
        draw: Draw,
        cache_bytes: int,
        patterns: _Array | None = None,
        hair: bool = True,
    ) -> None:
        self.store, self.indices, self.draw = store, indices, draw
        self.channels = pack_zones(atlas)
        self.patterns, self.hair = patterns, hair
        self.layers = FaceLayers(store, atlas, indices, cache_bytes)
        self._detector = load_detector()
        self._covered: dict[int, bool] = {}
        self._aside = np.array([turned(store.landmarks[index]) for index in indices])
        _, self._sexes = np.unique([store.rows[index].sex for index in indices], return_inverse=True)
        self._told = np.array([bool(store.rows[index].sex) for index in indices])
        self._means = draw.scores.mean(axis=1)
        # To those with the most nobody has more to give.
        takes = self._means < np.sort(self._means)[-_FEWEST:][0] - _MORE
        if not takes.any():
            fault = "no face has lines to give to enough others; this critic wants photos of people of all ages"
            raise DatasetError(f"{store.folder}: {fault}")
        self._takes, lined = takes, self._means > _OWN
        of_lined = _LINED if lined.any() else 0.0
        self._ends = np.cumsum((1 - of_lined) * takes / takes.sum() + of_lined * lined / max(lined.sum(), 1))

    def faces(self, rng: np.random.Generator, count: int) -> npt.NDArray[np.int64]:
        """(count,) places of faces to which others can give, or that have lines to lose, each drawn by itself."""
        return drawn_below(self._ends, rng, count)

    def drawn(
        self, rng: np.random.Generator, pick: int, picture: npt.NDArray[np.uint8], window: Window
    ) -> tuple[Graft, bool]:
        """A graft on a patch, and whether it is to be put on rather than taken off.

        Args:
            rng: Source of randomness.
            pick: Whose patch it is, a place among `indices`.
            picture: (S, S, 3) uint8, the face.
            window: The patch.
        """
        if self._means[pick] > _OWN and (rng.random() < _RETOUCHED or not self._takes[pick]):
            return self._without_own(rng, pick, picture, window), True
        on = rng.random() < 0.5
        if self.patterns is not None and (on or rng.random() < _OFF_PATTERN):
            return self._of_pattern(rng, pick, picture, window, on), on
        return self._of_person(rng, pick, picture, window, on), on

    def _without_own(
        self, rng: np.random.Generator, pick: int, picture: npt.NDArray[np.uint8], window: Window
    ) -> Graft:
        """Fewer of the face's own lines."""
        own, age = self.draw.scores[pick], self.draw.ages[pick]
        chosen, outside = self._chosen(rng, window.zones)
        going = np.float32(rng.uniform(*_GOING))
        inside, kept = (window.zones[which].max(axis=0, initial=0.0) for which in (chosen, ~chosen))
        where = going * window.where * (np.maximum(inside, _ELSEWHERE * (1 - kept)) if outside else inside)
        share = grown(where[None, None].astype(np.float32), (window.side, window.side))[0, 0]
        lines = self.layers.lines(pick, picture, *window.patch)
        after = laid_on(picture[window.patch], weighted(lines, -share))
        scores = np.where(chosen, own * (1 - going), own).astype(np.float32)
        return Graft(after, scores, np.float32(age * (1 - going)) if outside else age)

    def _of_pattern(
        self, rng: np.random.Generator, pick: int, picture: npt.NDArray[np.uint8], window: Window, on: bool
    ) -> Graft:
        """Lines of the pattern, as deep as the aging map rises; `on` as `_greyed` wants it."""
        assert self.patterns is not None and window.lines is not None
        own, age, size = self.draw.scores[pick], self.draw.ages[pick], picture.shape[0]
        chosen, outside = self._chosen(rng, window.zones)
        amount = np.float32(rng.uniform(*_AMOUNT))
        scores = np.where(chosen, own + amount, own).clip(0, 1).astype(np.float32)
        older = np.float32(np.clip(age + amount, 0, 1)) if outside else age
        zones, head = window.zones[None], window.head[None]
        before, after = (
            aging_map(zones, head, values[None], np.array([years], np.float32), self.channels)
            for values, years in ((own, age), (scores, older))
        )
        more = grown((after - before) * window.where, (window.side, window.side))[0]
        more *= self.layers.bare(pick, size, *window.patch)
        xs, ys = in_pixels(window.lines, self.store.size)
        lines = np.zeros((window.side, window.side, 3), np.float32)
        for relief, part in zip(self.patterns[window.pattern], more, strict=True):
            if part.any():
                lines += weighted(np.asarray(cv2.remap(relief, xs, ys, cv2.INTER_LINEAR), np.float32), part)
        made = laid_on(picture[window.patch], lines)
        return Graft(self._greyed(made, pick, age, older, size, window.patch) if on else made, scores, older)

    def _greyed(
        self,
        rgb: npt.NDArray[np.uint8],
        pick: int,
        age: np.float32,
        older: np.float32,
        size: int,
        patch: tuple[slice, slice],
    ) -> npt.NDArray[np.uint8]:
        """A patch with hair as grey as that of someone older. Where lines are taken off, hair stays: no grey goes."""
        greyer = _greyness(older) - _greyness(age) if self.hair else 0
        return evenly_greyed(rgb, self.layers.hair(pick, size, *patch), greyer, size) if greyer > 0 else rgb

    def _of_person(
        self, rng: np.random.Generator, pick: int, picture: npt.NDArray[np.uint8], window: Window, on: bool
    ) -> Graft:
        """Lines of someone who has more of them; `on` as `_greyed` wants it."""
        own, age = self.draw.scores[pick], self.draw.ages[pick]
        patch = window.patch
        giver = self._giver(rng, pick)
        if giver is None:
            return Graft(picture[patch], own, age)
        more = self.draw.scores[giver] - own
        strength = np.float32(rng.uniform(*_STRENGTH))
        # Beyond the scale nobody knows what a score is.
        strength = min(strength, np.float32((1 - own[more.argmax()]) / more.max()))
        relief, bare = self._warped(giver, pick, picture.shape[0], window)
        bare = bare * self.layers.bare(pick, picture.shape[0], *patch)
        cells = (window.where.shape[1], window.where.shape[0])
        shown = window.zones * cv2.resize(bare, cells, interpolation=cv2.INTER_AREA)
        can = (shown.sum(axis=(1, 2)) > _SHOWN * window.zones.sum(axis=(1, 2))) & (more > _MORE_IN_ZONE)
        chosen, outside = self._chosen(rng, window.zones * can[:, None, None])
        chosen &= can
        inside, kept = (window.zones[which].max(axis=0, initial=0.0) for which in (chosen, ~chosen))
        where = (1 - kept * (1 - inside) if outside else inside) * window.where
        relief = weighted(relief, strength * bare * grown(where[None, None], bare.shape)[0, 0])
        scores = np.where(chosen, own + strength * more, own).clip(0, 1).astype(np.float32)
        older = np.float32(np.clip(age + strength * (self.draw.ages[giver] - age), 0, 1)) if outside else age
        made = laid_on(picture[patch], relief)
        return Graft(self._greyed(made, pick, age, older, picture.shape[0], patch) if on else made, scores, older)

    def _giver(self, rng: np.random.Generator, pick: int) -> int | None:
        """Someone bare-faced, not of the other sex, who looks the same way and has more of most signs."""
        alike = (self._sexes == self._sexes[pick]) | ~self._told | ~self._told[pick]
        near = np.abs(self._aside - self._aside[pick]) < _TURNED
        found = np.flatnonzero(alike & near & (self._means - self._means[pick] > _MORE))
        for giver in rng.permutation(found)[:_TRIES]:
            if not self._is_covered(int(giver)):
                return int(giver)
        return None

    def _is_covered(self, pick: int) -> bool:
        """Whether hair, cloth or glasses cover a face."""
        if pick not in self._covered:
            self._covered[pick] = is_covered(self._detector, self.store, int(self.indices[pick]))
        return self._covered[pick]

    def _chosen(self, rng: np.random.Generator, zones: _Array) -> tuple[npt.NDArray[np.bool_], bool]:
        """Zones (Z,) that are given, and whether what lies outside of all is too."""
        kind = rng.random()
        if kind < _WHOLE:
            return np.ones(len(zones), bool), True
        if kind < _WHOLE + _MIXED:
            return rng.random(len(zones)) < 0.5, rng.random() < 0.5
        chosen = np.zeros(len(zones), bool)
        chosen[self.draw.one_sign(rng, zones)] = True
        return chosen, False

    def _warped(self, giver: int, pick: int, size: int, window: Window) -> tuple[_Array, _Array]:
        """What of the giver's relief (P, P, 3) lies where the patch does, and of its bare skin (P, P)."""
        xs, ys = np.asarray(cv2.split(self._places(giver, pick, size, window)), np.float32)
        columns, rows = (_span(axis, size) for axis in (xs, ys))
        xs, ys = xs - np.float32(columns.start), ys - np.float32(rows.start)
        relief, bare = (
            cv2.remap(layer(giver, size, rows, columns), xs, ys, cv2.INTER_LINEAR)
            for layer in (self.layers.relief, self.layers.bare)
        )
        return np.asarray(relief, np.float32), np.asarray(bare, np.float32)

    def _places(self, giver: int, pick: int, size: int, window: Window) -> _Array:
        """(P, P, 2), where in the giver's picture the places of a patch are."""
        if window.places is None:
            own, other = (self._landmarks(self.indices[face], size) for face in (pick, giver))
            return window.places_in(other, own, size)
        # By way of the mean face, since what lies where on that is known of one of both, and kept of the other.
        back = self.layers.places(giver)
        xs, ys = in_pixels(window.places, len(back))
        there = cv2.remap(back, xs, ys, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        return in_pixels(np.asarray(there, np.float32), size)

    def _landmarks(self, index: int, size: int) -> npt.NDArray[np.float32]:
        """A face's landmarks in a picture of it of this side."""
        return points_at(self.store.landmarks[index], self.store.size, size)


def _span(places: _Array, size: int) -> slice:
    """The pixels of a side of this length among which all places on it lie, and what is beside the last."""
    low, high, *_ = cv2.minMaxLoc(places)
    return slice(int(np.clip(low, 0, size - 1)), int(np.clip(high, 0, size - 2)) + 2)


def _greyness(age: np.float32) -> float:
    """How grey hair is at a normalised age, 0..1."""
    first, last = _GREYING
    return float(np.clip((age - first) / (last - first), 0, 1))
