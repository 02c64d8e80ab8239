from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from amgan.app.session import Session
from amgan.app.studio import Studio
from amgan.faces.photo import Photo, photo_from_image
from amgan.inference.ager import Ager
from amgan.inference.views import FaceView

CHROMIUM = shutil.which("chromium")
QUIET = ("background-networking", "component-update", "sync", "gpu")
PATIENCE = 120_000  # milliseconds, for a busy machine


@pytest.fixture(scope="session")
def ager(small_model: Path) -> Iterator[Ager]:
    with Ager(small_model) as opened:
        yield opened


@pytest.fixture(scope="session")
def analyzed(ager: Ager, astronaut: np.ndarray) -> tuple[Photo, list[FaceView]]:
    photo = photo_from_image(Image.fromarray(astronaut), "astronaut.png")
    return photo, ager.analyze(photo)


@pytest.fixture
def studio(ager: Ager, tmp_path: Path) -> Studio:
    return Studio(ager, tmp_path / "sessions", ["--model", "my model"])


@pytest.fixture
def session(studio: Studio, analyzed: tuple[Photo, list[FaceView]]) -> Session:
    """A visitor's session with the astronaut's photo in it, which was analysed for all tests once."""
    opened = studio.session("visitor")
    opened.photo, opened.views = analyzed[0], list(analyzed[1])
    opened.choose(0)
    return opened


@dataclass
class Served:
    """A page that is served; `folder` is where its temporary files are, `home` the user's, which has none."""

    process: subprocess.Popen[str]
    url: str
    folder: Path
    home: Path
    hosts: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def served(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    pytest.importorskip("gradio")
    folder = tmp_path_factory.mktemp("temporary")
    command = [sys.executable, "-u", "-m", "amgan", "ui", "--no-browser", "--port", "0", "--model", str(small_model)]
    home = tmp_path_factory.mktemp("home")
    # Where a library would write to that asks nobody.
    homes = {"HOME": home, **{f"XDG_{kind}_HOME": home / kind.lower() for kind in ("CACHE", "CONFIG", "DATA", "STATE")}}
    environment = os.environ | {name: str(path) for name, path in homes.items()} | {"TMPDIR": str(folder)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("amgan ui: http://127.0.0.1:"), line
        yield Served(process, line.split()[2], folder, home)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    if CHROMIUM is None:
        pytest.skip("no chromium on the PATH: apt-get install chromium")
    with playwright.sync_playwright() as started:
        flags = ["--no-sandbox", *(f"--disable-{part}" for part in QUIET)]
        browser = started.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def page(served: Served, chromium: Any) -> Iterator[Any]:
    opened = chromium.new_page(viewport={"width": 1280, "height": 900})
    opened.set_default_timeout(PATIENCE)
    opened.on("request", lambda request: served.hosts.add(request.url.split("/")[2]))
    opened.goto(served.url)
    opened.get_by_text("Drop a photo of an adult").wait_for()
    yield opened
    opened.close()
