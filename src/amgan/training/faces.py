"""What a run learns from: prepared faces, scores for every zone, batches of their patches, and a few to show."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track
from torch import Tensor

from amgan.data.grafts.givers import choose_givers
from amgan.data.grafts.pattern import patterns_of
from amgan.data.patches import Batch
from amgan.data.store import Store, prepare
from amgan.data.table import Row, under
from amgan.errors import DatasetError
from amgan.faces.align import at_side, points_at
from amgan.maps.packing import pack_zones
from amgan.maps.trends import Trends
from amgan.models.bundle import PERMISSIVE, load_bundle, packaged_model, read_trends
from amgan.models.estimator import SignEstimators
from amgan.models.estimator_kinds import new_estimators
from amgan.models.generator import Generator
from amgan.signs.atlas import Atlas
from amgan.training.batches import open_batches
from amgan.training.config import TrainConfig, start_folder
from amgan.training.estimating import fit_estimators, zone_scores
from amgan.training.fit_trends import FEWEST, measurable, measure_trends, rows_under


class Face(NamedTuple):
    """An aligned face.

    Attributes:
        rgb: (S, S, 3) uint8.
        landmarks: (478, 2) in its pixels.
        scores: (Z,) of its zones, 0..1.
        age: () normalised.
    """

    rgb: npt.NDArray[np.uint8]
    landmarks: npt.NDArray[np.float32]
    scores: Tensor
    age: Tensor


class TrainingFaces:
    """Faces of a config's data, with estimators of their signs.

    Args:
        config: The run.
        folder: Where prepared faces are kept, for every run on the same data.
        atlas: Signs and zones.
        say: Told what was found, line by line.
        console: Where bars are shown; None for no bars.

    Attributes:
        store: The prepared faces.
        rows: Those that are learned from.
        unseen: Validation faces, of which the sample sheets are made.
        channels: Channel of each zone in the aging map.
        estimators: Fitted on them.
        scores: (N, Z) of every zone of every row of the store, and (N,) ages, in 0..1.

    Raises:
        DatasetError: The data is unusable.
    """

    def __init__(
        self, config: TrainConfig, folder: Path, atlas: Atlas, say: Callable[[str], None], console: Console | None
    ) -> None:
        def bar(label: str) -> Callable[[Iterable[Any]], Iterable[Any]]:
            return lambda items: items if console is None else track(list(items), label, console=console)

        self.config, self.atlas, self.channels, self.say = config, atlas, pack_zones(atlas), say
        self._bar = bar
        self.store: Store = prepare(config.data, folder, atlas, bar("preparing faces"), config.face_size, config.images)
        for line in filter(None, (self.store.passed_over(), self.store.enlarged())):
            say(line)
        self.rows = rows_under(self.store, config.judge_share, config.licences)
        if config.licences and not len(self.rows):
            there = sorted({row.licence or "none" for row in self.store.rows})
            raise DatasetError(f"{config.data}: no photo to learn from is under licences; there are {', '.join(there)}")
        check_givers(self.store, self.rows, config)
        self.unseen = self.store.subset(lambda row: row.split == "val")
        if not len(self.unseen):
            say("no face of the split val: there will be no sample sheets")
        self.estimators: SignEstimators = new_estimators(config.estimators, atlas)
        bars = bar("features of the zones"), bar("networks of the signs")
        reports = fit_estimators(self.store, self.estimators, self.rows, *bars)
        errors = "  ".join(f"{name} {report.error:.3g}" for name, report in reports.items())
        say(f"{len(self.rows)} faces; estimators' cross-validated error: {errors}")
        self.scores: tuple[Tensor, Tensor] = zone_scores(self.store, self.estimators)

    def batches(self, steps: Sequence[int], part: slice) -> AbstractContextManager[Iterator[tuple[int, Batch]]]:
        """Each of some steps with a part of its batch, the next ones made while one is used."""
        return open_batches(self.config, self.store, self.atlas, self.rows, *self.scores, steps, part, self.patterns)

    @functools.cached_property
    def patterns(self) -> npt.NDArray[np.float32] | None:
        """Lines that grafts are of, (patterns, C, S, S, 3); None where anyone old gives his own.

        They are those that a finished model remembers that is gone on with, or the givers', who are chosen by their
        scores if the config names none.
        """
        config = self.config
        if not config.generator.lines:
            return None
        if config.start is not None:
            known = load_bundle(start_folder(config.start)).generator
            assert isinstance(known, Generator) and known.lines is not None
            return known.lines.recalled(self.store.size)
        givers = config.givers
        if not givers:
            scores = self.scores[0][self.rows].numpy()
            givers = choose_givers(self.store, self.atlas, self.rows, scores, config.generator.patterns)
            for number, of_one in enumerate(givers):
                named = "  ".join(f"{sign} {giver.face} {giver.gain:g} {giver.what}" for sign, giver in of_one.items())
                self.say(f"lines {number + 1} of {len(givers)}, chosen by score: {named}")
        return patterns_of(self.store, self.atlas, givers)

    def trends(self) -> Trends:
        """How light and shape go with age on those faces; if they are too few, what a finished model has."""
        chosen = measurable(self.store, self.rows)
        if len(chosen):
            self.say(f"light and shape are measured on {len(chosen)} faces of known age")
            scores, ages = (part.numpy() for part in self.scores)
            return measure_trends(self.store, self.atlas, chosen, scores, ages, self._bar("light on faces"))
        start = self.config.start
        known = packaged_model(PERMISSIVE) if start is None else start_folder(start)
        why = f"fewer than {FEWEST} faces of known age to learn from"
        self.say(f"{why}: light and shape go with age as they do in the model {start or PERMISSIVE}")
        return read_trends(known)

    def to_show(self, size: int, count: int = 4) -> list[Face]:
        """Validation faces spread over age, shrunk to a size."""
        # By the ages that people or estimators gave: of a curated set, often nobody's age is known.
        rows = sorted(self.unseen, key=lambda i: float(self.scores[1][i]))
        chosen = [int(rows[round(k * (len(rows) - 1) / (count - 1))]) for k in range(count)] if rows else []
        return [
            Face(*_shrunk(self.store.images[i], self.store.landmarks[i], size), self.scores[0][i], self.scores[1][i])
            for i in chosen
        ]


def check_givers(store: Store, rows: npt.NDArray[np.int64], config: TrainConfig) -> list[Row]:
    """Refuses givers of lines that a run does not learn from: what judges are fitted or tested on is in no network.

    Args:
        store: Prepared faces.
        rows: Those that are learned from.
        config: Names the givers, and the licences.

    Returns:
        The givers.

    Raises:
        DatasetError: One is of another split, kept for judges, or under none of the licences.
    """
    named = {giver.face for of_one in config.givers for giver in of_one.values()}
    learned_from = set(rows.tolist())
    givers = [place for place, row in enumerate(store.rows) if row.name in named]
    for other in (store.rows[place] for place in givers if place not in learned_from):
        fault = "is of the split train, but kept for judges by judge_share"
        if not under(other, config.licences):
            fault = "is under none of licences"
        elif other.split != "train":
            fault = f"is of the split {other.split}"
        raise DatasetError(f"givers: {other.name} {fault}; name another, or leave givers out")
    return [store.rows[place] for place in givers]


def _shrunk(
    rgb: npt.NDArray[np.uint8], landmarks: npt.NDArray[np.float32], size: int
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.float32]]:
    return at_side(rgb, size), points_at(landmarks, len(rgb), size)
