"""The pictures of docs/ui.md can be taken, by the program that takes them."""

from __future__ import annotations

import importlib.util
import itertools
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import skimage.data
from PIL import Image

from .conftest import Served

PROGRAM = Path(__file__).parents[2] / "benchmarks/screenshots.py"
pytestmark = pytest.mark.slow
NAMES = ("ui.png", "ui-sweep.png", "ui-paint.png")


@pytest.fixture(scope="module")
def screenshots(chromium: Any) -> ModuleType:
    found = importlib.util.spec_from_file_location("screenshots", PROGRAM)
    assert found is not None and found.loader is not None
    module = importlib.util.module_from_spec(found)
    found.loader.exec_module(module)
    return module


def test_the_pictures_of_the_docs_are_taken(
    served: Served, chromium: Any, screenshots: ModuleType, tmp_path: Path
) -> None:
    photo = tmp_path / "astronaut.png"
    Image.fromarray(skimage.data.astronaut()).save(photo)
    page = chromium.new_page(viewport=screenshots.DESKTOP)
    page.set_default_timeout(screenshots.PATIENCE)
    page.goto(served.url)
    screenshots.take(page, photo, tmp_path, "ui")
    page.close()
    taken = [np.asarray(Image.open(tmp_path / name).convert("RGB"), np.int16) for name in NAMES]
    size = screenshots.DESKTOP
    assert all(shot.shape == (size["height"], size["width"], 3) for shot in taken)
    # Each shows something else, and the docs have a picture of each name.
    assert all(np.abs(a - b).mean() > 1 for a, b in itertools.pairwise(taken))
    assert all((PROGRAM.parents[1] / "docs/images" / name).is_file() for name in NAMES)
