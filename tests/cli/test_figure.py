import sys
from pathlib import Path

import pytest
import typer
from PIL import Image
from typer.testing import CliRunner

from amgan.cli import app, main
from amgan.evaluation.figures.subjects import FigureOptions


def test_a_figure_of_a_folder(photo: Path, small_model: Path) -> None:
    out = photo.parent / "figures" / "6.pdf"
    arguments = ["figure", "6", str(photo.parent), "-o", str(out), "--panel", "96", "--model", str(small_model)]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert "1 photos" in result.stdout and "Caption: Rejuvenation" in result.stdout
    assert out.read_bytes().startswith(b"%PDF")


def test_the_help_says_the_defaults() -> None:
    options = FigureOptions()
    told = {parameter.name: parameter.help for parameter in typer.main.get_command(app).commands["figure"].params}
    assert told["low"].endswith(f"else {options.low:g}.") and told["high"].endswith(f"else {options.high:g}.")


def test_models_are_compared_in_their_order(photo: Path, small_model: Path) -> None:
    out = photo.parent / "11.png"
    models = [f"--model=without={small_model}", f"--model=with={small_model}"]
    result = CliRunner().invoke(app, ["figure", "11", str(photo), "-o", str(out), "--panel", "96", *models])
    assert result.exit_code == 0, result.output
    with Image.open(out) as image:
        assert image.width > 3 * 96


def test_without_matplotlib_the_extra_is_named(photo: Path, small_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    arguments = ["figure", "6", str(photo), "-o", str(photo.parent / "x.png"), "--model", str(small_model)]
    result = CliRunner().invoke(app, arguments)
    assert "amgan[figures]" in str(result.exception) and not (photo.parent / "x.png").exists()


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (["3", "-o", "x.png"], 2, "the figures are"),
        (["10", "-o", "x.png"], 2, "paper-128"),
        (["11", "-o", "x.png", "--model", "a=MODEL"], 2, "no-location-maps-128"),
        (["12", "-o", "x.png", "--model", "MODEL"], 2, "LABEL=DIR"),
        (["12", "-o", "x.png", "--model", "a=MODEL", "--model", "a=MODEL"], 2, "'a'"),
        (["6", "-o", "x.png", "--model", "MODEL", "--model", "MODEL"], 2, "one model"),
        (["6", "-o", "x.png", "--steps", "3"], 2, "--steps"),
        (["2", "-o", "x.png", "--sign", "freckles", "--model", "MODEL"], 2, "freckles"),
        (["6", "-o", "x.png", "--model", "absent"], 1, "absent"),
        (["6", "-o", "x.svg", "--model", "MODEL"], 2, "x.svg"),
        (["6", "-o", "astronaut.png", "--model", "MODEL"], 1, "astronaut.png"),
        (["6", "-o", "x.png", "--model", "MODEL", "--face", "2"], 1, "no 2"),
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
    number, *rest = (text.replace("MODEL", str(small_model)) for text in arguments)
    monkeypatch.setattr("sys.argv", ["amgan", "figure", number, "astronaut.png", *rest])
    with pytest.raises(SystemExit) as stop:
        main()
    error = capsys.readouterr().err.replace("for tests\n", "")
    assert stop.value.code == code and error.count("\n") == 1 and named in error
    assert [path.name for path in Path().iterdir()] == ["astronaut.png"]
