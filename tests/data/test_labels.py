import dataclasses
import math
from collections import Counter
from pathlib import Path

import pytest

from amgan.data.labels import SHARES, Labels, one_split_a_person, read_labels, split_of
from amgan.errors import DatasetError
from amgan.signs.atlas import load_atlas, unit_atlas

ATLAS = unit_atlas()


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_development_datas_columns(tmp_path: Path) -> None:
    header = (
        "file,source,identity,split,age,age_kind,sex,ethnicity,license,forehead_wrinkles,upper_lip_wrinkles,crows_feet"
    )
    table = read_labels(
        written(tmp_path, f"{header}\na.jpg,omi,p1,test,50.4,felt,male,white,CC0,48,occluded,\n"), ATLAS
    )
    assert table.rows == {
        "a.jpg": Labels(
            age=50.4,
            identity="p1",
            split="test",
            population="white",
            sex="male",
            licence="CC0",
            source="omi",
            grades={"forehead_wrinkles": 48.0},
            occluded=frozenset({"upper_lip_wrinkles"}),
        )
    }
    assert table.ignored == ("age_kind",) and "ethnicity" in table.read


def test_age_and_population(tmp_path: Path) -> None:
    path = written(tmp_path, "\ufefffile,age,origin,more\na/b.jpg,41.5,white,x\nc.png,,asian,y\n")
    people = read_labels(path, ATLAS, "origin").rows
    assert people["a/b.jpg"] == Labels(41.5, population="white")
    assert math.isnan(people["c.png"].age) and people["c.png"].population == "asian"
    assert read_labels(path, ATLAS).rows["a/b.jpg"] == Labels(41.5)
    assert read_labels(written(tmp_path, "file,population,ethnicity\na,b,c\n"), ATLAS).rows["a"].population == "b"


def test_sides_of_a_sign(tmp_path: Path) -> None:
    one = read_labels(written(tmp_path, "file,crows_feet\na,30\n"), ATLAS).rows["a"]
    assert one.grades == {"crows_feet.left": 30}
    both = read_labels(written(tmp_path, "file,crows_feet.right,crows_feet.left\na,occluded,20\n"), ATLAS).rows["a"]
    assert both.grades == {"crows_feet.left": 20} and both.occluded == {"crows_feet.right"}


def test_a_clinics_own_sign_is_a_yaml_and_a_column(tmp_path: Path) -> None:
    (tmp_path / "clinic.yaml").write_text(
        "extends: unit\nname: clinic\nsigns: {brow_spots: {label: Spots, grades: [0, 8], zones: {centre: [[9, 8, 7]]}}}"
    )
    path = written(tmp_path, "file,brow_spots\na,6.5\n")
    assert read_labels(path, load_atlas(tmp_path / "clinic.yaml")).rows["a"].grades == {"brow_spots": 6.5}
    with pytest.raises(DatasetError, match="columns that are read: age, identity"):
        read_labels(path, ATLAS)


def test_what_nobody_says_about_identity_and_split() -> None:
    assert Labels(identity="p", split="val").settled("a.jpg") == Labels(identity="p", split="val")
    alone = Labels(sex="f").settled("a.jpg")
    assert alone.identity == "a.jpg" and alone.split == split_of("a.jpg") and alone.sex == "f"
    assert Labels(identity="p").settled("a.jpg").split == Labels(identity="p").settled("b.jpg").split == split_of("p")


def test_the_split_by_hash_has_its_shares_and_stays() -> None:
    found = Counter(split_of(f"person {i}") for i in range(5000))
    assert all(abs(found[split] / 50 - share) < 2 for split, share in SHARES.items())
    # Data sets that were written with it rely on it.
    assert [split_of(person) for person in ("p0", "p16", "p4")] == ["train", "val", "test"]


def test_a_split_holds_for_all_photos_of_a_person(tmp_path: Path) -> None:
    text = "file,identity,split\na,p,\nb,p,val\nc,q,\nd,,test\n"
    rows = read_labels(written(tmp_path, text), ATLAS).rows
    assert [rows[name].split for name in "abcd"] == ["val", "val", "", "test"]
    conflict = {"a": Labels(identity="p", split="val"), "b": Labels(identity="p", split="test")}
    with pytest.raises(DatasetError, match=r"people\.csv: a is in val and b in test, and both show 'p'"):
        one_split_a_person(conflict, Path("people.csv"))
    apart = {name: dataclasses.replace(labels, identity="") for name, labels in conflict.items()}
    assert one_split_a_person(apart, Path("people.csv")) == apart


@pytest.mark.parametrize(
    ("text", "population", "named"),
    [
        ("name,age\na,1\n", None, "'file'"),
        ("file,age\na,1\n", "origin", "'origin'"),
        ("file,years\na,1\n", None, "says nothing about its photos"),
        ("file,\na,1\n", None, "says nothing about its photos"),
        ("file,age\n,1\n", None, "line 2, column file"),
        ("file,age\na,old\n", None, "line 2, column age: 'old'"),
        ("file,age\na,-4\n", None, "line 2"),
        ("file,age\na,nan\n", None, "line 2"),
        ("file,age\na,occluded\n", None, "line 2, column age"),
        ("file,crows_feet\na,100\nb,101\n", None, "line 3, column crows_feet: 101 is not on .* 0 to 100"),
        ("file,crows_feet.right\na,-1\n", None, "line 2, column crows_feet.right: -1 is not on"),
        ("file,age\na,1\nb,2\na,3\n", None, "line 4"),
        ("file,split\na,dev\n", None, "line 2, column split: 'dev'.* train, val, test"),
        ("file,crows_feet.right\na,deep\n", None, "line 2, column crows_feet.right: 'deep'"),
        ("file,forehead_wrinkles\na,inf\n", None, "line 2, column forehead_wrinkles"),
        ("file,crows_feet,crows_feet.left\na,1,2\n", None, "crows_feet means the left side"),
        ("file,age,crows_feet\na,50,4,48\n", None, "line 2: more cells than there are columns"),
        ("file,age,crows_feet,age\na,50,48,51\n", None, "column age stands there twice"),
        ("file,age\na,1\n\nb,old\n", None, "line 4, column age"),
    ],
)
def test_errors_name_the_place(tmp_path: Path, text: str, population: str | None, named: str) -> None:
    with pytest.raises(DatasetError, match=named) as caught:
        read_labels(written(tmp_path, text), ATLAS, population)
    assert "people.csv" in str(caught.value) and "\n" not in str(caught.value)


def test_files_that_are_no_table(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="absent"):
        read_labels(tmp_path / "absent.csv", ATLAS)
    path = tmp_path / "people.csv"
    path.write_bytes(b"file,age\n\xff\xfe,3\n")
    with pytest.raises(DatasetError, match="UTF-8"):
        read_labels(path, ATLAS)
