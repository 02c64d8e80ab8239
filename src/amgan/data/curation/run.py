"""Curates a folder of photos: measure what is new, judge everything by the limits, write table, faces and report."""

from __future__ import annotations

import contextlib
import itertools
import math
from collections.abc import Generator, Iterable, Iterator, Mapping, Set
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Protocol, TypeVar

import pyarrow as pa

from amgan import __version__
from amgan.data.curation.copies import found_copies
from amgan.data.curation.files import Destination, ImageFormat, PhotoFile, aligned_name, open_destination, photo_files
from amgan.data.curation.limits import Limits
from amgan.data.curation.report import write_report
from amgan.data.curation.table import (
    MEASURED,
    Parts,
    Row,
    faces_schema,
    grades_note,
    label_values,
    measured_of,
    with_verdicts,
    write_table,
)
from amgan.data.curation.tally import Tally
from amgan.data.curation.worker import Job, Task, Worker
from amgan.data.labels import Labels
from amgan.engines.base import Engine
from amgan.engines.local import LocalEngine
from amgan.errors import DatasetError
from amgan.signs.atlas import Atlas, unit_atlas

# So many photos are looked at again after a kill.
ROWS_A_PART = 100
_HEAVY = ("landmarks", "blendshapes")
_UNKNOWN = Labels()
_T = TypeVar("_T")


class Progress(Protocol):
    """Shows how far a stream is."""

    def __call__(self, items: Iterable[_T], label: str, total: int | None) -> Iterable[_T]:
        """Yields `items`; `total` is how many there will be, None if that is not known."""


def no_progress(items: Iterable[_T], label: str, total: int | None) -> Iterable[_T]:
    """Shows nothing."""
    return items


@dataclass(frozen=True)
class Summary:
    """What a run came to.

    Attributes:
        measured: Photos looked at in this run; those of earlier runs are not.
        counts: All photos by reason, "" for kept.
        labelled: Photos that labels were given for.
        missing: Photos that labels are there for and that are not in SRC.
        copies: Photos that are the copy of another, bit for bit.
        apart: Two copies that labels put into different splits; None if no such are there.
        destination: Where the results are.
    """

    measured: int
    counts: dict[str, int]
    labelled: int
    missing: tuple[str, ...]
    copies: int
    apart: tuple[str, str] | None
    destination: Destination


def curate(
    source: Path,
    folder: Path,
    limits: Limits,
    people: Mapping[str, Labels] | None = None,
    *,
    atlas: Atlas | None = None,
    size: int = 1024,
    image_format: ImageFormat = "png",
    workers: int | None = None,
    engine: Engine | None = None,
    progress: Progress = no_progress,
) -> Summary:
    """Curates the photos below SRC into DST; goes on where an earlier run into the same DST stopped.

    Args:
        source: SRC, only read.
        folder: DST, made if missing.
        limits: What is kept. With other limits than last time nothing is detected again.
        people: Labels by path inside SRC; with others than last time nothing is detected again either.
        atlas: Whose signs become columns of the table; None for ``unit``.
        size: Side of the aligned faces, pixels.
        image_format: Of the aligned faces.
        workers: Processes; None for one a core.
        engine: Where photos are handled, instead of `workers` processes; closed by the caller.
        progress: Shows how far it is.

    Raises:
        AtlasError: A sign has the name of another column of the table.
        DatasetError: SRC has no photos, or none of `people` is in it.
        EngineError: A worker process died, or the engine cannot be used.
        OutputError: DST cannot be used or written.
        WeightsError: A model file is missing or damaged.
    """
    atlas = atlas or unit_atlas()
    schema = faces_schema(atlas)
    people = people or {}
    destination = open_destination(source, folder, size, image_format)
    # Absolute: a worker may be at home elsewhere.
    job = Job(source.resolve(), replace(destination, folder=folder.resolve()), limits)
    engine = engine or LocalEngine(workers)
    parts = Parts(destination.parts)
    measured, present = _measure(job, parts, people, engine, progress)
    if people and present.isdisjoint(people):
        example = next(iter(people))
        raise DatasetError(
            f"{source}: has none of the files of the metadata, such as {example!r}; name them from SRC on"
        )
    copies = found_copies(_hashes(parts, present), people)
    known = {**people, **copies.people}
    lost = _align_missing(job, parts, present, known, engine, progress)
    tally = Tally()
    notes = {"amgan.version": __version__, "amgan.limits": limits.model_dump_json(), **grades_note(atlas)}
    judged = _judged(job, parts, present, known, lost, tally, atlas)
    write_table((with_verdicts(*part, schema) for part in judged), schema, destination.table, notes)
    write_report(job.source, destination, tally, limits)
    missing = tuple(name for name in people if name not in present)
    labelled = len(people) - len(missing)
    return Summary(measured, dict(tally.counts), labelled, missing, copies.count, copies.apart, destination)


