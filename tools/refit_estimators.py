"""Gives a trained model sign estimators that are fitted anew.

A generator learns from scores and never from what gave them, so that better estimators need no training. They are
fitted on the faces that CONFIG would train on::

    python tools/refit_estimators.py src/amgan/weights/default ../runs/refitted \\
        --config src/amgan/training/configs/shipped.yaml --data ../shared/data --store ../runs/prepared
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable
from typing import TypeVar

from amgan.cli.progress import bar
from amgan.data.store import prepare
from amgan.errors import as_tool
from amgan.models.bundle import ESTIMATORS, load_bundle
from amgan.models.estimator_kinds import new_estimators, pack_estimators
from amgan.training.config_file import load_config
from amgan.training.estimating import fit_estimators
from amgan.training.fit_trends import check_notice, rows_under
from model_options import model_options

_T = TypeVar("_T")


def shown(faces: Iterable[_T]) -> Iterable[_T]:
    """With a bar."""
    return bar(list(faces), "faces", None)


@as_tool
def main() -> None:
    """Writes the model."""
    parser, given = model_options(__doc__, "says the kind, and which faces are learned from")
    bundle = load_bundle(given.model)
    atlas, config = bundle.atlas, load_config(given.config, data=given.data)
    if config.judge_share < bundle.judge_share:
        parser.error(f"{given.config}: judge_share: the model says {bundle.judge_share:g}, so no less")
    store = prepare(given.data, given.store, atlas, shown, config.face_size, config.images)
    estimators = new_estimators(config.estimators, atlas)
    rows = rows_under(store, config.judge_share, config.licences)
    check_notice(bundle.notice, (store.rows[index] for index in rows), given.data, "set licences")
    for name, report in fit_estimators(store, estimators, rows, shown, shown).items():
        print(f"{name}: {report.count} faces, r {report.correlation:.3f}, error {report.error:.4f}")
    shutil.copytree(given.model, given.out)
    (given.out / ESTIMATORS).write_bytes(pack_estimators(estimators))


if __name__ == "__main__":
    main()
