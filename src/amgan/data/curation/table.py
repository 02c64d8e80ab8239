"""The tables of a curated folder: shards of measured photos (``parts/``) and the final ``faces.parquet``.

`MEASURED` and `FACES` are the one place where columns are defined; ``docs/curation.md`` repeats them in words. Shards
hold what was measured and no verdict, so that new limits need no new look at the photos.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any

from amgan.data.curation.measure import Measured
from amgan.errors import DatasetError, MissingExtraError, OutputError
from amgan.faces.detect import N_LANDMARKS

try:
    import pyarrow as pa
    import pyarrow.parquet as pq
except ImportError as missing:
    raise MissingExtraError("the package 'pyarrow' writes the table: pip install 'amgan[curate]'") from missing

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
FACES = pa.schema(
    [
        ("path", pa.string()),
        ("reason", pa.string()),  # "" if kept, else one of `limits.REASONS`
        ("aligned", pa.string()),  # name in DST/aligned; null if rejected
        ("size", pa.int32()),  # side of the aligned square, pixels
        ("age", pa.float32()),  # from the metadata; null if unknown
        ("population", pa.string()),  # as `age`
        *list(MEASURED)[1:],
    ]
)


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


def with_verdicts(measured: pa.Table, rows: Sequence[Mapping[str, Any]]) -> pa.Table:
    """Makes a table of `FACES` of one of `MEASURED`.

    Args:
        measured: As the shard has it.
        rows: Its rows in the same order, with the columns that `FACES` has beyond it; ``error`` is taken from here too.
    """
    new = [field for field in FACES if field.name not in MEASURED.names or field.name == "error"]
    added = table_of(rows, pa.schema(new))
    columns = [(added if name in added.column_names else measured).column(name) for name in FACES.names]
    return pa.Table.from_arrays(columns, schema=FACES)


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
            reason = " ".join(str(error).split())
            raise DatasetError(f"{path}: damaged ({reason}); delete it, its photos are then measured again") from error