def _measure(
    job: Job, parts: Parts, people: Mapping[str, Labels], engine: Engine, progress: Progress
) -> tuple[int, set[str]]:
    """Measures photos that no shard has as they are now; returns how many, and the names of all there are."""
    present: set[str] = set()

    def unknown() -> Iterator[PhotoFile]:
        for file in photo_files(job.source):
            present.add(file.name)
            entry = parts.entries.get(file.name)
            if entry is None or (entry.bytes, entry.modified_ns) != (file.bytes, file.modified_ns):
                yield file

    # Walked twice, since names are cheap to count and the list of a large folder is not to be held.
    total = sum(1 for _ in unknown())
    if not present:
        raise DatasetError(f"{job.source}: no photos in it (links to folders are not followed)")
    tasks = (Task(file, people.get(file.name, _UNKNOWN).age) for file in unknown())
    rows: list[Row] = []
    measured = 0
    try:
        with contextlib.closing(_run(job, tasks, engine)) as found:
            for row in progress(found, "measuring", total) if total else found:
                rows.append(row)
                measured += 1
                if len(rows) == ROWS_A_PART:
                    parts.add(rows)
                    rows = []
    finally:
        parts.add(rows)  # also on Ctrl-C
    return measured, present


def _hashes(parts: Parts, present: Set[str]) -> Iterator[tuple[str, str | None]]:
    """Path and hash of each photo."""
    for table in parts.tables(present, ["path", "sha256"]):
        yield from zip(table["path"].to_pylist(), table["sha256"].to_pylist(), strict=True)


def _run(job: Job, tasks: Iterable[Task], engine: Engine) -> Generator[Row, None, None]:
    return engine.run(partial(Worker, job), tasks, lambda task: task.file.name)


def _align_missing(
    job: Job, parts: Parts, present: Set[str], people: Mapping[str, Labels], engine: Engine, progress: Progress
) -> dict[str, str]:
    """Makes ``aligned/`` hold the faces that are kept, no more and no less.

    Returns:
        Photos that could be read when they were measured and no longer can: name to error.
    """
    destination = job.destination
    there = {path.name for path in destination.aligned.iterdir()}
    # Whatever else somebody has put there stays.
    ours = {aligned_name(path, destination.image_format) for path in parts.entries}
    kept: set[str] = set()

    def missing() -> Iterator[Task]:
        columns = [name for name in MEASURED.names if name not in _HEAVY]
        for row in itertools.chain.from_iterable(t.to_pylist() for t in parts.tables(present, columns)):
            name = aligned_name(row["path"], destination.image_format)
            if _reason(job.limits, row, people):
                continue
            kept.add(name)
            if name not in there:
                file = PhotoFile(row["path"], row["bytes"], row["modified_ns"])
                yield Task(file, math.nan, tuple(row["matrix"]))

    with contextlib.closing(_run(job, missing(), engine)) as rows:
        lost = {row["path"]: row["error"] for row in progress(rows, "aligning", None) if row["error"]}
    for name in (there & ours) - kept:
        (destination.aligned / name).unlink()
    return lost


def _judged(
    job: Job,
    parts: Parts,
    present: Set[str],
    people: Mapping[str, Labels],
    lost: Mapping[str, str],
    tally: Tally,
    atlas: Atlas,
) -> Iterator[tuple[pa.Table, list[Row]]]:
    """Shard by shard what was measured, and what else the final table says; every row is counted in `tally`."""
    destination = job.destination
    for table in parts.tables(present):
        if not table.num_rows:
            continue  # all of it is measured anew in later shards
        verdicts = []
        for row in table.drop_columns(list(_HEAVY)).to_pylist():
            labels = people.get(row["path"], _UNKNOWN)
            row["error"] = row["error"] or lost.get(row["path"], "")
            reason = _reason(job.limits, row, people)
            tally.add(row, reason, labels)
            aligned = None if reason else aligned_name(row["path"], destination.image_format)
            known = label_values(labels.settled(row["path"]), atlas)
            verdicts.append(row | known | {"reason": reason, "aligned": aligned, "size": destination.size})
        yield table, verdicts


def _reason(limits: Limits, row: Mapping[str, Any], people: Mapping[str, Labels]) -> str:
    return limits.reason(measured_of(row), people.get(row["path"], _UNKNOWN).age)
