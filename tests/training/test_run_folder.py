"""What a run that goes on is held to."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from amgan.data.table import Row
from amgan.errors import ConfigError
from amgan.signs.atlas import Atlas, unit_atlas
from amgan.training.checkpoint import NAME
from amgan.training.config import TrainConfig
from amgan.training.config_file import load_config
from amgan.training.run_folder import ROWS, check_folder, check_rows, record_config

ATLAS = unit_atlas()


@pytest.fixture
def run(smallest: TrainConfig, tmp_path: Path) -> Path:
    record_config(smallest, ATLAS, tmp_path)
    (tmp_path / NAME).touch()
    return tmp_path


def renamed() -> Atlas:
    content = ATLAS.model_dump(mode="json")
    content["signs"] = {f"{name}_2": sign for name, sign in content["signs"].items()}
    return Atlas.model_validate(content)


def test_what_may_change_is_told_and_what_would_be_another_run_is_refused(smallest: TrainConfig, run: Path) -> None:
    assert check_folder(smallest, ATLAS, run, resume=True) == []
    assert load_config(run / "config.json") == smallest
    told = check_folder(smallest.model_copy(update={"log_every": 7}), ATLAS, run, resume=True)
    assert told == ["changed since the run began: log_every: 1 -> 7"]
    # Adam's state has its own: the new ones would be told of and not taken.
    with pytest.raises(ConfigError, match="another betas"):
        check_folder(smallest.model_copy(update={"betas": (0.0, 0.9)}), ATLAS, run, resume=True)


def test_photos_under_other_licences_are_another_run(smallest: TrainConfig, run: Path) -> None:
    """The model's notice names the licences of the last config alone."""
    free = smallest.model_copy(update={"licences": ["CC0 1.0"]})
    with pytest.raises(ConfigError, match="another licences"):
        check_folder(free, ATLAS, run, resume=True)
    # A run from before there was that key learned from any photo.
    content = json.loads((run / "config.json").read_text())
    del content["licences"]
    (run / "config.json").write_text(json.dumps(content))
    assert check_folder(smallest, ATLAS, run, resume=True) == []
    with pytest.raises(ConfigError, match="another licences"):
        check_folder(free, ATLAS, run, resume=True)


def test_a_run_goes_on_with_the_faces_and_grades_it_began_with(run: Path) -> None:
    def row(name: str, **grades: float) -> Row:
        return Row(Path("somewhere") / name, name, name, "train", 0.5, grades, "CC0 1.0")

    rows = [row("a.png", crows_feet=0.5), row("b.png")]
    check_rows(rows, run, resume=False)
    check_rows([replace(one, path=Path("moved")) for one in rows], run, resume=True)
    for others in (rows[:1], [row("a.png", crows_feet=0.6), rows[1]], [rows[0], replace(rows[1], split="val")]):
        with pytest.raises(ConfigError, match=f"no more what the run began with .2 faces then and {len(others)} now"):
            check_rows(others, run, resume=True)
    # One of before this was written down is believed.
    (run / ROWS).unlink()
    check_rows(rows[:1], run, resume=True)
    (run / ROWS).write_text("{")
    with pytest.raises(ConfigError, match=r"data\.json: damaged"):
        check_rows(rows, run, resume=True)


def test_data_is_where_it_lies_however_it_is_called(
    smallest: TrainConfig, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(smallest.data)
    assert check_folder(smallest.model_copy(update={"data": Path()}), ATLAS, run, resume=True)
    with pytest.raises(ConfigError, match="another data"):
        check_folder(smallest.model_copy(update={"data": Path("other")}), ATLAS, run, resume=True)


def test_an_atlas_is_what_is_in_it_and_not_where_it_lies(smallest: TrainConfig, run: Path) -> None:
    elsewhere = smallest.model_copy(update={"atlas": Path("moved.yaml")})
    assert "atlas: None -> moved.yaml" in check_folder(elsewhere, ATLAS, run, resume=True)[0]
    with pytest.raises(ConfigError, match="another atlas"):
        check_folder(smallest, renamed(), run, resume=True)
    # An older run knows the path alone.
    content = json.loads((run / "config.json").read_text())
    (run / "config.json").write_text(json.dumps({key: content[key] for key in smallest.model_dump()}))
    assert check_folder(smallest, renamed(), run, resume=True) == []
    with pytest.raises(ConfigError, match="another atlas"):
        check_folder(elsewhere, ATLAS, run, resume=True)


@pytest.mark.parametrize("content", [b"{", b"\xff\xfe", b"[]", b"{}", b'{"stages": [3]}'])
def test_a_damaged_config_is_named(smallest: TrainConfig, run: Path, content: bytes) -> None:
    (run / "config.json").write_bytes(content)
    with pytest.raises(ConfigError, match=r"config\.json: damaged \(.*\); delete it and resume again"):
        check_folder(smallest, ATLAS, run, resume=True)
    (run / "config.json").unlink()
    assert check_folder(smallest, ATLAS, run, resume=True) == []
