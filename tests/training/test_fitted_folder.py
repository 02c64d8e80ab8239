import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from amgan.cli import app
from amgan.errors import OutputError
from amgan.models.estimator_file import load_estimators
from amgan.models.ridge_estimators import RidgeEstimators
from amgan.signs.atlas import unit_atlas
from amgan.training.fitted_folder import open_folder, save_sets
from amgan.training.fitting import PURPOSES, FittedSet


def fitted(out: Path) -> Path:
    """OUT with two sets that nobody fitted."""
    nothing = FittedSet(RidgeEstimators(unit_atlas()), 0, {}, {})
    save_sets(out, dict.fromkeys(PURPOSES, nothing), dict.fromkeys(PURPOSES, "for tests"))
    return out


def test_earlier_estimators_are_replaced_only_if_asked_for(tmp_path: Path) -> None:
    out, store = tmp_path / "more" / "out", tmp_path / "prepared"
    open_folder(out, store, False)
    assert out.is_dir()
    open_folder(fitted(out), store, True)
    for gone in ("report.json", "maps/estimators.json"):
        (out / gone).unlink()
        with pytest.raises(OutputError, match=r"holds estimators already.*--overwrite"):
            open_folder(out, store, False)
    open_folder(fitted(out), store, True)
    assert set(json.loads((out / "report.json").read_text())) == set(PURPOSES)
    assert load_estimators(out / "maps").atlas == unit_atlas()


@pytest.mark.parametrize("overwrite", [False, True])
@pytest.mark.parametrize(
    ("there", "named"),
    [
        (["report.json"], "report.json"),
        (["report.json", "report.html", "evaluation.json"], "evaluation.json"),
        (["evaluation/report.json"], "evaluation"),
        (["maps/estimators.json", "maps/notes.txt"], "maps"),
        (["maps/estimators.json", "notes.txt"], "notes.txt"),
        (["maps"], "maps"),
    ],
)
def test_anything_else_is_never_replaced(tmp_path: Path, there: list[str], named: str, overwrite: bool) -> None:
    for name in there:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("mine")
    with pytest.raises(OutputError, match=f"holds .*{named}.*, which is not of `amgan fit-estimators`"):
        open_folder(tmp_path, tmp_path.parent / "prepared", overwrite)
    assert all((tmp_path / name).read_text() == "mine" for name in there)


def test_faces_prepared_in_the_folder_are_no_hindrance(tmp_path: Path) -> None:
    store = tmp_path / "work" / "prepared"
    store.mkdir(parents=True)
    open_folder(tmp_path, store, False)
    with pytest.raises(OutputError, match="is the --store too"):
        open_folder(tmp_path, tmp_path, False)


@pytest.mark.parametrize("name", ["notes.txt", "notes.txt/out", "o" * 300])
def test_a_folder_that_cannot_be_made_is_told_before_any_work(tmp_path: Path, name: str) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    result = CliRunner().invoke(app, ["fit-estimators", str(tmp_path / "absent"), "-o", str(tmp_path / name)])
    assert isinstance(result.exception, OutputError) and name in str(result.exception)
    assert [path.name for path in tmp_path.iterdir()] == ["notes.txt"]


def test_a_disk_that_fails_at_the_end_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match="No space left"):
        fitted(tmp_path)
    assert not list(tmp_path.rglob("*.json"))
