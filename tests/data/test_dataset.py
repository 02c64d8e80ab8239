import math
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from amgan.data.curation.limits import Limits
from amgan.data.curation.run import curate
from amgan.data.curation.table import grades_note, scores_schema, table_of, write_table
from amgan.data.dataset import read_dataset, read_rows
from amgan.data.labels import Labels
from amgan.data.table import Estimated, read_table
from amgan.errors import DatasetError
from amgan.signs.atlas import Atlas, load_atlas, unit_atlas

ATLAS = unit_atlas()


def write_scores(folder: Path, rows: list[dict[str, Any]], atlas: Atlas = ATLAS) -> None:
    schema = scores_schema(atlas)
    of_now = {row["path"]: row["sha256"] for row in pq.read_table(folder / "faces.parquet").to_pylist()}
    rows = [{"sha256": of_now.get(row["path"], "gone")} | row for row in rows]
    write_table([table_of(rows, schema)], schema, folder / "scores.parquet", grades_note(atlas))


def with_column(folder: Path, name: str, values: list[Any] | pa.Array, table: str = "faces.parquet") -> None:
    """Replaces a column, as somebody does who edits the table by other means."""
    found = pq.read_table(folder / table)
    pq.write_table(found.set_column(found.column_names.index(name), name, [values]), folder / table)


def test_the_kept_rows_are_those_of_the_csv(dataset: Path, face_set: Path) -> None:
    rows, plain = read_rows(dataset, ATLAS), {row.name: row for row in read_table(face_set, ATLAS)}
    # The youngest is rejected.
    assert sorted(row.name for row in rows) == sorted(plain.keys() - {"0.png"})
    for row in rows:
        same = plain[row.name]
        assert (row.identity, row.split, row.occluded, row.licence) == (
            same.identity,
            same.split,
            same.occluded,
            same.licence,
        )
        assert row.scores == pytest.approx(same.scores) and row.age == pytest.approx(same.age)
        assert row.right == {} and row.estimates == {}
        assert row.path.parent == dataset / "aligned" and row.path.is_file()
        assert row.aligned is not None and row.aligned.size == 256 and len(row.aligned.digest) == 64
        assert row.aligned.landmarks.shape == (478, 2) and row.aligned.landmarks.dtype == np.float32
    assert {row.name: row.occluded for row in rows}["3.png"] == {"upper_lip_wrinkles"}


def test_estimates_join_and_never_replace_a_person(copy: Path) -> None:
    scored = {"path": "4.png", "forehead_wrinkles": 0.25, "forehead_wrinkles.uncertainty": 0.05, "age": 0.5}
    scored |= {"crows_feet.right": 0.75, "crows_feet.left": math.nan}
    write_scores(copy, [scored, {"path": "0.png", "age": 0.5}, {"path": "no longer there.png", "age": 0.1}])
    rows = {row.name: row for row in read_dataset(copy, ATLAS)}
    row = rows["4.png"]
    assert row.score("forehead_wrinkles") == pytest.approx(0.32)
    assert row.estimates["forehead_wrinkles"] == pytest.approx(Estimated(0.25, 0.05))
    assert row.estimate("crows_feet.right") == 0.75 and math.isnan(row.estimates["crows_feet.right"].uncertainty)
    assert "crows_feet.left" not in row.estimates and row.estimate("age") == 0.5
    assert "0.png" not in rows and rows["5.png"].estimates == {}


def test_a_clinics_sign_and_both_sides(face_set: Path, lenient: Limits, tmp_path: Path) -> None:
    (tmp_path / "clinic.yaml").write_text(
        "extends: unit\nname: clinic\nsigns: {brow_spots: {label: Spots, grades: [8, 0], zones: {centre: [[9, 8, 7]]}}}"
    )
    own = load_atlas(tmp_path / "clinic.yaml")
    photos = tmp_path / "photos"
    photos.mkdir()
    shutil.copy(face_set / "0.png", photos)
    labels = {
        "0.png": Labels(grades={"brow_spots": 2.0, "crows_feet.right": 40.0}, occluded=frozenset({"crows_feet.left"}))
    }
    curate(photos, tmp_path / "set", lenient, labels, atlas=own, size=256, workers=1)
    (row,) = read_dataset(tmp_path / "set", own)
    assert row.scores == {"brow_spots": 0.75} and row.right == {"crows_feet": pytest.approx(0.4)}
    assert row.occluded == {"crows_feet.left"} and math.isnan(row.age)
    # What the atlas knows less of than the table is no fault.
    (row,) = read_dataset(tmp_path / "set", ATLAS)
    assert row.scores == {}


