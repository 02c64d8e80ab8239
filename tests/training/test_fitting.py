import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from amgan.cli import app
from amgan.data.store import Store, prepare
from amgan.data.table import Estimated, Row
from amgan.errors import DatasetError, OutputError, WeightsError
from amgan.models import resnet_estimators
from amgan.models.estimator import SignEstimators, SignLabels, ZoneFeatures
from amgan.models.estimator_file import fingerprint, load_estimators
from amgan.models.resnet import ResNetConfig
from amgan.models.ridge_estimators import FEATURES, RidgeEstimators
from amgan.signs.atlas import unit_atlas
from amgan.training import fitting
from amgan.training.fitting import FittedSet, Purpose, belongs_to, compare, fit_set

ATLAS = unit_atlas()


def test_nobody_is_in_both_sets_and_nobody_of_test_in_either() -> None:
    rows = [Row(Path(), "", f"p{i}", split, 0.5, {}, "") for i in range(200) for split in ("train", "val", "test")]
    ours, theirs = belongs_to("maps", 0.3), belongs_to("evaluation", 0.3)
    assert not any(ours(row) and theirs(row) for row in rows)
    assert not any(ours(row) or theirs(row) for row in rows if row.split == "test")
    assert all(ours(row) or theirs(row) for row in rows if row.split != "test")
    assert 0.6 < np.mean([ours(row) for row in rows if row.split == "train"]) < 0.8


def test_a_comparison_by_hand() -> None:
    estimators = RidgeEstimators(ATLAS)
    index = estimators.names.index("crows_feet")
    estimators.weight[index, index, 0] = 1
    estimators.deviation_bias[index] = np.log(0.15)
    estimators.covered_weight[index, 1], estimators.covered_bias[index] = 1, -5
    table = np.zeros((5, len(ATLAS.zones) + 1, FEATURES), np.float32)
    zone = ATLAS.zones.index("crows_feet.left")
    table[:, zone, 0] = (0.1, 0.5, 0.9, 0.4, 0.4)
    table[2:4, zone, 1] = 10
    features = ZoneFeatures.of_column(table, zone)
    scores = np.array([0.2, 0.5, 0.7, np.nan, np.nan])
    known = SignLabels(features, scores, np.array([False, False, False, True, True]), list("abcde"))
    found = compare(estimators, "crows_feet", known)
    assert found.count == 3 and found.error == pytest.approx(0.1) and found.within == pytest.approx(2 / 3)
    assert found.correlation == pytest.approx(np.corrcoef([0.1, 0.5, 0.9], [0.2, 0.5, 0.7])[0, 1])
    assert (found.covered, found.covered_found, found.covered_falsely) == (2, 1, 1)


def test_estimates_do_not_stand_for_the_grades_of_people(face_set: Path, tmp_path: Path) -> None:
    store = prepare(face_set, tmp_path, ATLAS)
    known = {zone: Estimated(0.5, 0.1) for zone in (*ATLAS.zones, "age")}
    rows = [replace(row, scores={}, right={}, estimates=known, split="val") for row in store.rows]
    with pytest.raises(DatasetError, match=r"set 'evaluation': forehead_wrinkles: 0 people .* another --judge-share"):
        fit_set(replace(store, rows=rows), RidgeEstimators(ATLAS), "evaluation", 0.2)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["ridge", "resnet18"])
def test_the_command_fits_two_sets_that_load(
    face_set: Path, tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resnet_estimators, "ResNetConfig", lambda: ResNetConfig(crop=32, width=8, epochs=1))
    # All photos are graded, so that a third of the ten people is enough for a set.
    prepare(face_set, tmp_path / "store", ATLAS)
    table = (face_set / "faces.csv").read_text().replace("occluded", "40")
    (tmp_path / "faces").mkdir()
    for picture in face_set.glob("*.png"):
        (tmp_path / "faces" / picture.name).symlink_to(picture)
    lines = table.splitlines()
    # Each face a second time under other names, since an estimator wants eight people.
    again = [line.replace("person-", "second-") for line in lines[1:]]
    for line in again:
        name = line.partition(",")[0]
        (tmp_path / "faces" / f"again-{name}").symlink_to(face_set / name)
    (tmp_path / "faces" / "faces.csv").write_text("\n".join(lines + [f"again-{line}" for line in again]) + "\n")
    out = tmp_path / "out"
    options = ["--judge-share", "0.5", "--store", str(tmp_path / "store"), "--kind", kind]
    command = ["fit-estimators", str(tmp_path / "faces"), "-o", str(out), *options]
    # Stopped before the second set, it goes on with what lies in the store.
    with monkeypatch.context() as patch:
        patch.setattr(fitting, "fit_set", stopped_at_the_second)
        assert isinstance(CliRunner().invoke(app, command).exception, RuntimeError)
    assert not list(out.iterdir())
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0, result.output
    report = json.loads((out / "report.json").read_text())
    assert set(report) == {"maps", "evaluation"} and report["maps"]["people"] + report["evaluation"]["people"] == 24
    assert "forehead_wrinkles" in result.stdout
    ours, theirs = load_estimators(out / "maps"), load_estimators(out / "evaluation")
    assert fingerprint(ours) != fingerprint(theirs) and ours.atlas == ATLAS and ours.kind == theirs.kind == kind
    assert isinstance(CliRunner().invoke(app, command).exception, OutputError)
    assert CliRunner().invoke(app, [*command, "--overwrite"]).exit_code == 0


def stopped_at_the_second(store: Store, estimators: SignEstimators, purpose: Purpose, *rest: Any) -> FittedSet:
    if purpose == "evaluation":
        raise RuntimeError("stopped")
    return fit_set(store, estimators, purpose, *rest)


def test_estimators_come_from_a_model_too_and_a_wrong_folder_is_named(small_model: Path, tmp_path: Path) -> None:
    assert float(load_estimators(small_model).bias[0]) == pytest.approx(0.3)
    with pytest.raises(WeightsError, match=r"no estimators\.json there"):
        load_estimators(tmp_path)
    (tmp_path / "estimators.json").write_bytes(b'{"atlas": "\xff"}')
    with pytest.raises(WeightsError, match=r"estimators\.json: malformed .*utf-8"):
        load_estimators(tmp_path)
