"""Scores the faces of a dataset and writes the estimates beside what people said, into ``scores.parquet``.

``faces.parquet``, which has the grades that people gave, is only read. Finished pieces are kept in ``scores/``, so
that a run that was stopped goes on, and one on a dataset that has grown looks at what is new.
"""

from __future__ import annotations

import contextlib
import pickle
import platform
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from amgan.data.curation.table import grades_note, scores_schema, table_of, uncertainty_column, write_table
from amgan.data.dataset import SCORES, read_dataset
from amgan.data.images import curated_face
from amgan.data.table import Row
from amgan.engines.base import Engine, reachable
from amgan.engines.local import LocalEngine
from amgan.errors import DatasetError, in_one_line
from amgan.models.estimates import Estimate
from amgan.models.estimator import SignEstimators
from amgan.models.estimator_file import fingerprint
from amgan.processes import one_thread

Scores = dict[str, Any]
PIECES = "scores"
# Faces of a piece, which are looked at again if the run is killed.
PIECE = 100
_DIGEST, _NOTE = "sha256", b"amgan.estimators"


@dataclass(frozen=True)
class ScoreSummary:
    """What a run came to.

    Attributes:
        table: Where the estimates are.
        scored: Faces looked at in this run.
        faces: Faces in the table.
        covered: Zone to how many faces it could not be judged on.
    """

    table: Path
    scored: int
    faces: int
    covered: dict[str, int]


def score_dataset(
    folder: Path,
    estimators: SignEstimators,
    progress: Callable[[Iterable[Scores], int], Iterable[Scores]] = lambda rows, _: rows,
    engine: Engine | None = None,
) -> ScoreSummary:
    """Estimates every zone and the age of every face that is kept.

    Args:
        folder: The dataset.
        estimators: What scores; with others than last time everything is scored anew.
        progress: Wraps the estimates and is told their number, to show how far it is.
        engine: Where faces are scored; None for this process.

    Raises:
        DatasetError: The dataset is unusable, or an aligned face in it is not what the table says.
        EngineError: A worker process died, or the engine cannot be used.
        OutputError: The estimates cannot be written.
    """
    folder = folder.resolve()  # a worker may be at home elsewhere
    atlas = estimators.atlas
    rows = read_dataset(folder, atlas, estimated=False)
    schema = scores_schema(atlas)
    pieces = _Pieces(folder / PIECES, fingerprint(estimators), schema)
    missing = [row for row in rows if pieces.known.get(row.name) != _digest(row)]
    if missing:
        start = partial(_Scorer, folder, pickle.dumps(estimators))
        with contextlib.closing((engine or LocalEngine(1)).run(start, missing, lambda row: row.name)) as scored:
            left = iter(progress(scored, len(missing)))
            while piece := list(islice(left, PIECE)):
                pieces.add(piece)
    current = {row.name: _digest(row) for row in rows}
    covered = dict.fromkeys(atlas.zones, 0)

    def final() -> Iterator[pa.Table]:
        for table in pieces.tables(current):
            for zone in covered:
                covered[zone] += table.column(zone).null_count
            yield table

    write_table(final(), schema, folder / SCORES, grades_note(atlas))
    return ScoreSummary(folder / SCORES, len(missing), len(rows), covered)


class _Scorer:
    """Scores one face after the other, with one thread: with more, sums come out otherwise in the last digit.

    Args:
        folder: The dataset.
        estimators: Pickled.
    """

    def __init__(self, folder: Path, estimators: bytes) -> None:
        reachable(folder, platform.node())
        self._estimators: SignEstimators = pickle.loads(estimators)
        self._held = contextlib.ExitStack()
        self._held.enter_context(one_thread())

    def run(self, row: Row) -> Scores:
        """The row of a face in the table.

        Raises:
            DatasetError: The aligned face is not what the table says.
        """
        return _scored(row, self._estimators)

    def close(self) -> None:
        """Leaves the threads as they were."""
        self._held.close()


def _scored(row: Row, estimators: SignEstimators) -> Scores:
    """The row of a face: null where a zone is covered, and there the uncertainty too."""
    assert row.aligned is not None
    rgb = curated_face(row)
    values: dict[str, Any] = {"path": row.name, _DIGEST: _digest(row)}
    for zone, estimate in estimators.estimate(rgb, row.aligned.landmarks).items():
        values |= _columns(zone, estimate)
    return values


def _columns(zone: str, estimate: Estimate) -> dict[str, float | None]:
    seen = estimate.can_judge
    return {
        zone: estimate.score if seen else None,
        uncertainty_column(zone): estimate.deviation if seen else None,
    }


def _digest(row: Row) -> str:
    assert row.aligned is not None
    return row.aligned.digest


class _Pieces:
    """Finished parts of the table, one file each.

    Args:
        folder: Where they are; made if missing. Those of other estimators are removed.
        estimators: Fingerprint.
        schema: Of the pieces.

    Attributes:
        known: Path of each photo to the digest it had when it was scored.
    """

    def __init__(self, folder: Path, estimators: str, schema: pa.Schema) -> None:
        self.folder, self.estimators, self.schema = folder, estimators, schema
        self.known: dict[str, str] = {}
        self._paths: list[Path] = []
        folder.mkdir(exist_ok=True)
        for left_over in folder.glob("*.part"):
            left_over.unlink()
        for path in sorted(folder.glob("piece-*.parquet")):
            try:
                file = pq.ParquetFile(path)
                # By the columns too: an atlas may have got a zone without any change of the weights.
                if (file.schema_arrow.metadata or {}).get(_NOTE) != estimators.encode() or not file.schema_arrow.equals(
                    schema, check_metadata=False
                ):
                    path.unlink()
                    continue
                keys = file.read(columns=["path", _DIGEST])
            except (OSError, pa.ArrowException) as error:
                raise DatasetError(f"{path}: damaged ({in_one_line(error, None)}); delete it and run again") from error
            self._paths.append(path)
            self.known |= dict(zip(*(column.to_pylist() for column in keys.columns), strict=True))

    def add(self, rows: list[dict[str, Any]]) -> None:
        """Writes one more."""
        number = int(self._paths[-1].stem.partition("-")[2]) + 1 if self._paths else 0
        path = self.folder / f"piece-{number:06}.parquet"
        write_table([table_of(rows, self.schema)], self.schema, path, {_NOTE.decode(): self.estimators})
        self._paths.append(path)
        self.known |= {row["path"]: row[_DIGEST] for row in rows}

    def tables(self, current: dict[str, str]) -> Iterator[pa.Table]:
        """All rows of photos as they are now, each once."""
        left = dict(current)
        for path in reversed(self._paths):  # the newest of a photo counts
            table = pq.ParquetFile(path).read()
            names, digests = table.column("path").to_pylist(), table.column(_DIGEST).to_pylist()
            # Taken out as it is found, so that no older piece gives it a second time.
            wanted = [left.get(n) == d and left.pop(n) is not None for n, d in zip(names, digests, strict=True)]
            yield table.filter(pa.array(wanted, pa.bool_()))
