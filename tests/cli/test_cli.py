import io
import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from amgan.cli import app, main
from amgan.errors import WeightsError
from amgan.inference.recipe_file import RecipeFile
from amgan.inference.request import Request
from amgan.signs.atlas import load_atlas


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def called(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """Exit code of the entry point, and what it wrote to stderr."""
    monkeypatch.setattr("sys.argv", ["amgan", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    assert isinstance(stop.value.code, int)
    return stop.value.code, capsys.readouterr().err


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


def test_age_to_a_percentile(photo: Path, small_model: Path) -> None:
    wanted = ["--all", 0.5, "--sign", "crows_feet=80%", "--population", "asian"]
    result = run("age", photo, "-o", photo.parent / "old.png", *wanted, "--model", small_model, "--json")
    assert result.exit_code == 0, result.output
    (face,) = json.loads(result.stdout)["photos"][0]["faces"]
    score = load_atlas("asian").signs["crows_feet"].percentile(80)
    assert face["targets"]["crows_feet.left"] == face["targets"]["crows_feet.right"] == round(score, 4)
    assert face["targets"]["forehead_wrinkles"] == 0.5


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
        ["--all", "80%"],
        ["--all", "80%", "--population", "martian"],
        ["--all", "80%", "--population", "unit"],
        ["--all", "101%", "--population", "white"],
        ["--all", "half"],
        ["--all", "0.8", "--population", "white"],
        ["--face", "first", "--all", "1"],
        ["--precision", "fp8", "--all", "1"],
        [],
    ],
)
def test_bad_usage_exits_with_two(
    photo: Path,
    small_model: Path,
    wrong: list[str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = ["age", str(photo), "-o", str(photo.parent / "x.png"), "--model", str(small_model), *wrong]
    code, told = called(monkeypatch, capsys, *given)
    assert code == 2 and told.splitlines()[-1].startswith("amgan: ") and not (photo.parent / "x.png").exists()


@pytest.mark.parametrize(
    "command",
    [
        ["evaluate", "default", ".", "-o", "LONG"],
        ["evaluate", "LONG", ".", "-o", "out"],
        ["panel", "make", "LONG", "--data", ".", "--key", "key"],
        ["panel", "score", "LONG", "."],
        ["reproduce", "table1", "LONG", "--data", "."],
        ["train", "LONG"],
        ["curate", "LONG", "out"],
        ["export", "LONG", "-o", "x.onnx"],
        ["age", "me.jpg", "-o", "out.png", "--all", "1", "--model", "LONG"],
    ],
)
def test_a_path_that_the_file_system_refuses_is_one_line(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    code, told = called(monkeypatch, capsys, *(part.replace("LONG", "x" * 300) for part in command))
    assert code in (1, 2) and told.startswith("amgan: ") and told.count("\n") == 1 and not list(tmp_path.iterdir())


def test_analyze_prints_scores_and_draws_zones(photo: Path, small_model: Path) -> None:
    overlay = photo.parent / "zones.png"
    result = run("analyze", photo, "--overlay", overlay, "--model", small_model)
    assert result.exit_code == 0 and "crows_feet.left" in result.output
    assert np.abs(np.asarray(Image.open(overlay)).astype(int) - np.asarray(Image.open(photo))).max() > 50
    drawn = overlay.read_bytes()
    overlay.write_text("mine")
    result = run("analyze", photo, "--overlay", overlay, "--model", small_model)
    assert result.exit_code == 1 and "--overwrite" in str(result.exception) and overlay.read_text() == "mine"
    result = run("analyze", photo, "--overlay", overlay, "--overwrite", "--model", small_model)
    assert result.exit_code == 0 and overlay.read_bytes() == drawn
    report = json.loads(run("analyze", photo, "--json", "--model", small_model).stdout)
    assert len(report["faces"]) == 1 and len(report["faces"][0]["scores"]) == 14


def test_analyze_prints_percentiles(photo: Path, small_model: Path) -> None:
    arguments = ["analyze", photo, "--population", "white", "--model", small_model]
    printed = run(*arguments).stdout
    assert re.search(r"crows_feet\.left +0\.\d\d ±\d\.\d\d +\d+%", printed)
    assert load_atlas("white").description in printed
    (face,) = json.loads(run(*arguments, "--json").stdout)["faces"]
    assert set(face["percentiles"]) == set(face["scores"])
    scale = load_atlas("white").signs["crows_feet"]
    assert face["percentiles"]["crows_feet.left"] == round(scale.rank(face["scores"]["crows_feet.left"]), 1)


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (["train", "absent.yaml"], 2, "absent.yaml"),
        (["analyze", "absent.jpg"], 1, "absent.jpg"),
        (["analyze", "absent.jpg", "--population", "martian"], 2, "asian"),
        (["age", "absent.jpg", "-o", "x.png"], 2, "nothing to change"),
        (["age", "absent.jpg", "-o", "x.png", "--all", "1", "--face", "first"], 2, "--face"),
        (["age", "--all", "1"], 2, "PHOTO"),
        (["age", "absent.jpg", "-o", "x.bmp", "--all", "1"], 2, "x.bmp: cannot write .bmp; end it in .png"),
        (["age", "absent.jpg", "-o", "x.png", "--recipe", "r.json", "--seed", "1"], 2, "Invalid value for --recipe"),
        (["analyze", "absent.jpg", "--overlay", "zones"], 2, "--overlay"),
        (["export", "absent", "-o", "x.tflite"], 2, "x.tflite"),
        (["grow"], 2, "grow"),
    ],
)
def test_an_error_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], arguments: list[str], code: int, named: str
) -> None:
    found, error = called(monkeypatch, capsys, *arguments)
    assert found == code and error.count("\n") == 1 and named in error


