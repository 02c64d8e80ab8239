import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from amgan.cli import app, main
from amgan.inference.batch.run import Batch


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["batch", *(str(a) for a in arguments), "--workers", "1"])


@pytest.fixture
def photos(tmp_path: Path, astronaut: np.ndarray) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    Image.fromarray(astronaut).save(folder / "anna.png")
    (folder / "empty.jpg").touch()
    return folder


def test_a_folder(photos: Path, small_model: Path) -> None:
    out = photos.parent / "out"
    result = run(photos, "-o", out, "--all", 0.9, "--model", small_model)
    assert result.exit_code == 1 and "1 aged, 0 finished before, 1 failed" in result.stdout
    assert "empty.jpg: the file is empty" in result.stderr and "for tests" in result.stderr
    assert (out / "anna.png").is_file()
    (photos / "empty.jpg").unlink()
    result = run(photos, "-o", out, "--all", 0.9, "--model", small_model)
    assert result.exit_code == 0 and "0 aged, 1 finished before, 0 failed" in result.stdout


def test_a_table(photos: Path, small_model: Path) -> None:
    table = photos.parent / "recipes.csv"
    table.write_text("photo,out,all,forehead_wrinkles\nphotos/anna.png,young.png,10%,\nphotos/anna.png,brow.jpg,,1\n")
    out = photos.parent / "out"
    result = run(table, "-o", out, "--model", small_model, "--population", "asian")
    assert result.exit_code == 0, result.output
    with (out / "results.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(row["out"], row["status"]) for row in rows] == [("young.png", "aged"), ("brow.jpg", "aged")]
    assert {path.name for path in out.iterdir()} == {"results.csv", "young.png", "brow.jpg"}


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["photos", "-o", "out"], "nothing to change"),
        (["photos", "-o", "photos/out", "--all", "1"], "-o"),
        (["photos", "-o", "out", "--all", "1.5"], "out of range"),
        (["photos", "-o", "out", "--all", "half"], "--all"),
        (["photos", "-o", "out", "--all", "1", "--population", "white"], "--population"),
        (["photos", "-o", "out", "--all", "1", "--population", "martian"], "martian"),
        (["photos", "-o", "out", "--all", "1", "--workers", "0"], "--workers"),
        (["recipes.csv", "-o", "out", "--all", "1"], "--all"),
        (["recipes.csv", "-o", "out", "--face", "0"], "--face"),
        (["recipes.csv", "-o", "out"], "recipes.csv, line 2, column all"),
        (["absent.csv", "-o", "out"], "absent.csv"),
        (["photos"], "-o"),
    ],
)
def test_a_bad_call_is_one_line_and_touches_nothing(
    photos: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    named: str,
) -> None:
    monkeypatch.chdir(photos.parent)
    Path("recipes.csv").write_text("photo,all\nphotos/anna.png,many\n")
    monkeypatch.setattr("sys.argv", ["amgan", "batch", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    error = capsys.readouterr().err
    assert stop.value.code == 2 and error.count("\n") == 1 and named in error
    assert not Path("out").exists()


def test_odd_places_are_one_line(
    photos: Path, small_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    loop = photos.parent / "loop"
    loop.symlink_to("loop")
    for *arguments, said in (
        (str(photos), "-o", str(loop), "--all", "1", "loop: cannot be used (File exists)"),
        ("n" * 300, "-o", str(photos.parent / "out"), "cannot read the recipes (File name too long)"),
    ):
        monkeypatch.setattr("sys.argv", ["amgan", "batch", *arguments, "--model", str(small_model)])
        with pytest.raises(SystemExit):
            main()
        error = capsys.readouterr().err
        assert error.count("\n") == 1 and said in error


def test_ctrl_c_is_said(
    photos: Path, small_model: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Batch, "run", stop)
    out = str(photos.parent / "out")
    monkeypatch.setattr(
        "sys.argv", ["amgan", "batch", str(photos), "-o", out, "--all", "1", "--model", str(small_model)]
    )
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 130 and capsys.readouterr().err.endswith("amgan: stopped\n")
