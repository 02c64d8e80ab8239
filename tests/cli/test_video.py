from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from amgan.cli import app, main

av = pytest.importorskip("av")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["video", *(str(a) for a in arguments)])


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    path = tmp_path_factory.mktemp("video") / "in.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width = stream.height = 320
        for _ in range(3):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(astronaut[:320, 96:416]), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_a_video_and_its_summary(video: Path, small_model: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.mkv"
    result = run(video, "-o", out, "--all", "0.9", "--model", small_model, "--json")
    assert result.exit_code == 0 and "for tests" in result.stderr
    report = json.loads(result.stdout)
    assert (report["frames"], report["aged"], report["output"]) == (3, 3, str(out))
    assert report["targets"]["forehead_wrinkles"] == 0.9
    result = run(video, "-o", out, "--all", "0.9", "--model", small_model, "--overwrite")
    assert "3 of 3 frames aged" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["-o", "x.mp4"], "nothing to change"),
        (["-o", "x.mp4", "--sign", "freckles=1"], "freckles"),
        (["-o", "x.mp4", "--all", "0.9", "--quality", "52"], "--quality"),
        (["-o", "x.avi", "--all", "0.9"], "x.avi"),
        (["-o", "in.mp4", "--all", "0.9"], "already exists"),
        (["-o", "x.mp4", "--all", "0.9", "--population", "white"], "--population"),
        (["-o", "x.mp4", "--all", "0.9", "--face", "3"], "no frame has a face 3"),
    ],
)
def test_a_bad_call_is_one_line_and_writes_nothing(
    video: Path,
    small_model: Path,
    arguments: list[str],
    named: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(video.parent)
    monkeypatch.setattr("sys.argv", ["amgan", "video", video.name, *arguments, "--model", str(small_model)])
    with pytest.raises(SystemExit) as stopped:
        main()
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("amgan: ")]
    assert stopped.value.code in (1, 2) and len(told) == 1 and named in told[0]
    assert [path.name for path in video.parent.iterdir()] == ["in.mp4"]
