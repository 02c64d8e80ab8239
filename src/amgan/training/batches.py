"""The batches of a run, as its config asks for them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

import numpy as np
import numpy.typing as npt
from torch import Tensor

from amgan.data.ahead import made_ahead
from amgan.data.draw import Draw
from amgan.data.grafts.graft import Grafts
from amgan.data.patches import Batch, FacePatches
from amgan.data.store import Store
from amgan.maps.packing import pack_zones
from amgan.signs.atlas import Atlas
from amgan.training.config import TrainConfig


@contextmanager
def open_batches(
    config: TrainConfig,
    store: Store,
    atlas: Atlas,
    rows: npt.NDArray[np.int64],
    scores: Tensor,
    ages: Tensor,
    steps: Sequence[int],
    part: slice = slice(None),
    patterns: npt.NDArray[np.float32] | None = None,
) -> Iterator[Iterator[tuple[int, Batch]]]:
    """Makes the batches of some steps, the next ones while one is used; leaving ends what is being made.

    Args:
        config: The run.
        store: Prepared faces.
        atlas: Zones.
        rows: Rows of the store to draw from.
        scores: (N, Z) zone scores of all rows of the store.
        ages: (N,) normalised ages of all rows.
        steps: Their numbers, in order.
        part: Which patches of each batch are wanted, where several processes share it.
        patterns: Lines that grafts are of, see `Grafts`.

    Yields:
        Each step with its batch.
    """
    draw = Draw(atlas, scores[rows], ages[rows], config.alone, config.even, config.balance_ages)
    grafted = config.critic.kind == "change"
    # Grafts are made of decoded faces too, and so get half of it.
    cache = round(config.cache_gib * 2**30 / (1 + grafted))
    grafts = Grafts(store, atlas, rows, draw, cache, patterns, not config.generator.greys) if grafted else None
    patches = FacePatches(
        store,
        atlas,
        rows,
        draw,
        pack_zones(atlas),
        store.size,
        config.seed,
        config.degraded,
        config.generator.maps,
        config.recolour,
        cache,
        config.generator.places == "face",
        config.generator.patterns,
        grafts,
    )

    def make(step: int) -> Batch:
        stage = config.stage_at(step)[0].at(step)
        return patches.at(stage.image_size).batch(step, stage.batch, stage.patch, part)

    with closing(made_ahead(make, steps, config.workers)) as made:
        yield zip(steps, made, strict=True)
