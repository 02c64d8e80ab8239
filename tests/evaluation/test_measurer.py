"""Of `amgan.evaluation.measurer`: the real judges, fitted on nothing, in one process and in two."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amgan.data.store import prepare
from amgan.evaluation.adapters import BlurAdapter
from amgan.evaluation.judges.cross import FOLDS
from amgan.evaluation.judges.resnet import FEATURE_SIZE
from amgan.evaluation.judging import Bench
from amgan.evaluation.protocol import make_plans
from amgan.evaluation.run import LINES, measure_all, open_folder
from amgan.models.ridge import RidgeFit
from amgan.signs.atlas import unit_atlas

ATLAS = unit_atlas()


def unfitted() -> Bench:
    """Judges that weigh features by chance."""
    rng = np.random.default_rng(0)

    def fit() -> RidgeFit:
        zeros, ones = np.zeros(FEATURE_SIZE), np.ones(FEATURE_SIZE)
        return RidgeFit(zeros, ones, rng.normal(size=FEATURE_SIZE), 0.5, 1.0, np.zeros(1), 0.9, 0.1, 1)

    return Bench(tuple({sign: fit() for sign in ATLAS.signs} for _ in range(FOLDS)))


def test_two_processes_find_what_one_finds(dataset: Path, tmp_path: Path) -> None:
    pytest.importorskip("dlib")
    store = prepare(dataset, tmp_path / "prepared", ATLAS)
    plans = make_plans(list(enumerate(store.rows))[:4], store.rows, ATLAS, 0, 0, 1)[:2]

    def lines(workers: int) -> bytes:
        out = tmp_path / str(workers)
        open_folder(out, {}, False, "")

        def watched(found: Iterable[Any], label: str, total: int | None) -> Iterable[Any]:
            assert (label, total) == ("faces", 2)
            return found

        found, judged = measure_all(store, plans, BlurAdapter(), unfitted, out, watched, workers)
        assert [one.name for one in found] == [plan.row.name for plan in plans] and not any(one.error for one in found)
        assert judged["crows_feet"] == {"r": 0.9, "error": 0.1}
        return (out / LINES).read_bytes()

    assert lines(1) == lines(2)
