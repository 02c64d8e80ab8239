"""Models by their id on the hub, out of a cache that is made here: nothing is downloaded."""

from __future__ import annotations

import shutil
import socket
import sys
from pathlib import Path
from typing import Any

import pytest

from amgan.errors import ConfigError, MissingExtraError, WeightsError
from amgan.models.bundle import load_bundle_schema
from amgan.models.hub import find_in_hub, find_model

hub = pytest.importorskip("huggingface_hub")
COMMIT, OLDER = "a" * 40, "b" * 40


@pytest.fixture
def cache(small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache as the hub's package keeps it: two commits of one repository, and no way out of this computer."""

    def refuse(*arguments: object) -> None:
        raise AssertionError("something was to be downloaded")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    repository = tmp_path / "models--clinic--skin"
    for name, commit in (("main", COMMIT), ("v1", OLDER)):
        (repository / "refs").mkdir(parents=True, exist_ok=True)
        (repository / "refs" / name).write_text(commit)
        shutil.copytree(small_model, repository / "snapshots" / commit)
    return tmp_path


def test_a_repository_that_was_downloaded(cache: Path) -> None:
    folder = find_model("clinic/skin", cache=cache)
    assert folder.name == COMMIT and load_bundle_schema(folder).notice == "for tests"
    for revision in ("v1", OLDER):
        assert find_model("clinic/skin", revision=revision, cache=cache).name == OLDER


def test_a_repository_of_one_onnx_file(cache: Path) -> None:
    snapshot = cache / "models--clinic--skin" / "snapshots" / COMMIT
    for path in snapshot.iterdir():
        path.unlink()
    with pytest.raises(WeightsError, match=r"no model\.json, and 0 \.onnx"):
        find_model("clinic/skin", cache=cache)
    (snapshot / "skin.onnx").write_bytes(b"")
    assert find_model("clinic/skin", cache=cache) == snapshot / "skin.onnx"


def test_a_name_as_on_the_command_line(cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("clinic/skin").mkdir(parents=True)  # a folder of that name is not meant
    assert find_model("hub:clinic/skin", cache=cache).name == COMMIT
    assert find_model("hub:clinic/skin@v1", cache=cache).name == OLDER
    with pytest.raises(ConfigError, match="names a revision, and another is given"):
        find_model("hub:clinic/skin@v1", revision="v2", cache=cache)


def test_what_is_not_there_is_not_downloaded_unasked(cache: Path) -> None:
    with pytest.raises(WeightsError, match=r"clinic/hair: no such folder.*download=True"):
        find_model("clinic/hair", cache=cache)
    with pytest.raises(WeightsError, match="clinic/skin at v2: "):
        find_model("clinic/skin", revision="v2", cache=cache)


def test_download_asks_the_hub(small_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def download(repo_id: str, **options: Any) -> str:
        asked.append({"repo_id": repo_id, **options})
        if repo_id == "no/one":
            raise hub.errors.LocalEntryNotFoundError("offline")
        if repo_id == "private/one":
            raise OSError("401\nno permission")
        return str(small_model)

    monkeypatch.setattr(hub, "snapshot_download", download)
    assert find_model("clinic/skin", revision="v1", download=True) == small_model
    (given,) = asked
    assert given.pop("allow_patterns") == [
        "generator.safetensors",
        "estimators.safetensors",
        "trends.npy",
        "model.json",
    ]
    assert given == {"repo_id": "clinic/skin", "revision": "v1", "cache_dir": None, "local_files_only": False}
    with pytest.raises(WeightsError, match="cannot be reached"):
        find_model("no/one", download=True)
    with pytest.raises(WeightsError, match="private/one: the hub says: 401 no permission"):
        find_model("private/one", download=True)


def test_paths(small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "huggingface_hub", None)
    assert find_model(small_model) == find_model(str(small_model)) == small_model
    monkeypatch.chdir(small_model.parent.parent)
    near = f"{small_model.parent.name}/{small_model.name}"
    assert find_model(near) == Path(near)  # what is there is a path, though it reads like an id
    for absent in (tmp_path / "x", str(tmp_path / "x"), "./x", "x"):
        with pytest.raises(WeightsError, match="no such folder or file"):
            find_model(absent)
    for absent in (near + "/", "../x", "x", ""):
        with pytest.raises(WeightsError, match="is no id on the hub"):
            find_in_hub(absent)
    with pytest.raises(ConfigError, match="revision"):
        find_model(small_model, revision="v1")
    with pytest.raises(MissingExtraError, match=r"amgan\[hub\]"):
        find_model("clinic/skin")
