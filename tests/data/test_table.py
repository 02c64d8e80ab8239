import math
from pathlib import Path

import numpy as np
import pytest

from amgan.data.labels import Labels, split_of
from amgan.data.table import AlignedFace, Estimated, read_table, row_of
from amgan.errors import DatasetError
from amgan.signs.atlas import unit_atlas

ATLAS = unit_atlas()
SIGNS = ",".join(ATLAS.signs)


def written(folder: Path, header: str, *lines: str) -> Path:
    (folder / "a.png").touch()
    (folder / "faces.csv").write_text("\n".join([header, *lines]))
    return folder


def test_a_row_knows_each_side() -> None:
    labels = Labels(49, grades={"forehead_wrinkles": 90, "crows_feet.left": 20, "crows_feet.right": 130})
    row = row_of(Path("x/a.png"), "a.png", labels, ATLAS, {"crows_feet.left": Estimated(0.5, 0.1)})
    assert row.scores == {"forehead_wrinkles": 0.9, "crows_feet": 0.2} and row.right == {"crows_feet": 1}
    assert [row.score(zone) for zone in ("crows_feet.left", "crows_feet.right", "age")] == [0.2, 1, 0.5]
    assert math.isnan(row.score("lower_face_ptosis")) and math.isnan(row.estimate("age"))
    assert row.estimate("crows_feet.left") == 0.5
    assert (row.identity, row.split) == ("a.png", split_of("a.png"))


def test_landmarks_follow_the_size_of_the_picture() -> None:
    points = np.tile(np.array([[-0.5, 255.5]], np.float32), (478, 1))
    assert np.allclose(AlignedFace(256, points, "", 300.0).landmarks_at(1024), [[-0.5, 1023.5]])


def test_a_plain_folder(tmp_path: Path) -> None:
    values = ",".join("occluded" if sign == "crows_feet" else "50" for sign in ATLAS.signs)
    (row,) = read_table(written(tmp_path, f"file,identity,split,age,{SIGNS}", f"a.png,p,val,,{values}"), ATLAS)
    assert (row.path, row.identity, row.split, row.occluded) == (tmp_path / "a.png", "p", "val", {"crows_feet.left"})
    assert math.isnan(row.age) and "crows_feet" not in row.scores and row.aligned is None


@pytest.mark.parametrize(
    ("header", "line", "named"),
    [
        (f"file,identity,age,{SIGNS}", "a.png,p,30", "no column split"),
        ("file,identity,split,age,crows_feet.right", "a.png,p,val,30", "no column forehead_wrinkles, .*ptosis"),
        (f"file,identity,split,age,{SIGNS}", "b.png,p,val,30", r"names b\.png, but there is no photo .*b\.png"),
        (f"file,identity,split,age,{SIGNS}", "", "names no photo"),
        (f"file,identity,split,age,{SIGNS}", "a.png,p,dev,30", "line 2, column split"),
    ],
)
def test_errors_name_the_place(tmp_path: Path, header: str, line: str, named: str) -> None:
    with pytest.raises(DatasetError, match=rf"faces\.csv.*{named}"):
        read_table(written(tmp_path, header, line), ATLAS)
    with pytest.raises(DatasetError, match=r"faces\.csv: no such table"):
        read_table(tmp_path / "absent", ATLAS)
