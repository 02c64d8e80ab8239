"""A photo is aged by the shipped model where nothing but what pip installs without extras can be imported."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image

ONLY = """
import json, sys

class Absent:
    names = set(json.loads(sys.argv.pop(1)))

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in self.names:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
from amgan.cli import main
main()
"""


def installed_with(name: str) -> set[str]:
    """The distributions that pip installs with one of them, extras left out."""
    found: set[str] = set()
    wanted = [name]
    while wanted:
        this = canonicalize_name(wanted.pop())
        if this in found:
            continue
        found.add(this)
        for text in importlib.metadata.requires(this) or []:
            requirement = Requirement(text)
            if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
                wanted.append(requirement.name)
    return found


@pytest.mark.slow
def test_what_a_plain_install_has_is_enough(tmp_path: Path, astronaut: np.ndarray) -> None:
    there = installed_with("amgan")
    absent = [
        module
        for module, distributions in importlib.metadata.packages_distributions().items()
        if not there & {canonicalize_name(distribution) for distribution in distributions}
    ]
    # Else nothing is tested.
    assert {"gradio", "h5py", "lightning_fabric"} <= set(absent)
    Image.fromarray(astronaut).save(tmp_path / "me.png")
    asked = ["age", f"{tmp_path}/me.png", "-o", f"{tmp_path}/old.png", "--all", "0.9"]
    done = subprocess.run(
        [sys.executable, "-c", ONLY, json.dumps(absent), *asked], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert not np.array_equal(Image.open(tmp_path / "old.png"), astronaut)
