"""Of `amgan.data.quantiles`: population atlases from a table of signs."""

from dataclasses import replace
from pathlib import Path

import pytest

from amgan.data.quantiles import by_population, main, population_atlas, write_atlas
from amgan.data.table import read_table
from amgan.errors import OutputError
from amgan.signs.atlas import load_atlas, unit_atlas

from .people import write_people

# Twenty people of grades 0, 5, ... 95 on the forehead.
EXPECTED = """\
# Written by `python -m amgan.data.quantiles`: run it again rather than edit this.
extends: unit
name: moon_folk
description: The grades of unit, with percentiles of 20 people labelled moon_folk.
age:
  quantiles:
    faces: 20
    ages: [30.0, 68.0]
    grades: {0: 30.0, 5: 31.9, 10: 33.8, 20: 37.6, 30: 41.4, 40: 45.2, 50: 49.0, 60: 52.8, 70: 56.6, 80: 60.4, 90: 64.2,
      95: 66.1, 100: 68.0}
signs:
  forehead_wrinkles:
    quantiles:
      faces: 20
      ages: [30.0, 68.0]
      grades: {0: 0.0, 5: 4.8, 10: 9.5, 20: 19.0, 30: 28.5, 40: 38.0, 50: 47.5, 60: 57.0, 70: 66.5, 80: 76.0, 90: 85.5,
        95: 90.2, 100: 95.0}
  crows_feet:
    quantiles:
      faces: 19
      ages: [30.0, 68.0]
      grades: {0: 9.0, 10: 9.0, 20: 9.0, 30: 9.0, 40: 9.0, 50: 9.0, 60: 9.0, 70: 9.0, 80: 9.0, 90: 9.0, 100: 9.0}
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    write_people(tmp_path)
    return tmp_path


def test_the_command_writes_the_populations_with_enough_people(
    data: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = data / "atlases"
    monkeypatch.setattr("sys.argv", ["quantiles", "--data", str(data), "--out", str(out)])
    main()
    main()  # its own files it may replace
    assert [path.name for path in out.iterdir()] == ["moon_folk.yaml"]
    assert (out / "moon_folk.yaml").read_text() == EXPECTED
    assert "1 mars: too few, 10 are wanted" in capsys.readouterr().out
    atlas = load_atlas(out / "moon_folk.yaml")
    assert atlas.signs["forehead_wrinkles"].percentile(80) == 0.76 and atlas.signs["nasolabial_fold"].quantiles is None


def test_populations_come_with_the_rows_that_count(data: Path) -> None:
    found = by_population(read_table(data, unit_atlas()))
    assert {name: len(rows) for name, rows in found.items()} == {"moon_folk": 21, "mars": 1}
    assert population_atlas("mars", found["mars"]) is None


def test_no_step_is_finer_than_one_person(data: Path) -> None:
    rows = by_population(read_table(data, unit_atlas()))["moon_folk"]
    text = population_atlas("moon_folk", rows[:10])
    assert (
        text is not None
        and "faces: 10" in text
        and " 10: " in text
        and "{0: 30.0, 5: " not in text
        and " 95: " not in text
    )
    assert population_atlas("moon_folk", rows[:9]) is None


def test_of_people_whose_right_side_alone_is_scored_that_counts(data: Path) -> None:
    table = data / "faces.csv"
    table.write_text(table.read_text().replace(",crows_feet,", ",crows_feet.right,"))
    found = by_population(read_table(data, unit_atlas()))["moon_folk"]
    assert {row.of_sign("crows_feet") for row in found if row.right} == {0.09}
    without = [replace(row, scores={}) for row in found]
    assert by_population(without).keys() == {"moon_folk"}


def test_an_atlas_written_by_hand_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / "mars.yaml").write_text("name: mars")
    with pytest.raises(OutputError, match=r"mars\.yaml"):
        write_atlas(tmp_path, "mars", EXPECTED)


def test_a_fault_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["quantiles", "--data", str(tmp_path), "--out", str(tmp_path)])
    with pytest.raises(SystemExit, match=r"quantiles: .*faces\.csv"):
        main()
