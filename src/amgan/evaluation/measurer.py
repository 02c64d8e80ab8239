"""A worker that measures faces, in this process or in one beside it."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from amgan.evaluation.adapters import Adapter
from amgan.evaluation.face import Found, measure_face, strip_name
from amgan.evaluation.judging import Bench
from amgan.evaluation.protocol import Plan
from amgan.processes import one_thread

# What a process holds: the model, the judges, and the pictures of a face.
MEMORY = 5 * 2**29


class Asked(NamedTuple):
    """A face to measure.

    Attributes:
        plan: What is asked of it.
        face: (1024, 1024, 3) uint8, aligned.
        landmarks: (478, 2) in it.
    """

    plan: Plan
    face: npt.NDArray[np.uint8]
    landmarks: npt.NDArray[np.float32]


class Measurer:
    """Measures one face after the other; see `amgan.engines.base.Worker`.

    With one thread, wherever it is: what is found does not depend on how many work.

    Args:
        adapter: The model; left open.
        bench: Makes the judges.
        out: Folder of the evaluation, for the pictures.
    """

    def __init__(self, adapter: Adapter, bench: Bench, out: Path) -> None:
        with contextlib.ExitStack() as held:
            held.enter_context(one_thread())
            # The atlas is asked for here, so that a model that has to be opened is opened with one thread.
            self._adapter, self._atlas, self._judges, self._out = adapter, adapter.atlas, bench.judges(), out
            self._held = held.pop_all()

    def run(self, asked: Asked) -> Found:
        """All that is found on a face; its strip lies in the folder then."""
        strip = self._out / strip_name(asked.plan.row.name)
        return measure_face(asked.plan, asked.face, asked.landmarks, self._adapter, self._judges, self._atlas, strip)

    def close(self) -> None:
        """Leaves the threads as they were."""
        self._held.close()