def test_a_map_and_an_output_are_looked_at_before_the_model(
    photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    damaged, notes = photo.with_name("map.png"), photo.with_name("notes")
    damaged.write_bytes(photo.read_bytes()[:33] + b"\0\0\0\5" + photo.read_bytes()[37:])
    notes.write_text("mine")
    absent = ["--model", str(photo.with_name("absent"))]
    code, error = called(monkeypatch, capsys, "age", str(photo), "-o", "x.png", "--map", str(damaged), *absent)
    assert code == 2 and error.startswith(f"amgan: {damaged}: not a picture") and error.count("\n") == 1
    for photos, said in (([photo], "in .png, or name a folder"), ([photo, damaged], "several photos want a folder")):
        code, error = called(monkeypatch, capsys, "age", *map(str, photos), "-o", str(notes), "--all", "1", *absent)
        assert code == 2 and said in error and notes.read_text() == "mine"


@pytest.mark.parametrize("name", ["o" * 300 + ".png", "o" * 300])
def test_an_output_that_no_disk_can_hold_is_one_line(photo: Path, small_model: Path, name: str) -> None:
    result = run("age", photo, "-o", photo.parent / name, "--all", 0.9, "--model", small_model)
    assert result.exit_code == 1 and isinstance(result.exception, SystemExit)
    assert result.stderr.splitlines()[-1].startswith("amgan: ") and "too long" in result.stderr.splitlines()[-1]


@pytest.mark.skipif(sys.platform in ("darwin", "win32"), reason="has no such names")
def test_a_name_that_is_not_utf_8_is_printed(photo: Path, small_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    latin = photo.rename(photo.with_name(os.fsdecode(b"caf\xe9.png")))
    printed = io.TextIOWrapper(io.BytesIO(), "utf-8", errors="strict")
    monkeypatch.setattr("sys.stdout", printed)
    arguments = ["age", str(latin), "-o", str(photo.with_name("old.png")), "--all", "0.9", "--model", str(small_model)]
    monkeypatch.setattr("sys.argv", ["amgan", *arguments])
    with pytest.raises(SystemExit) as stop:
        main()
    printed.seek(0)
    assert stop.value.code == 0 and "caf\\udce9.png -> " in printed.read()


def test_version_and_help(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert called(monkeypatch, capsys, "--version") == (0, "")
    monkeypatch.setattr("sys.argv", ["amgan"])
    with pytest.raises(SystemExit):
        main()
    assert "analyze" in capsys.readouterr().out


def test_the_weights_licence_is_said(photo: Path, small_model: Path) -> None:
    result = run("analyze", photo, "--model", small_model)
    assert "for tests" in result.stderr and "for tests" not in result.stdout


def test_a_missing_face_model_is_named(photo: Path, small_model: Path) -> None:
    result = run("analyze", photo, "--model", small_model, "--face-model", photo.parent / "absent.task")
    assert isinstance(result.exception, WeightsError) and "absent.task" in str(result.exception)


def test_a_recipe_makes_the_same_file_as_its_options(photo: Path, small_model: Path) -> None:
    recipe = photo.parent / "r.json"
    recipe.write_text('{"age": 70, "signs": {"crows_feet.left": 0.8}, "face": 0, "seed": 5, "precision": "fp32"}')
    options = ["--age", 70, "--sign", "crows_feet.left=0.8", "--face", 0, "--seed", 5, "--precision", "fp32"]
    by_options, by_recipe = photo.parent / "options.png", photo.parent / "recipe.png"
    for out, wanted in ((by_options, options), (by_recipe, ["--recipe", recipe])):
        result = run("age", photo, "-o", out, *wanted, "--model", small_model)
        assert result.exit_code == 0, result.output
    assert by_recipe.read_bytes() == by_options.read_bytes()
    assert not np.array_equal(Image.open(by_recipe), Image.open(photo))


def test_a_recipe_with_a_painted_map_makes_the_same_file_as_the_map(photo: Path, small_model: Path) -> None:
    painted = Image.new("LA", Image.open(photo).size)
    painted.paste((230, 200), (150, 60, 260, 130))
    painted.save(photo.parent / "map.png")
    recipe = photo.parent / "r.json"
    recipe.write_text(RecipeFile.of(Request(face=0), 0, "auto", painted).model_dump_json(exclude_defaults=True))
    by_map, by_recipe = photo.parent / "map-out.png", photo.parent / "recipe-out.png"
    for out, wanted in ((by_map, ["--map", photo.parent / "map.png", "--face", 0]), (by_recipe, ["--recipe", recipe])):
        result = run("age", photo, "-o", out, *wanted, "--model", small_model)
        assert result.exit_code == 0, result.output
    assert by_recipe.read_bytes() == by_map.read_bytes()
    assert not np.array_equal(Image.open(by_recipe), Image.open(photo))
    both = ["--recipe", recipe, "--map", photo.parent / "map.png"]
    result = run("age", photo, "-o", photo.parent / "o.png", *both, "--model", small_model)
    assert result.exit_code == 2 and "map of its own" in result.output


def test_a_recipe_is_not_mixed_with_options(photo: Path, small_model: Path) -> None:
    result = run("age", photo, "-o", photo.parent / "o.png", "--recipe", "r.json", "--all", 0.9, "--model", small_model)
    assert result.exit_code == 2 and "says all itself" in result.output
