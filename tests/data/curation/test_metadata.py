import math
from pathlib import Path

import pytest

from amgan.data.curation.metadata import Person, read_metadata
from amgan.errors import DatasetError


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "people.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_age_and_population(tmp_path: Path) -> None:
    path = written(tmp_path, "\ufefffile,age,origin,more\na/b.jpg,41.5,white,x\nc.png,,asian,y\n")
    people = read_metadata(path, "origin")
    assert people["a/b.jpg"] == Person(41.5, "white")
    assert math.isnan(people["c.png"].age) and people["c.png"].population == "asian"
    assert read_metadata(path)["a/b.jpg"] == Person(41.5, "")
    assert read_metadata(written(tmp_path, "file,population\na,b\n"))["a"].population == "b"


@pytest.mark.parametrize(
    ("text", "population", "named"),
    [
        ("name,age\na,1\n", None, "'file'"),
        ("file,age\na,1\n", "origin", "'origin'"),
        ("file,years\na,1\n", None, "--population"),
        ("file,age\na,old\n", None, "line 2, column age: 'old'"),
        ("file,age\na,-4\n", None, "line 2"),
        ("file,age\na,nan\n", None, "line 2"),
        ("file,age\na,1\nb,2\na,3\n", None, "line 4"),
    ],
)
def test_errors_name_the_place(tmp_path: Path, text: str, population: str | None, named: str) -> None:
    with pytest.raises(DatasetError, match=named) as caught:
        read_metadata(written(tmp_path, text), population)
    assert "people.csv" in str(caught.value)


def test_files_that_are_no_table(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="absent"):
        read_metadata(tmp_path / "absent.csv")
    path = tmp_path / "people.csv"
    path.write_bytes(b"file,age\n\xff\xfe,3\n")
    with pytest.raises(DatasetError, match="UTF-8"):
        read_metadata(path)
