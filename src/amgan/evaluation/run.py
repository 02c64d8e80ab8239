"""One evaluation: a folder of results that goes on where it was stopped.

OUT holds ``evaluation.json`` (what it is of), ``judge.json`` (how good the judge of the signs is), ``faces.jsonl`` (a
line a face, written as soon as it is measured), ``pictures/`` (strips) and, at the end, the reports.
"""

from __future__ import annotations

import contextlib
import csv
import dataclasses
import functools
import hashlib
import io
import json
import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from PIL import Image

from amgan.data.curation.files import aligned_name
from amgan.data.store import Store
from amgan.data.table import Row
from amgan.engines.local import LocalEngine
from amgan.errors import OutputError
from amgan.evaluation.adapters import Adapter
from amgan.evaluation.face import PICTURES, Found
from amgan.evaluation.judging import Bench
from amgan.evaluation.measurer import Asked, Measurer
from amgan.evaluation.protocol import Plan
from amgan.faces.output import write_whole
from amgan.signs.atlas import AGE, Atlas

T = TypeVar("T")
Progress = Callable[[Iterable[T], str, int | None], Iterable[T]]
STATE, LINES, JUDGE = "evaluation.json", "faces.jsonl", "judge.json"
INPUTS, TARGETS = "inputs", "targets.csv"
REPORT = "report.json"
"""Written last."""
REPORTS = (REPORT, "report.md", "report.html")
# What the digests in the state are of, for people.
_DIGESTS = {
    "plans": "faces, labels or targets",
    "grades": "grades for its judge",
    "parsing": "weights/parsing.onnx, the network that finds hair",
    "code": "code of amgan, an earlier checkout's perhaps",
}


def write_inputs(store: Store, plans: Sequence[Plan], atlas: Atlas, out: Path) -> None:
    """What another model has to be asked: OUT/inputs, aligned faces, and OUT/targets.csv, a row a picture wanted."""
    (out / INPUTS).mkdir(parents=True, exist_ok=True)
    for plan in plans:
        Image.fromarray(store.images[plan.index]).save(out / INPUTS / aligned_name(plan.row.name, "png"))
    (out / TARGETS).write_text(_targets(plans, atlas), encoding="utf-8", newline="")


def _targets(plans: Sequence[Plan], atlas: Atlas) -> str:
    table = io.StringIO(newline="")
    writer = csv.writer(table)
    writer.writerow(("input", "picture", "years", AGE, *atlas.zones))
    for plan in plans:
        name = aligned_name(plan.row.name, "png")
        for aim in plan.aims(atlas):
            years = round(atlas.age.grade(aim.scores[AGE]), 1) if AGE in aim.scores else ""
            scores = [round(aim.scores[zone], 4) if zone in aim.scores else "" for zone in (AGE, *atlas.zones)]
            writer.writerow((f"{INPUTS}/{name}", f"{aim.kind}/{name}", years, *scores))
    return table.getvalue()


def check_targets(plans: Sequence[Plan], atlas: Atlas, out: Path) -> None:
    """Checks that what OUT/targets.csv asked another model for, if it is there, is what is measured now.

    Raises:
        OutputError: It asked for something else.
    """
    path = out / TARGETS
    if path.is_file() and path.read_bytes() != _targets(plans, atlas).encode():
        raise OutputError(
            f"{path}: asked for other pictures than are measured now; give the --split, --seed, --every, --sweeps and "
            "--limits it was written with, or write it anew by --inputs"
        )


def digest_of_plans(plans: Sequence[Plan]) -> str:
    """SHA-256 of all that is asked of faces, and of what is known of them."""
    return _digest(
        [p.half, p.donor, sorted(p.drawn.items()), p.sweeps, p.controlled, *_labels_of(p.row)] for p in plans
    )


def digest_of_grades(rows: Iterable[Row]) -> str:
    """SHA-256 of the grades that the judge of the signs is fitted on."""
    return _digest(_labels_of(row) for row in rows)


def _labels_of(row: Row) -> list[Any]:
    return [row.name, row.identity, row.age, sorted(row.scores.items()), sorted(row.right.items())]


def _digest(entries: Iterable[Any]) -> str:
    return hashlib.sha256(json.dumps(list(entries)).encode()).hexdigest()


