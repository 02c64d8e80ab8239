import math
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

from amgan.data.curation.measure import Measured
from amgan.data.curation.table import (
    BLENDSHAPES,
    MEASURED,
    Parts,
    faces_schema,
    grades_note,
    label_values,
    measured_of,
    noted_grades,
    scores_schema,
    table_of,
    with_verdicts,
    write_table,
)
from amgan.data.labels import Labels
from amgan.errors import DatasetError
from amgan.signs.atlas import unit_atlas


def row(path: str, size: int = 1, **values: Any) -> dict[str, Any]:
    return {"path": path, "sha256": "ab", "bytes": size, "modified_ns": 7, **asdict(Measured(**values))}


def test_nan_is_null_and_comes_back() -> None:
    (back,) = table_of([row("a", faces=0, width=640)], MEASURED).to_pylist()
    assert back["side"] is None and back["landmarks"] is None and back["blendshapes"] is None and back["error"] == ""
    measured = measured_of(back)
    assert math.isnan(measured.side) and (measured.width, measured.faces, measured.second_side) == (640, 0, 0.0)


def test_a_face_comes_back() -> None:
    landmarks = np.arange(956, dtype=np.float32)
    face = {"landmarks": landmarks, "matrix": np.arange(6.0), "blendshapes": dict.fromkeys(BLENDSHAPES, 0.25)}
    measured = table_of([{**row("a", faces=1, side=500.5), **face}], MEASURED)
    verdict = {"reason": "", "error": "", "aligned": "a.png", "size": 256, **label_values(Labels(), unit_atlas())}
    table = with_verdicts(measured, [verdict], faces_schema(unit_atlas()))
    assert table.schema == faces_schema(unit_atlas())
    (back,) = table.to_pylist()
    assert back["landmarks"] == landmarks.tolist() and back["matrix"] == [0, 1, 2, 3, 4, 5]
    assert back["blendshapes"]["jawOpen"] == 0.25 and back["age"] is None and back["side"] == 500.5


def test_newer_rows_replace_older_ones_and_half_shards_vanish(tmp_path: Path) -> None:
    parts = Parts(tmp_path)
    parts.add([row("a"), row("b")])
    parts.add([row("c"), row("a", size=2)])
    (tmp_path / "part-00002.parquet.part").write_bytes(b"half a shard")
    reopened = Parts(tmp_path)
    assert not list(tmp_path.glob("*.part")) and reopened.entries == parts.entries
    reopened.add([])
    reopened.add([row("d")])
    assert [path.name for path in sorted(tmp_path.iterdir())][-1] == "part-00002.parquet"
    found = [r for table in reopened.tables({"a", "b", "d"}) for r in table.to_pylist()]
    assert [(r["path"], r["bytes"]) for r in found] == [("b", 1), ("a", 2), ("d", 1)]


def test_a_damaged_shard_is_named(tmp_path: Path) -> None:
    Parts(tmp_path).add([row("a")])
    (tmp_path / "part-00000.parquet").write_bytes(b"PAR1")
    with pytest.raises(DatasetError, match="part-00000"):
        Parts(tmp_path)


def test_a_shard_is_plain_parquet(tmp_path: Path) -> None:
    Parts(tmp_path).add([row("a")])
    assert pq.read_schema(tmp_path / "part-00000.parquet").names == MEASURED.names


def test_scores_are_a_column_and_an_uncertainty_a_zone(tmp_path: Path) -> None:
    atlas = unit_atlas()
    schema = scores_schema(atlas)
    assert [*schema.names[:2], schema.names[-1]] == ["path", "forehead_wrinkles", "sha256"]
    assert {"crows_feet.right", "age", "age.uncertainty"} < set(schema.names)
    assert len(schema) == 2 + 2 * (len(atlas.zones) + 1)
    rows = [{"path": "a", "age": 0.5, "crows_feet.left": math.nan}]
    write_table([table_of(rows, schema)], schema, tmp_path / "scores.parquet", grades_note(atlas))
    (back,) = pq.read_table(tmp_path / "scores.parquet").to_pylist()
    assert back["age"] == 0.5 and back["crows_feet.left"] is None
    noted = noted_grades(pq.read_schema(tmp_path / "scores.parquet"))
    assert noted["age"] == (18, 80) and noted["crows_feet"] == (0, 100)
    assert noted_grades(MEASURED) == {}
