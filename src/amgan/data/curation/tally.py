"""Counts, histograms and examples of a curation, gathered row by row so that memory does not grow with the folder."""

from __future__ import annotations

import heapq
import math
import zlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from amgan.data.curation.limits import CHECKS, SEVERAL_FACES, UNREADABLE
from amgan.data.labels import Labels

EXAMPLES = 24
_BINS = 40
# What a histogram shows, 0 to 1 if nothing else is said; values beyond are counted in its outermost bars.
_EXTENTS = {
    "side": (0.0, 1600.0),
    "sharpness": (0.2, 1.0),
    "yaw": (-60.0, 60.0),
    "pitch": (-60.0, 60.0),
    "roll": (-60.0, 60.0),
    "age": (0.0, 100.0),
}


@dataclass(frozen=True)
class Example:
    """One photo to show.

    Attributes:
        name: Path inside SRC.
        caption: What was measured, or what is wrong with the file.
        matrix: Six numbers of its alignment; None without a face.
    """

    name: str
    caption: str
    matrix: tuple[float, ...] | None


class Tally:
    """What the report says; rows are added one by one.

    Attributes:
        counts: Photos by reason, "" for kept.
        populations: Photos by population and whether they are kept.
        ages: Photos of known age.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.populations: Counter[tuple[str, bool]] = Counter()
        self.ages = 0
        self._histograms = {check.value: np.zeros((2, _BINS), np.int64) for check in CHECKS}
        self._examples: dict[str, list[tuple[int, str, Example]]] = {}

    @property
    def total(self) -> int:
        """Photos."""
        return self.counts.total()

    @property
    def kept(self) -> int:
        """Photos kept."""
        return self.counts[""]

    def add(self, row: Mapping[str, Any], reason: str, labels: Labels) -> None:
        """Counts one photo.

        Args:
            row: Its columns of `table.MEASURED`, landmarks and blendshapes not needed.
            reason: Its verdict.
            labels: What people say about it.
        """
        self.counts[reason] += 1
        self.ages += not math.isnan(labels.age)
        if labels.population:
            self.populations[labels.population, not reason] += 1
        for check in CHECKS:
            value = labels.age if check.value == "age" else row[check.value]
            if value is not None and not math.isnan(value):
                low, high = self.extent(check.value)
                place = int((value - low) / (high - low) * _BINS)
                self._histograms[check.value][int(bool(reason)), min(max(place, 0), _BINS - 1)] += 1
        # The photos with the smallest checksums are shown: a sample that does not follow the order of the folder, and
        # the same in every run.
        shown = self._examples.setdefault(reason, [])
        rank = (-zlib.crc32(row["path"].encode()), row["path"])
        if len(shown) < EXAMPLES or rank > shown[0][:2]:
            matrix = None if row["matrix"] is None else tuple(row["matrix"])
            entry = (*rank, Example(row["path"], _caption(row, reason, labels), matrix))
            (heapq.heappush if len(shown) < EXAMPLES else heapq.heapreplace)(shown, entry)

    def histogram(self, value: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Photos kept and photos rejected in each bin of a value over `extent`."""
        kept, rejected = self._histograms[value]
        return kept, rejected

    def extent(self, value: str) -> tuple[float, float]:
        """First and last value of a histogram."""
        return _EXTENTS.get(value, (0.0, 1.0))

    def examples(self, reason: str) -> list[Example]:
        """Up to `EXAMPLES` photos of one verdict, by name."""
        return sorted((example for *_, example in self._examples.get(reason, [])), key=lambda example: example.name)


def _caption(row: Mapping[str, Any], reason: str, labels: Labels) -> str:
    if reason == UNREADABLE:
        return str(row["error"])
    if reason == SEVERAL_FACES:
        return f"{row['faces']} faces"
    for check in CHECKS:
        if check.reason == reason:
            value = labels.age if check.value == "age" else row[check.value]
            return f"{check.value.replace('_', ' ')} {value:.3g}"
    return ""
