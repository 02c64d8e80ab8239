"""Rows of the tables from end to end: two steps each of small networks, before stand-ins for the judges."""

import json
import re
import shutil
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from amgan.cli import app, main
from amgan.evaluation.judges import cross
from amgan.evaluation.judges.cross import check_graded
from amgan.evaluation.reproduce import study as study_module
from amgan.evaluation.reproduce import tables
from amgan.training import checkpoint
from amgan.training.config import TrainConfig

SMALL = ["generator.base_channels=8", "generator.blocks=1", "critic.base_channels=8", "critic.texture=0"]
SMALL += ["critic.scales=1", "precision=fp32", "judge_share=0", "stages.0.batch=1", "stages.1.batch=1"]
SMALL += ["stages.0.patch=64", "stages.1.patch=128"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["reproduce", *(str(a) for a in arguments)])


def given(dataset: Path) -> list[object]:
    settings = [part for setting in SMALL for part in ("--set", setting)]
    return ["--data", dataset, "--steps", 2, "--split", "train", "--every", 2, *settings]


@pytest.mark.slow
def test_a_table_is_trained_measured_and_gone_on_with(
    dataset: Path, loaded: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = tmp_path / "study"
    train = study_module.train
    trained: list[tuple[str, bool]] = []

    def stopped(config: TrainConfig, out: Path, resume: bool, atlas: object) -> Path:
        trained.append((out.name, resume))
        if out.name == "age-only-256" and not resume:
            # As by Ctrl-C, when a checkpoint is there.
            train(config, out, resume, atlas)  # type: ignore[arg-type]
            (out / "model" / "model.json").unlink()
            # Or by a kill between taking the old one aside and putting the new one there.
            (out / checkpoint.NAME).rename(out / checkpoint.PREVIOUS)
            raise KeyboardInterrupt
        return train(config, out, resume, atlas)  # type: ignore[arg-type]

    monkeypatch.setattr(study_module, "train", stopped)
    with monkeypatch.context() as patch:
        # Nothing is trained where no judge can be fitted then.
        patch.setattr(cross, "check_graded", check_graded)
        assert f"have more of {dataset} graded" in str(run("table2", study, *given(dataset)).exception) and not trained
    # The spread goes first, and stays when a table joins it.
    assert run("spread", study, *given(dataset), "--oldest", 5).exit_code == 0
    assert run("table2", study, *given(dataset)).exit_code != 0
    half = (study / "tables.md").read_text()
    assert "without clinical signs (age only), 256 px | 2 | not finished" in half
    result = run("table2", study, *given(dataset), "--dry-run")
    assert result.exit_code == 0 and "patch-256: 2 steps (1 x 1 patches of 64 px, then 1 x 1 patches" in result.stdout
    assert (study / "tables.md").read_text() == half

    result = run("table2", study, *given(dataset))
    assert result.exit_code == 0, result.output
    assert (
        trained == [("patch-256", False), ("age-only-256", False), ("age-only-256", True)] and loaded == ["train"] * 2
    )
    rows = json.loads((study / "tables.json").read_text())["tables"]["table2"]
    assert list(rows) == ["patch-256", "age-only-256"]
    for row in rows.values():
        assert row["steps"] == 2 and row["found"]["faces"] == 5
        assert row["found"]["mae"]["value"] > 0 and row["found"]["age"]["value"] > 0
    text = (study / "tables.md").read_text()
    assert text in result.stdout and "| 110.7 | 0.143 |" in text and "2 steps a row" in text
    assert not re.search(r"\bnan\b", text)
    assert "**Set for every row**: generator.base_channels=8" in text
    assert "## Table 2" in text and "| 5 | 55 to 75 |" in text and "0.18 (150 people" in text

    # What is done is not trained or judged again, and another part of the paper joins it.
    result = run("spread", study, *given(dataset), "--oldest", 4)
    assert result.exit_code == 0, result.output
    assert len(trained) == 3 and loaded == ["train"] * 2
    assert "## Table 2" in result.stdout and "| 4 | " in result.stdout
    # While a row is trained anew the tables have what is done.
    shutil.rmtree(study / "patch-256" / "evaluation")
    written, write = list[set[str]](), tables.write_tables
    with monkeypatch.context() as patch:
        patch.setattr(tables, "write_tables", lambda to, what: written.append(set(what.found)) or write(to, what))
        assert run("table2", study, *given(dataset)).exit_code == 0
    assert all("age-only-256" in found for found in written) and len(written) == 3
    # Another evaluation in a row's folder is told in words of this command.
    state = study / "patch-256" / "evaluation" / "evaluation.json"
    state.write_text(state.read_text().replace('"plans": "', '"plans": "0'))
    refused = str(run("table2", study, *given(dataset)).exception)
    assert "of other faces, labels or targets" in refused and f"take {state.parent} away" in refused
    assert "--overwrite" not in refused and "OUT" not in refused


def test_the_spread_is_of_the_atlas_that_is_set(face_set: Path, tmp_path: Path) -> None:
    atlas = tmp_path / "deeper.yaml"
    atlas.write_text("extends: unit\nname: deeper\nsigns: {crows_feet: {grades: [0, 200]}}\n")
    means = {}
    for name, more in (("unit", []), ("deeper", ["--set", f"atlas={atlas}"])):
        result = run("spread", tmp_path / name, "--data", face_set, "--oldest", 5, *more)
        assert result.exit_code == 0, result.exception
        means[name] = json.loads((tmp_path / name / "tables.json").read_text())["spread"]["means"]
    assert means["deeper"]["crows_feet"] == pytest.approx(means["unit"]["crows_feet"] / 2)
    assert means["deeper"]["nasolabial_fold"] == means["unit"]["nasolabial_fold"] > 0


@pytest.mark.parametrize(
    ("more", "code", "named"),
    [
        (["table1", "--steps", "5", "--minutes", "3"], 2, "--minutes"),
        (["table3"], 2, "table3"),
        (["table1", "--steps", "5", "--set", "weights.agee=1"], 2, "weights.agee"),
        (["table1", "--set", "stages.1.batch=1"], 2, "row paper-recipe-256: --set stages.1.batch=1"),
        (["table1", "--steps", "1", "--set", "stages.0.map_patch=[32,48]"], 2, "row patch-128: stages.0: map_patch 16"),
        (["spread", "--set", "weights.agee=1"], 2, "weights.agee"),
        (["spread", "--set", "weights.agee=1", "--dry-run"], 2, "weights.agee"),
        (["spread", "--set", "atlas=nowhere.yaml"], 2, "nowhere.yaml"),
        (["spread", "--set", "seed=1", "--limits", "nowhere.yaml"], 2, "nowhere.yaml"),
    ],
)
def test_a_bad_call_is_one_line_and_writes_nothing(
    dataset: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    code: int,
    named: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    what, *rest = more
    monkeypatch.setattr("sys.argv", ["amgan", "reproduce", what, "study", "--data", str(dataset), *rest])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == code and named in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
