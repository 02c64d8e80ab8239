import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amgan.evaluation.bootstrap import Interval
from amgan.evaluation.face import Found
from amgan.evaluation.networks import LEADING
from amgan.evaluation.protocol import Plan
from amgan.evaluation.reproduce.differences import FaceErrors, differences_of, errors_of
from amgan.evaluation.reproduce.rows import ROWS, config_of, rows_of
from amgan.evaluation.reproduce.spread import Spread
from amgan.evaluation.reproduce.study import About
from amgan.evaluation.reproduce.tables import Measured, Results, measured_of, write_tables
from amgan.evaluation.summary import summarise
from amgan.signs.atlas import unit_atlas

ATLAS = unit_atlas()
ABOUT = About(recipe="photos", data=Path("/data"), minutes=40, every=2, settings=("seed=1",))


@pytest.fixture(scope="module")
def measured(plans: list[Plan], found_by: Callable[[str], list[Found]]) -> Measured:
    return measured_of(summarise("perfect", plans, found_by("perfect"), ATLAS, {}, {}), 62)


def results(found: dict[str, Measured], errors: dict[str, FaceErrors] | None = None) -> Results:
    configs = {row.name: config_of(row, "photos", ABOUT.data) for row in rows_of(["table1", "table2"], "photos")}
    flat = Interval(0.15, 0.14, 0.16, 150)
    spread = Spread(150, (49, 80), flat, flat, {"crows_feet": 0.2}, {"crows_feet": 0.3})
    return Results(ABOUT, ["table1", "table2"], configs, found, errors or {}, spread)


def test_a_row_has_what_the_evaluation_found(measured: Measured) -> None:
    assert measured.network == LEADING and measured.mae.value < 0.05 and measured.faces == 36
    assert measured.distance.value > 0 and measured.real.value > 0
    # Its judge of the age says 100 years for a score of 1, and the atlas 80: off by at most 12.4 years of 62 here.
    assert 0 < measured.age.value < 12.4 / 62


def test_tables_stand_beside_the_papers(measured: Measured, tmp_path: Path) -> None:
    found = dict.fromkeys(set(ROWS) - {"patch-512"}, measured)
    write_tables(tmp_path, results(found))
    text = (tmp_path / "tables.md").read_text()
    cell = f"{measured.mae.value:.3g} ({measured.mae.low:.3g} to {measured.mae.high:.3g})"
    assert "| row | steps | Fréchet distance | MAE | FID in the paper | MAE in the paper |" in text
    assert f"| without location maps, 128 px | 7700 | {measured.distance.value:.3g} (" in text
    assert f"| {cell} | 140 | 0.2 |" in text and "| patches of 512 px | 7700 | not finished |  | 110.1 | 0.14 |" in text
    assert "| real images | |" in text and "49 |" in text and not re.search(r"\bnan\b", text)
    assert text.count("| 110.7 | 0.143 |") == 1 and "0.15 (0.14 to 0.16) | 0.18 (150 people, 65 to 80)" in text
    for word in ("one photo in 2", "36 faces", "40 minutes a row", "seed=1", "patch-128 64 px x 64 x 1900 then 128 px"):
        assert word in text
    content = json.loads((tmp_path / "tables.json").read_text())
    assert content["tables"]["table1"]["patch-512"]["found"] is None and content["spread"]["paper"] == 0.18
    assert content["tables"]["table2"]["age-only-256"]["found"]["mae"]["value"] == round(measured.mae.value, 5)


def test_rows_are_seen_beside_each_other_face_by_face(
    plans: list[Plan], found_by: Callable[[str], list[Found]]
) -> None:
    found = {one.name: one for one in found_by("perfect")}
    perfect = errors_of(plans, found, ATLAS)
    assert np.mean(perfect.aged) < 0.05 < 0.1 < np.mean(perfect.undone) and len(set(perfect.people)) > 10
    # Worse by a little on every face, as much as by which the faces themselves differ.
    worse = replace(perfect, aged=[error + 0.01 for error in perfect.aged])
    assert np.std(perfect.aged) > 0.005
    rows = {"no-location-maps-128": perfect, "patch-128": worse, "patch-512": perfect}
    differences = differences_of(rows)
    assert list(differences) == ["patch-512", "patch-128", "no-location-maps-128"]
    maps = differences["no-location-maps-128"].beside
    assert maps is not None and maps.low == pytest.approx(-0.01) and maps.high == pytest.approx(-0.01)
    assert differences["patch-128"].beside is None and differences["patch-128"].undone.high < 0
    study = results({}, rows)
    text = study.markdown()
    line = "| -0.0100 (-0.0100 to -0.0100) | patches of 128 px |"
    assert text.count(line) == 1 and "| patches of 512 px | -0." in text
    content = study.as_json()["differences"]
    assert content["patch-512"]["beside"] is None and content["no-location-maps-128"]["beside"]["value"] == -0.01
    json.dumps(content)


def test_tables_without_a_finished_row() -> None:
    text = results({}).markdown()
    assert text.count("not finished") == 8 and "| real images | | - | |" in text and not re.search(r"\bnan\b", text)
    assert math.isnan(measured_of(summarise("none", [], [], ATLAS, {}, {}), 62).mae.value)