def check_folder(out: Path) -> None:
    """Checks that OUT is not there, or of `amgan evaluate`.

    Raises:
        OutputError: It is a file, or holds something else.
    """
    if out.exists() and not out.is_dir():
        raise OutputError(f"{out}: is a file; name a folder for the results")
    if out.is_dir() and not (out / STATE).is_file() and {path.name for path in out.iterdir()} - {INPUTS, TARGETS}:
        raise OutputError(f"{out}: is not empty and not of `amgan evaluate`; choose another OUT")


def open_folder(out: Path, wanted: dict[str, Any], overwrite: bool, remedy: str) -> None:
    """Makes OUT, or reopens that of the same evaluation.

    Args:
        out: The folder.
        wanted: What the evaluation is of.
        overwrite: Whether another evaluation that lies there is thrown away, its reports too.
        remedy: What the user is told to do about another one.

    Raises:
        OutputError: It is a file, or holds something else.
    """
    check_folder(out)
    state = out / STATE
    if state.is_file():
        found, asked = one_by_one(json.loads(state.read_text(encoding="utf-8"))), one_by_one(wanted)
        if different := [key for key, value in asked.items() if found.get(key) != value]:
            key = different[0]
            was, now = (str(of.get(key))[:60] for of in (found, asked))
            what = f"of other {_DIGESTS[key]}" if key in _DIGESTS else f"with {key} {was}, not {now}"
            if not overwrite:
                raise OutputError(f"{out}: holds an evaluation {what}; {remedy}")
            for name in (LINES, JUDGE, *REPORTS):
                (out / name).unlink(missing_ok=True)
            shutil.rmtree(out / PICTURES, ignore_errors=True)
    write_whole(state, json.dumps(wanted, indent=1))
    (out / PICTURES).mkdir(exist_ok=True)


def one_by_one(state: dict[str, Any]) -> dict[str, Any]:
    """What an evaluation or a study is of, settings and limits each by its own name, for all of them fill a screen."""
    flat: dict[str, Any] = {}
    for key, value in state.items():
        flat |= {f"{key}.{name}": one for name, one in value.items()} if isinstance(value, dict) else {key: value}
    return flat


def measure_all(
    store: Store,
    plans: Sequence[Plan],
    adapter: Adapter,
    fit: Callable[[], Bench],
    out: Path,
    progress: Progress[Any],
    workers: int = 1,
) -> tuple[list[Found], dict[str, dict[str, float]]]:
    """Measures the faces that are not measured yet.

    Args:
        store: Prepared faces.
        plans: What is asked of each.
        adapter: The model.
        fit: Gives what makes the judges; called only if a face is left, for it takes minutes.
        out: The folder, see `open_folder`.
        progress: Wraps the faces.
        workers: Processes; one is this process. What is found is the same.

    Returns:
        What was found on all, in the order of `plans`; and sign to how good its judge is on real faces.

    Raises:
        EngineError: A process died; what is measured stays.
    """
    known = read_lines(out / LINES)
    left = [plan for plan in plans if plan.row.name not in known]
    if not left and (out / JUDGE).is_file():
        quality: dict[str, dict[str, float]] = json.loads((out / JUDGE).read_text(encoding="utf-8"))
        return [known[plan.row.name] for plan in plans], quality
    bench = fit()
    quality = bench.quality()
    write_whole(out / JUDGE, json.dumps(quality, indent=1))
    # Anew, without a line that a kill left half written.
    write_whole(out / LINES, "".join(_line(found) for found in known.values()))
    # Copied out of the mapped files, for a process beside this one has none of them.
    asked = (Asked(plan, np.array(store.images[plan.index]), np.array(store.landmarks[plan.index])) for plan in left)
    engine, start = LocalEngine(min(workers, max(1, len(left)))), functools.partial(Measurer, adapter, bench, out)
    with (
        (out / LINES).open("a", encoding="utf-8") as file,
        contextlib.closing(engine.run(start, asked, lambda one: one.plan.row.name)) as measured,
    ):
        for found in progress(measured, "faces", len(left)):
            known[found.name] = found
            file.write(_line(found))
            file.flush()
    return [known[plan.row.name] for plan in plans], quality


def read_lines(path: Path) -> dict[str, Found]:
    """Name to what was found, of the faces that are measured; a half line at the end is left out."""
    text = path.read_text(encoding="utf-8") if path.is_file() else ""
    whole = [line for line in text.splitlines(keepends=True) if line.endswith("\n")]
    found = [Found(**json.loads(line)) for line in whole]
    return {one.name: one for one in found}


def _line(found: Found) -> str:
    return json.dumps(dataclasses.asdict(found)) + "\n"
