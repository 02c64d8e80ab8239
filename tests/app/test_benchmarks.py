"""The benchmarks of the page, and what takes the pictures of docs/ui.md, as the manual has them given."""

from __future__ import annotations

import itertools
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from manual.elsewhere import commands_for
from manual.pages import words
from manual.repository import ROOT
from manual.small import program_in_the_small

pytestmark = pytest.mark.slow
# What is taken, on a screen of this size.
PICTURES = {"ui": (1280, 900), "ui-phone": (390, 844)}


@pytest.mark.parametrize("line", commands_for(__file__))
def test_the_manual_s_command_does_what_it_says(line: str, small_model: Path, tmp_path: Path) -> None:
    pytest.importorskip("gradio")
    pytest.importorskip("playwright.sync_api")
    if shutil.which("chromium") is None:
        pytest.skip("no chromium on the PATH: apt-get install chromium")
    if words(line)[-1] == "benchmarks/walk.py":
        skip_unless_all_can_be_had()
    (tmp_path / "docs/images").mkdir(parents=True)
    (tmp_path / "benchmarks").symlink_to(ROOT / "benchmarks")
    command = [sys.executable, *program_in_the_small(words(line), {"model": str(small_model)})[1:]]
    # Chromium makes a socket there, whose path may have a hundred letters.
    with tempfile.TemporaryDirectory() as short:
        environment = os.environ | {"TMPDIR": short}
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    if "docs/images" in command:
        check_pictures(tmp_path / "docs/images")


def skip_unless_all_can_be_had() -> None:
    """A whole walk clones the repository, and installs all of it anew."""
    git = shutil.which("git")
    if git is None or subprocess.run([git, "rev-parse", "HEAD"], cwd=ROOT, capture_output=True, check=False).returncode:
        pytest.skip("what is tested here is no clone that git can clone")
    asked = [sys.executable, "-m", "pip", "index", "versions", "pip", "--timeout", "5", "--retries", "0"]
    if subprocess.run(asked, capture_output=True, check=False).returncode:
        pytest.skip("no index of packages can be reached")


def check_pictures(folder: Path) -> None:
    for name, (width, height) in PICTURES.items():
        names = [f"{name}.png", f"{name}-sweep.png", f"{name}-paint.png"]
        taken = [np.asarray(Image.open(folder / file).convert("RGB"), np.int16) for file in names]
        assert all(shot.shape == (height, width, 3) for shot in taken)
        # Each shows something else, and the docs have a picture of each name.
        assert all(np.abs(a - b).mean() > 1 for a, b in itertools.pairwise(taken))
        assert all((ROOT / "docs/images" / file).is_file() for file in names)
