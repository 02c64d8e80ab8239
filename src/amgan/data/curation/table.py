"""The tables of a curated folder: shards of measured photos (``parts/``), ``faces.parquet`` and ``scores.parquet``.

`MEASURED`, `faces_schema` and `scores_schema` are the one place where columns are defined; ``docs/datasets.md``
repeats them in words. Shards hold what was measured and neither labels nor verdict, so that new ones need no new look
at the photos.
"""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from amgan.data.curation.measure import Measured
from amgan.data.labels import TEXTS, Labels
from amgan.errors import AtlasError, DatasetError, MissingExtraError, OutputError, in_one_line
from amgan.faces.detect import N_LANDMARKS
from amgan.signs.atlas import AGE, Atlas

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError as missing:
    raise MissingExtraError(
        "the package 'pyarrow' reads and writes the tables: pip install 'amgan[curate]'"
    ) from missing

Row = dict[str, Any]

# In MediaPipe's order, without its first, `_neutral`, which is always near 0.
BLENDSHAPES = tuple(
    """browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft
    cheekSquintRight eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight eyeLookInLeft eyeLookInRight
    eyeLookOutLeft eyeLookOutRight eyeLookUpLeft eyeLookUpRight eyeSquintLeft eyeSquintRight eyeWideLeft eyeWideRight
    jawForward jawLeft jawOpen jawRight mouthClose mouthDimpleLeft mouthDimpleRight mouthFrownLeft mouthFrownRight
    mouthFunnel mouthLeft mouthLowerDownLeft mouthLowerDownRight mouthPressLeft mouthPressRight mouthPucker mouthRight
    mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft mouthSmileRight mouthStretchLeft
    mouthStretchRight mouthUpperUpLeft mouthUpperUpRight noseSneerLeft noseSneerRight""".split()
)

_FLOATS = [field.name for field in dataclasses.fields(Measured) if field.type == "float"]
# How a photo was placed, for one without a face all null.
_GEOMETRY = [
    # x0, y0, x1, y1... in the aligned square, pixels, centres at integers.
    ("landmarks", pa.list_(pa.float32(), 2 * N_LANDMARKS)),
    # Aligned to photo coordinates, row by row, see `amgan.faces.align.Alignment`.
    ("matrix", pa.list_(pa.float64(), 6)),
    ("blendshapes", pa.struct([(name, pa.float32()) for name in BLENDSHAPES])),
]
MEASURED = pa.schema(
    [
        ("path", pa.string()),  # inside SRC, with slashes; one row a path
        ("sha256", pa.string()),  # of the file, hexadecimal; null if it cannot be opened
        ("bytes", pa.int64()),  # size of the file and
        ("modified_ns", pa.int64()),  # its time: where either is another, the photo is measured again
        ("error", pa.string()),  # why it cannot be read; "" if it can
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("faces", pa.int32()),
        *((name, pa.float32()) for name in _FLOATS),
        *_GEOMETRY,
    ]
)
# What becomes of a photo, and what people say about it whatever the atlas.
_VERDICT = [
    ("path", pa.string()),  # inside SRC, with slashes
    ("reason", pa.string()),  # "" if kept, else one of `limits.REASONS`
    ("aligned", pa.string()),  # name in DST/aligned; null if rejected
    ("size", pa.int32()),  # side of the aligned square, pixels
]
# `identity` and `split` are never null, see `Labels.settled`.
_LABELS = [("age", pa.float32()), *((name, pa.string()) for name in TEXTS)]
_NOTE = "amgan.grades"


def occluded_column(zone: str) -> str:
    """The column that says whether a person could not judge a zone; null where nobody looked."""
    return f"{zone}.occluded"


def uncertainty_column(zone: str) -> str:
    """The column of how far an estimated score may be off."""
    return f"{zone}.uncertainty"


def label_schema(atlas: Atlas) -> pa.Schema:
    """The labels in ``faces.parquet``: a person's grade of each zone, on the atlas's range, beside what is no sign."""
    grades = [field for z in atlas.zones for field in ((z, pa.float32()), (occluded_column(z), pa.bool_()))]
    return pa.schema([*_LABELS, *grades])


def faces_schema(atlas: Atlas) -> pa.Schema:
    """The columns of ``faces.parquet``.

    Raises:
        AtlasError: A sign has the name of another column.
    """
    others = [*pa.schema([*_VERDICT, *_LABELS]).names, *MEASURED.names]
    # Those of the CSV too: a sign called `file` could be written, but not read.
    others += ["file", *itertools.chain.from_iterable(TEXTS.values())]
    if taken := set(others) & set(atlas.zones):
        raise AtlasError(f"atlas {atlas.name!r}: the tables have another column {min(taken)!r}; rename the sign")
    return pa.schema([*pa.schema(_VERDICT), *label_schema(atlas), *list(MEASURED)[1:]])


def scores_schema(atlas: Atlas) -> pa.Schema:
    """The columns of ``scores.parquet``: estimates of each zone and ``age`` in 0..1; null where none can be made.

    They are of the photo that had the digest of the last column.
    """
    zones = (*atlas.zones, AGE)
    fields = [field for z in zones for field in ((z, pa.float32()), (uncertainty_column(z), pa.float32()))]
    # In the order that finished pieces of earlier versions have, so that those are still good.
    return pa.schema([("path", pa.string()), *fields, ("sha256", pa.string())])


