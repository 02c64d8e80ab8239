"""Reads a dataset: the folder of `amgan curate`, with ``faces.parquet`` and the aligned faces (docs/datasets.md)."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from amgan.data.labels import SHARES, TEXTS, Labels
from amgan.data.table import AlignedFace, Estimated, Row, read_table, row_of
from amgan.errors import DatasetError, in_one_line
from amgan.faces.align import Alignment
from amgan.signs.atlas import AGE, Atlas

if TYPE_CHECKING:
    import pyarrow as pa

FACES, SCORES = "faces.parquet", "scores.parquet"
# Rows read at a time.
_BATCH = 1000
# Of a photo that is kept none is null.
_PLACE = ("path", "aligned", "size", "sha256", "landmarks", "matrix", "identity", "split")


def read_rows(folder: Path, atlas: Atlas) -> list[Row]:
    """The rows of a training set: a dataset if there is a ``faces.parquet``, else photos with ``faces.csv``.

    Args:
        folder: The set.
        atlas: Gives the signs to read and their grade ranges.

    Raises:
        DatasetError: The table is missing or unusable.
    """
    return read_dataset(folder, atlas) if is_dataset(folder) else read_table(folder, atlas)


def is_dataset(folder: Path) -> bool:
    """Whether a set was made by `amgan curate`."""
    return (folder / FACES).is_file()


def read_dataset(folder: Path, atlas: Atlas, estimated: bool = True) -> list[Row]:
    """The photos of a dataset that are kept, with the estimates of ``scores.parquet`` if there is one.

    Args:
        folder: Written by `amgan curate`.
        atlas: Gives the signs to read and their grade ranges.
        estimated: Whether estimates are read; what makes them anew does not want the old ones, whatever they are of.

    Returns:
        Rows in the table's order. `Row.path` is the aligned face, and `Row.aligned` has its landmarks.

    Raises:
        DatasetError: The table or an aligned face is missing, a column lacks or is of another kind, or the grades are
            on other ranges than the atlas's. The message says which command puts it right.
        MissingExtraError: pyarrow is not installed.
    """
    # Here, so that training on faces.csv does without pyarrow.
    from amgan.data.curation.table import faces_schema, label_schema

    table, faces = folder / FACES, folder / "aligned"
    remedy = f"run `amgan curate SRC {folder}` again, with --metadata and the --atlas {atlas.name!r}"
    if not table.is_file():
        raise DatasetError(f"{table}: no such table; `amgan curate SRC {folder}` makes one")
    if not faces.is_dir():
        raise DatasetError(f"{faces}: no such folder; {remedy}")
    known = faces_schema(atlas)
    labels = label_schema(atlas).names
    there = {path.name for path in faces.iterdir()}
    estimates = _read_scores(folder, atlas) if estimated and (folder / SCORES).is_file() else {}
    rows = []
    people: dict[str, tuple[str, str]] = {}
    names = dict.fromkeys(("reason", *_PLACE, *labels))
    for batch in _batches(table, [known.field(name) for name in names], atlas, atlas.signs, remedy):
        kept = _kept(batch)
        for name in _PLACE:
            if kept.column(name).null_count:
                raise DatasetError(f"{table}, column {name}: empty for a photo that is kept; {remedy}")
        landmarks = np.asarray(kept.column("landmarks").combine_chunks().flatten(), np.float32).reshape(-1, 478, 2)
        for row, points in zip(kept.drop_columns(["landmarks"]).to_pylist(), landmarks, strict=True):
            if row["split"] not in SHARES:
                raise DatasetError(f"{table}, column split: {row['split']!r} is none of {', '.join(SHARES)}; {remedy}")
            if row["aligned"] not in there:
                raise DatasetError(f"{faces / row['aligned']}: no such face; {remedy}")
            in_photo = Alignment(np.asarray(row["matrix"], np.float64).reshape(2, 3), row["size"])
            face = AlignedFace(row["size"], points, row["sha256"], in_photo.scale * row["size"])
            split, first = people.setdefault(row["identity"], (row["split"], row["path"]))
            if split != row["split"]:
                where = f"{first} is in {split} and {row['path']} in {row['split']}"
                raise DatasetError(f"{table}: {where}, and both show {row['identity']!r}; {remedy}")
            scored, found = estimates.get(row["path"], (row["sha256"], None))
            if scored != row["sha256"]:
                changed = f"{row['path']!r} is another photo than was scored"
                raise DatasetError(f"{folder / SCORES}: {changed}; run `amgan score {folder}` again")
            rows.append(row_of(faces / row["aligned"], row["path"], _labels(row, atlas), atlas, found, face))
    if not rows:
        raise DatasetError(f"{table}: no photo is kept; see {folder / 'report.html'} and give other --limits")
    return rows


def _kept(table: pa.Table) -> pa.Table:
    import pyarrow.compute as pc

    return table.filter(pc.equal(table.column("reason"), ""))


def _labels(row: dict[str, Any], atlas: Atlas) -> Labels:
    from amgan.data.curation.table import occluded_column

    age = math.nan if row["age"] is None else row["age"]
    return Labels(
        age,
        **{name: row[name] or "" for name in TEXTS},
        grades={zone: row[zone] for zone in atlas.zones if row[zone] is not None},
        occluded=frozenset(zone for zone in atlas.zones if row[occluded_column(zone)]),
    )


def _read_scores(folder: Path, atlas: Atlas) -> dict[str, tuple[str, dict[str, Estimated]]]:
    """Path to the digest of the photo that was scored, and zone, or ``age``, to estimate; what is null is absent."""
    from amgan.data.curation.table import scores_schema, uncertainty_column

    path, remedy = folder / SCORES, f"run `amgan score {folder}` again"
    zones = (*atlas.zones, AGE)
    estimates: dict[str, tuple[str, dict[str, Estimated]]] = {}
    for batch in _batches(path, scores_schema(atlas), atlas, (*atlas.signs, AGE), remedy):
        for row in batch.to_pylist():
            if row["path"] in estimates:
                raise DatasetError(f"{path}, column path: {row['path']!r} is there twice; {remedy}")
            of_photo: dict[str, Estimated] = {}
            estimates[row["path"]] = row["sha256"], of_photo
            for zone in zones:
                score, uncertainty = row[zone], row[uncertainty_column(zone)]
                if score is None:
                    continue
                if not 0 <= score <= 1:
                    raise DatasetError(f"{path}, column {zone}: {score:g} of {row['path']!r} is not in 0..1; {remedy}")
                of_photo[zone] = Estimated(score, math.nan if uncertainty is None else uncertainty)
    return estimates


def _batches(
    path: Path, fields: Iterable[pa.Field], atlas: Atlas, graded: Iterable[str], remedy: str
) -> Iterator[pa.Table]:
    """A table piece by piece, since a large one's landmarks are not to be held twice.

    Args:
        path: The Parquet file.
        fields: Columns wanted, cast to their types.
        atlas: On whose ranges the grades must be.
        graded: Names whose ranges count.
        remedy: What puts a fault right.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from amgan.data.curation.table import noted_grades

    wanted = pa.schema(fields)
    try:
        file = pq.ParquetFile(path)
        if lacking := [name for name in wanted.names if name not in file.schema_arrow.names]:
            raise DatasetError(f"{path}: no column {', '.join(lacking)}; {remedy}")
        noted = noted_grades(file.schema_arrow)
        for name in graded:
            low, high = atlas.scale(name).grades
            if name in noted and noted[name] != (low, high):
                was = "{:g} to {:g}".format(*noted[name])
                raise DatasetError(f"{path}: {name} is graded {was}, by {atlas.name!r} {low:g} to {high:g}; {remedy}")
        for batch in file.iter_batches(_BATCH, columns=wanted.names):
            columns = []
            for field in wanted:
                try:
                    columns.append(batch.column(field.name).cast(field.type))
                except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                    what = in_one_line(error, None)
                    raise DatasetError(f"{path}, column {field.name}: not {field.type} ({what}); {remedy}") from error
            yield pa.Table.from_arrays(columns, schema=wanted)
    except (OSError, pa.ArrowException) as error:
        raise DatasetError(f"{path}: damaged ({in_one_line(error, None)}); {remedy}") from error
