import sys
from pathlib import Path

import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from amgan.cli import app, main


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["sweep", *(str(a) for a in arguments)])


def test_a_strip_and_a_clip(photo: Path, small_model: Path) -> None:
    strip = photo.parent / "strip.png"
    result = run(photo, "-o", strip, "--along", "all", "--steps", 2, "--labels", "--model", small_model)
    assert result.exit_code == 0 and "2 pictures" in result.stdout and "for tests" in result.stderr
    with Image.open(strip) as image:
        assert image.width == 2 * 180 and image.height > 180
    clip = photo.parent / "clip.gif"
    wanted = ["--from", "all=0.1", "--to", "age=70,crows_feet.left=1", "--steps", 3, "--crop", "photo"]
    result = run(photo, "-o", clip, *wanted, "--model", small_model)
    assert result.exit_code == 0 and "4 pictures of 512x512" in result.stdout
    with Image.open(clip) as image:
        assert image.size == (512, 512)


def test_without_pyav_the_extra_is_named(photo: Path, small_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    result = run(photo, "-o", photo.parent / "x.mp4", "--along", "all", "--model", small_model)
    assert "amgan[video]" in str(result.exception) and not (photo.parent / "x.mp4").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (["-o", "x.png"], 2, "nothing to sweep"),
        (["-o", "x.png", "--along", "freckles"], 2, "freckles"),
        (["-o", "x.png", "--along", "all", "--to", "1.5"], 2, "out of range"),
        (["-o", "x.png", "--along", "age", "--from", "young"], 2, "young"),
        (["-o", "x.png", "--to", "all"], 2, "NAME=VALUE"),
        (["-o", "x.png", "--along", "all", "--fps", "10"], 2, "--fps"),
        (["-o", "x.gif", "--along", "all", "--labels"], 2, "--labels"),
        (["-o", "x.png", "--along", "all", "--population", "white"], 2, "--population"),
        (["-o", "x.png", "--along", "all", "--steps", "1"], 2, "--steps"),
        (["-o", "x.avi", "--along", "all"], 2, "x.avi"),
        (["-o", "astronaut.png", "--along", "all"], 1, "already exists"),
        (["-o", "x.png", "--along", "all", "--face", "3"], 1, "no 3"),
    ],
)
def test_a_bad_call_is_one_line_and_writes_nothing(
    photo: Path,
    small_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    named: str,
) -> None:
    monkeypatch.chdir(photo.parent)
    monkeypatch.setattr("sys.argv", ["amgan", "sweep", "astronaut.png", *arguments, "--model", str(small_model)])
    with pytest.raises(SystemExit) as stop:
        main()
    error = capsys.readouterr().err.replace("for tests\n", "")
    assert stop.value.code == code and error.count("\n") == 1 and named in error
    assert [path.name for path in Path().iterdir()] == ["astronaut.png"]