def grades_note(atlas: Atlas) -> dict[str, str]:
    """For the metadata of a table: on which range each sign and the age are graded in it."""
    return {_NOTE: json.dumps({name: atlas.scale(name).grades for name in (*atlas.signs, AGE)})}


def noted_grades(schema: pa.Schema) -> dict[str, tuple[float, float]]:
    """The ranges that `grades_note` wrote; none in a table that it was not written into."""
    notes = schema.metadata or {}
    found = json.loads(notes.get(_NOTE.encode(), b"{}"))
    return {name: (low, high) for name, (low, high) in found.items()}


def label_values(labels: Labels, atlas: Atlas) -> dict[str, Any]:
    """One photo's values of `label_schema`; unknown text is None."""
    values: dict[str, Any] = {AGE: labels.age, **{name: getattr(labels, name) or None for name in TEXTS}}
    for zone in atlas.zones:
        values[zone] = labels.grades.get(zone)
        values[occluded_column(zone)] = True if zone in labels.occluded else False if zone in labels.grades else None
    return values


def table_of(rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Makes a table; a value that is absent or NaN becomes null."""
    columns = [pa.array([row.get(f.name) for row in rows], f.type, from_pandas=True) for f in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def measured_of(row: Mapping[str, Any]) -> Measured:
    """The numbers of a row; nulls are NaN again."""
    values: dict[str, Any] = {}
    for field in dataclasses.fields(Measured):
        value = row[field.name]
        values[field.name] = math.nan if value is None else value
    return Measured(**values)


def with_verdicts(measured: pa.Table, rows: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Makes a table of `faces_schema` of one of `MEASURED`.

    Args:
        measured: As the shard has it.
        rows: Its rows in the same order, with the columns that `schema` has beyond it; ``error`` is taken from here
            too.
        schema: The columns wanted.
    """
    new = [field for field in schema if field.name not in MEASURED.names or field.name == "error"]
    added = table_of(rows, pa.schema(new))
    columns = [(added if name in added.column_names else measured).column(name) for name in schema.names]
    return pa.Table.from_arrays(columns, schema=schema)


def write_table(tables: Iterable[pa.Table], schema: pa.Schema, path: Path, notes: Mapping[str, str]) -> None:
    """Writes tables one after the other into one Parquet file, aside first, so that `path` is never half a file.

    Args:
        tables: All of `schema`.
        schema: Their columns.
        path: Replaced if it exists.
        notes: Go into the file's metadata.

    Raises:
        OutputError: It cannot be written.
    """
    aside = path.with_name(path.name + ".part")
    try:
        with pq.ParquetWriter(aside, schema.with_metadata(notes), compression="zstd") as writer:
            for table in tables:
                writer.write_table(table.replace_schema_metadata(notes))
        aside.replace(path)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written ({error}); what is done stays, run again") from error


@dataclasses.dataclass(frozen=True)
class Entry:
    """Where the newest row of a path is, and of which state of the file."""

    bytes: int
    modified_ns: int
    part: int


class Parts:
    """The shards of a folder. Only `Entry` of each photo is kept in memory.

    Args:
        folder: Made if missing; what a killed run left half written is removed.

    Raises:
        DatasetError: A shard cannot be read.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.entries: dict[str, Entry] = {}
        folder.mkdir(parents=True, exist_ok=True)
        for left_over in folder.glob("*.part"):
            left_over.unlink()
        self._paths = sorted(folder.glob("part-*.parquet"))
        for part in range(len(self._paths)):
            keys = self._read(part, ["path", "bytes", "modified_ns"])
            self._note(part, *(keys.column(name).to_pylist() for name in keys.column_names))

    def add(self, rows: Sequence[Row]) -> None:
        """Writes one more shard; a path that an older shard has is from now on this row."""
        if not rows:
            return
        number = int(self._paths[-1].stem.partition("-")[2]) + 1 if self._paths else 0
        path = self.folder / f"part-{number:05}.parquet"
        write_table([table_of(rows, MEASURED)], MEASURED, path, {})
        self._paths.append(path)
        names = ("path", "bytes", "modified_ns")
        self._note(len(self._paths) - 1, *([row[name] for row in rows] for name in names))

    def tables(self, current: Set[str], columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
        """Shards one after the other, without rows that a newer shard replaces or whose path is not in `current`."""
        for part in range(len(self._paths)):
            table = self._read(part, columns)
            paths = table.column("path").to_pylist()
            newest = [path in current and self.entries[path].part == part for path in paths]
            yield table.filter(pa.array(newest, pa.bool_()))

    def _note(self, part: int, paths: Sequence[str], sizes: Sequence[int], times: Sequence[int]) -> None:
        for path, size, time in zip(paths, sizes, times, strict=True):
            self.entries[path] = Entry(size, time, part)

    def _read(self, part: int, columns: Sequence[str] | None) -> pa.Table:
        path = self._paths[part]
        try:
            # Opened as one file: given a path, pyarrow would look for a data set around it.
            return pq.ParquetFile(path).read(columns=columns)
        except (OSError, pa.ArrowException) as error:
            reason = in_one_line(error, None)
            raise DatasetError(f"{path}: damaged ({reason}); delete it, its photos are then measured again") from error
