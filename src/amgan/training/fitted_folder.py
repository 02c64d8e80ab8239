"""The folder of `amgan fit-estimators`: two sets and a report, which never take the place of anything else."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

from amgan.errors import OutputError
from amgan.faces.output import check_output, write_whole
from amgan.models.bundle import ESTIMATORS
from amgan.models.estimator_file import CONTENT, save_estimators
from amgan.training.fitting import PURPOSES, FittedSet, Purpose

REPORT = "report.json"


def open_folder(out: Path, store: Path, overwrite: bool) -> None:
    """Makes OUT, or finds out, before any long work, whether earlier estimators in it may be replaced.

    Args:
        out: The folder.
        store: Where faces are prepared; it may lie in OUT, and what a stopped fit goes on with is there.
        overwrite: Whether earlier estimators may be replaced.

    Raises:
        OutputError: It cannot be written, or holds what may not be replaced.
    """
    if store.resolve() == out.resolve():
        raise OutputError(f"{out}: is the --store too; prepare the faces in another folder")
    try:
        check_output(out / REPORT, True, (Path(REPORT).suffix,))
        out.mkdir(parents=True, exist_ok=True)
        there = [path for path in out.iterdir() if not store.resolve().is_relative_to(path.resolve())]
        sets = [path for path in there if path.name in PURPOSES and _is_set(path)]
    except OSError as error:
        raise OutputError(f"{out}: cannot be written ({error.strerror or error}); choose another OUT") from error
    # A report alone may be of anything, such as an evaluation.
    odd = sorted(path.name for path in there if path not in sets and not (sets and path.name == REPORT))
    if odd:
        raise OutputError(f"{out}: holds {odd[0]}, which is not of `amgan fit-estimators`; choose another OUT")
    if sets and not overwrite:
        raise OutputError(f"{out}: holds estimators already; choose another OUT, or have them replaced (--overwrite)")


def _is_set(folder: Path) -> bool:
    return folder.is_dir() and {path.name for path in folder.iterdir()} <= {CONTENT, ESTIMATORS}


def save_sets(out: Path, sets: Mapping[Purpose, FittedSet], notices: Mapping[Purpose, str]) -> None:
    """Writes both sets, all at the end: a fit that was stopped before has left nothing that it could not replace.

    Args:
        out: Of `open_folder`.
        sets: What was fitted.
        notices: Licence of the weights of each, one line.

    Raises:
        OutputError: They cannot be written.
    """
    report = {}
    for purpose, fitted in sets.items():
        save_estimators(out / purpose, fitted.estimators, fitted.held_out, notices[purpose])
        report[purpose] = {
            "people": fitted.people,
            "held_out": {name: dataclasses.asdict(known) for name, known in fitted.held_out.items()},
            "test": {name: dataclasses.asdict(known) for name, known in fitted.test.items()},
        }
    write_whole(out / REPORT, json.dumps(report, indent=1))
