"""The model that `--model` names; nothing is downloaded."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from amgan.cli import app
from amgan.cli.loading import find_named
from amgan.errors import MissingExtraError, WeightsError

hub = pytest.importorskip("huggingface_hub")


@pytest.fixture
def asked(small_model: Path, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, Any]]:
    """What the hub was asked for: repositories and revisions. It always has the small model."""
    found: list[tuple[str, Any]] = []

    def download(repo_id: str, *, revision: str | None, local_files_only: bool, **_: Any) -> str:
        assert not local_files_only
        found.append((repo_id, revision))
        return str(small_model)

    def refuse(*_: object) -> None:
        raise AssertionError("something was to be downloaded")

    monkeypatch.setattr(hub, "snapshot_download", download)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    return found


def test_the_hub_is_asked_where_it_is_named(asked: list[tuple[str, Any]], small_model: Path) -> None:
    assert find_named("hub:clinic/skin") == find_named("hub:clinic/skin@v1") == small_model
    assert asked == [("clinic/skin", None), ("clinic/skin", "v1")]
    with pytest.raises(WeightsError, match="'skin': is no id on the hub"):
        find_named("hub:skin")


def test_a_path_is_not_looked_for_on_the_hub(asked: list[tuple[str, Any]], tmp_path: Path) -> None:
    assert find_named(None) is None and find_named("runs/modle") == Path("runs/modle") and not asked
    result = CliRunner().invoke(app, ["age", "x.png", "-o", "y.png", "--all", "1", "--model", "runs/modle"])
    assert isinstance(result.exception, WeightsError) and "runs/modle" in str(result.exception) and not asked


@pytest.mark.parametrize(
    "command", ["age", "analyze", "batch", "sweep", "video", "figure", "ui", "evaluate", "panel", "export"]
)
def test_every_command_takes_a_model_of_the_hub(
    asked: list[tuple[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    # Each ends where the model is opened, by what is wrong with it.
    monkeypatch.setattr(hub, "snapshot_download", lambda repo_id, **_: asked.append((repo_id, None)) or str(tmp_path))
    photo = tmp_path / "photo.png"
    Image.new("RGB", (64, 64)).save(photo)
    arguments = {
        "age": [photo, "-o", tmp_path / "x.png", "--all", 1],
        "analyze": [photo],
        "batch": [tmp_path, "-o", tmp_path.with_name("out"), "--all", 1],
        "sweep": [photo, "-o", tmp_path / "x.png", "--along", "age"],
        "video": [photo, "-o", tmp_path / "x.mp4", "--all", 1],
        "figure": [6, photo, "-o", tmp_path / "x.png"],
        "ui": ["--no-browser", "--port", 0],
        "panel": ["make", tmp_path / "panel", "--key", tmp_path / "key", "--data", tmp_path],
        "evaluate": ["hub:clinic/skin", tmp_path, "-o", tmp_path / "out"],
        "export": ["hub:clinic/skin", "-o", tmp_path / "x.onnx"],
    }[command]
    named = [] if "hub:clinic/skin" in arguments else ["--model", "hub:clinic/skin"]
    result = CliRunner().invoke(app, [command, *map(str, arguments), *named])
    assert isinstance(result.exception, WeightsError) and "no model.json" in str(result.exception)
    assert {name for name, _ in asked} == {"clinic/skin"}


def test_without_the_package_its_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    with pytest.raises(MissingExtraError, match=r"clinic/skin: .*pip install 'amgan\[hub\]'"):
        find_named("hub:clinic/skin")
