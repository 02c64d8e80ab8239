"""The batches of a run, as its config asks for them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from amgan.data.ahead import made_ahead, side_by_side
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

    Without workers each is made when it is asked for, of as many patches at once as PyTorch has threads.

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
    cache = round(config.cache_gib * 2**30)
    of_grafts = cache * 3 // 4 if grafted else 0  # what they know of a face is as large as the face
    grafts = Grafts(store, atlas, rows, draw, of_grafts, patterns, not config.generator.greys) if grafted else None
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
        cache - of_grafts,
        config.generator.places == "face",
        config.generator.patterns,
        grafts,
    )

    def make(step: int, each: Callable[..., Iterable[Any]] = map) -> Batch:
        stage = config.stage_at(step)[0].at(step)
        return patches.at(stage.image_size).batch(step, stage.batch, stage.patch, part, each)

    if config.workers:
        with closing(made_ahead(make, steps, config.workers)) as made:
            yield zip(steps, made, strict=True)
    else:
        with side_by_side(torch.get_num_threads()) as pool:
            yield ((step, make(step, pool.map)) for step in steps)
