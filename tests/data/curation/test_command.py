import json
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from amgan.cli import app, main
from amgan.data.curation.limits import Limits


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


@pytest.fixture
def limits_file(tmp_path: Path, lenient: Limits) -> Path:
    file = tmp_path / "limits.yaml"
    file.write_text(lenient.model_dump_json())
    return file


def test_a_folder_of_photos(source: Path, limits_file: Path, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("file,age,origin\n0.png,15,a\n2.png,50,b\n")
    out = tmp_path / "out"
    options = ["--size", 256, "--images", "jpg", "--limits", limits_file, "--workers", 1]
    result = run("curate", source, out, *options, "--metadata", tmp_path / "people.csv", "--population", "origin")
    assert result.exit_code == 0, result.output
    assert "9 photos, 9 of them measured now; 5 kept" in result.stdout and "under_age" in result.stdout
    assert "labels for 2 of them" in result.stdout and "people.csv: read file, age, origin\n" in result.stderr
    assert (out / "faces.parquet").is_file() and (out / "report.html").is_file()
    assert len(list((out / "aligned").glob("*.jpg"))) == 5


def test_copies_and_labels_without_a_photo_are_said(source: Path, limits_file: Path, tmp_path: Path) -> None:
    for name in ("copy.png", "another.png"):
        (source / name).write_bytes((source / "0.png").read_bytes())
    (tmp_path / "people.csv").write_text("file,split\n0.png,test\ncopy.png,train\ngone.png,val\n")
    options = ["--size", 256, "--limits", limits_file, "--workers", 1, "--metadata", tmp_path / "people.csv"]
    result = run("curate", source, tmp_path / "out", *options)
    assert result.exit_code == 0, result.output
    assert "labels for 2 of them\n  no photo for 1 labels, such as gone.png\n" in result.stdout
    assert "2 copies of others" in result.stdout
    assert "warning: 0.png and copy.png are the same photo" in result.stderr
    found = {row["path"]: row for row in pq.read_table(tmp_path / "out" / "faces.parquet").to_pylist()}
    assert [found[name]["identity"] for name in ("0.png", "another.png", "copy.png")] == ["0.png"] * 3
    assert [found[name]["split"] for name in ("0.png", "another.png", "copy.png")] == ["test", "test", "train"]


@pytest.mark.parametrize(
    ("arguments", "code", "named"),
    [
        (["absent", "out"], 1, "absent"),
        ([".", "out"], 1, "DST"),
        (["SRC", "out", "--size", "200"], 2, "--size"),
        (["SRC", "out", "--images", "gif"], 2, "--images"),
        (["SRC", "out", "--workers", "0"], 2, "--workers"),
        (["SRC", "out", "--population", "origin"], 2, "--population"),
        (["SRC", "out", "--limits", "absent.yaml"], 2, "absent.yaml"),
        (["SRC", "out", "--metadata", "absent.csv"], 1, "absent.csv"),
        (["SRC", "out", "--atlas", "absent"], 2, "absent"),
        (["SRC", "out", "--ffhq-json", "absent.json"], 1, "absent.json"),
        (["SRC"], 2, "DST"),
    ],
)
def test_an_error_is_one_line(
    source: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    code: int,
    named: str,
) -> None:
    monkeypatch.chdir(source.parent)
    monkeypatch.setattr("sys.argv", ["amgan", "curate", *(a if a != "SRC" else source.name for a in arguments)])
    with pytest.raises(SystemExit) as stop:
        main()
    error = capsys.readouterr().err
    assert stop.value.code == code and error.count("\n") == 1 and named in error
    assert not (source.parent / "out").exists()


def test_ffhq_with_ages(source: Path, limits_file: Path, tmp_path: Path) -> None:
    for index in range(6):
        (source / ("more" if index % 2 else "") / f"{index}.png").rename(source / f"{index:05}.png")
    about = {
        "author": "A",
        "license": "Attribution License",
        "license_url": "https://creativecommons.org/licenses/by/2.0/",
    }
    content = {str(index): {"category": "training", "metadata": about} for index in range(4)}
    (tmp_path / "ffhq.json").write_text(json.dumps(content))
    (tmp_path / "ages.csv").write_text("file,age,note\n00000.png,40,x\n00001.png,15,y\n")
    options = ["--size", 256, "--limits", limits_file, "--workers", 1, "--ffhq-json", tmp_path / "ffhq.json"]
    result = run("curate", source, tmp_path / "out", *options, "--metadata", tmp_path / "ages.csv")
    assert result.exit_code == 0, result.output
    assert "labels for 4 of them" in result.stdout and "not read: note" in result.stderr
    found = {row["path"]: row for row in pq.read_table(tmp_path / "out" / "faces.parquet").to_pylist()}
    assert (found["00000.png"]["age"], found["00000.png"]["licence"]) == (40, "CC BY 2.0")
    assert found["00001.png"]["reason"] == "under_age" and found["00002.png"]["author"] == "A"
    assert found["00003.png"]["identity"] == "ffhq-00003" and found["00005.png"]["licence"] is None


def test_help_teaches_and_needs_no_heavy_package() -> None:
    code = (
        "import sys; from amgan.cli import app; app(['curate', '--help'], standalone_mode=False); "
        "print(sorted({'numpy', 'cv2', 'pyarrow', 'mediapipe', 'torch'} & set(sys.modules)))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "Examples" in result.stdout and "--limits" in result.stdout and result.stdout.strip().endswith("[]")
