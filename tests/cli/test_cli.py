import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from amgan.cli import app, main


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def photo(tmp_path: Path, astronaut: np.ndarray) -> Path:
    Image.fromarray(astronaut).save(tmp_path / "astronaut.png")
    return tmp_path / "astronaut.png"


def test_age_writes_and_reports(photo: Path, small_model: Path) -> None:
    out = photo.parent / "old.png"
    result = run(
        "age", photo, "-o", out, "--all", 0.9, "--sign", "crows_feet.left=0.2", "--model", small_model, "--json"
    )
    assert result.exit_code == 0, result.output
    (entry,) = json.loads(result.stdout)["photos"]
    (face,) = entry["faces"]
    assert face["targets"]["crows_feet.left"] == 0.2 and face["targets"]["crows_feet.right"] == 0.9
    assert set(face["seconds"]) == {"detect", "align", "estimate", "generate", "paste"}
    assert np.asarray(Image.open(out)).shape == (512, 512, 3)


def test_one_bad_photo_does_not_stop_the_others(photo: Path, small_model: Path) -> None:
    empty = photo.parent / "empty.jpg"
    empty.touch()
    result = run("age", empty, photo, "-o", photo.parent / "out", "--all", 0.1, "--model", small_model)
    assert result.exit_code == 1 and "empty.jpg" in result.stderr and "Traceback" not in result.stderr
    assert (photo.parent / "out" / "astronaut.png").is_file()


def test_nothing_is_overwritten_unasked(photo: Path, small_model: Path) -> None:
    before = photo.read_bytes()
    result = run("age", photo, "-o", photo, "--all", 0.9, "--model", small_model)
    assert result.exit_code == 1 and "astronaut.png" in result.stderr and photo.read_bytes() == before


@pytest.mark.parametrize(
    "wrong",
    [
        ["--sign", "freckles=1"],
        ["--sign", "crows_feet"],
        ["--all", "1.5"],
        ["--age", "7"],
        ["--face", "first", "--all", "1"],
        ["--precision", "fp8", "--all", "1"],
        [],
    ],
)
def test_bad_usage_exits_with_two(photo: Path, small_model: Path, wrong: list[str]) -> None:
    result = run("age", photo, "-o", photo.parent / "x.png", "--model", small_model, *wrong)
    assert result.exit_code == 2 and not (photo.parent / "x.png").exists()


def test_analyze_prints_scores_and_draws_zones(photo: Path, small_model: Path) -> None:
    overlay = photo.parent / "zones.png"
    result = run("analyze", photo, "--overlay", overlay, "--model", small_model)
    assert result.exit_code == 0 and "crows_feet.left" in result.output
    assert np.abs(np.asarray(Image.open(overlay)).astype(int) - np.asarray(Image.open(photo))).max() > 50
    report = json.loads(run("analyze", photo, "--json", "--model", small_model).stdout)
    assert len(report["faces"]) == 1 and len(report["faces"][0]["scores"]) == 14


def test_an_error_is_one_line(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("sys.argv", ["amgan", "train", "absent.yaml"])
    with pytest.raises(SystemExit) as stop:
        main()
    error = capsys.readouterr().err
    assert stop.value.code == 1 and error.count("\n") == 1 and "absent.yaml" in error