def test_an_atlas_that_the_table_does_not_fit(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text(
        "extends: unit\nname: more\nsigns: {brow_spots: {label: Spots, grades: [0, 8], zones: {centre: [[9, 8, 7]]}}}"
    )
    with pytest.raises(DatasetError, match=r"faces\.parquet: no column brow_spots, .*--atlas 'more'"):
        read_dataset(copy, load_atlas(tmp_path / "more.yaml"))
    (tmp_path / "other.yaml").write_text("extends: unit\nname: other\nsigns: {crows_feet: {grades: [0, 8]}}")
    other = load_atlas(tmp_path / "other.yaml")
    with pytest.raises(DatasetError, match=r"faces\.parquet: crows_feet is graded 0 to 100, by 'other' 0 to 8"):
        read_dataset(copy, other)
    # Ages are in years whatever the atlas, but estimates of them are not.
    (tmp_path / "old.yaml").write_text("extends: unit\nname: old\nage: {grades: [18, 100]}")
    old = load_atlas(tmp_path / "old.yaml")
    assert read_dataset(copy, old)
    write_scores(copy, [{"path": "4.png", "age": 0.5}])
    with pytest.raises(
        DatasetError, match=r"scores\.parquet: age is graded 18 to 80, by 'old' 18 to 100; run `amgan score"
    ):
        read_dataset(copy, old)


def test_a_table_changed_by_hand(copy: Path, dataset: Path) -> None:
    def faulty(column: str, change: Any, named: str) -> None:
        shutil.copy(dataset / "faces.parquet", copy)
        values = pq.read_table(copy / "faces.parquet").column(column).to_pylist()
        with_column(copy, column, [change(value) for value in values])
        with pytest.raises(DatasetError, match=rf"{named}.*; run `amgan curate SRC") as caught:
            read_dataset(copy, ATLAS)
        assert str(copy) in str(caught.value) and "\n" not in str(caught.value)

    faulty("split", lambda _: "dev", "column split: 'dev' is none of train, val, test")
    faulty("identity", lambda _: None, "column identity: empty")
    faulty("crows_feet.left", lambda _: "deep", "column crows_feet.left: not float")
    faulty("landmarks", lambda _: [1.0, 2.0], "column landmarks: not fixed_size_list")
    faulty("landmarks", lambda _: "here", "column landmarks: not fixed_size_list")
    faulty("aligned", lambda name: f"{name}x", r"\.pngx: no such face")
    # Of a kind that holds the same is no fault.
    shutil.copy(dataset / "faces.parquet", copy)
    ages = pq.read_table(copy / "faces.parquet").column("age").cast(pa.float64())
    with_column(copy, "age", ages.combine_chunks())
    assert read_dataset(copy, ATLAS)[0].age == read_dataset(dataset, ATLAS)[0].age


def test_estimates_are_of_the_photo_that_was_scored(copy: Path) -> None:
    write_scores(copy, [{"path": "4.png", "sha256": "0" * 64, "age": 0.5}])
    with pytest.raises(
        DatasetError, match=r"scores\.parquet: '4\.png' is another photo than was scored; run `amgan sc"
    ):
        read_dataset(copy, ATLAS)
    assert read_dataset(copy, ATLAS, estimated=False)


def test_scores_changed_by_hand(copy: Path) -> None:
    write_scores(copy, [{"path": "4.png"}, {"path": "4.png"}])
    with pytest.raises(DatasetError, match=r"scores\.parquet, column path: '4\.png' is there twice; run `amgan score"):
        read_dataset(copy, ATLAS)
    write_scores(copy, [{"path": "4.png", "age": 43.0}])
    with pytest.raises(DatasetError, match=r"scores\.parquet, column age: 43 of '4\.png' is not in 0\.\.1"):
        read_dataset(copy, ATLAS)


def test_what_is_no_dataset(copy: Path, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match=r"absent/faces\.parquet: no such table; `amgan curate SRC"):
        read_dataset(tmp_path / "absent", ATLAS)
    with_column(copy, "reason", ["turned"] * 12)
    with pytest.raises(DatasetError, match=r"no photo is kept; see .*report\.html"):
        read_dataset(copy, ATLAS)
    (copy / "faces.parquet").write_bytes(b"PAR1")
    with pytest.raises(DatasetError, match=r"faces\.parquet: damaged"):
        read_dataset(copy, ATLAS)
    shutil.rmtree(copy / "aligned")
    with pytest.raises(DatasetError, match="aligned: no such folder"):
        read_dataset(copy, ATLAS)


def test_a_plain_folder_needs_no_pyarrow(face_set: Path) -> None:
    code = (
        "import sys; sys.modules['pyarrow'] = None; from pathlib import Path; "
        "import amgan.training.loop; from amgan.data.dataset import read_rows; "
        "from amgan.signs.atlas import unit_atlas; "
        f"print(len(read_rows(Path({str(face_set)!r}), unit_atlas())))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "12"


def test_a_person_on_both_sides_of_a_split_is_refused(copy: Path) -> None:
    names = pq.read_table(copy / "faces.parquet").column("identity").to_pylist()
    with_column(copy, "identity", ["somebody" for _ in names])
    with pytest.raises(DatasetError, match=r"png is in train and \S+png in val, and both show 'somebody'"):
        read_dataset(copy, ATLAS)
