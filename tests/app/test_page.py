"""The page as a person uses it, in a real browser that has no window."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from amgan.cli import app

pytest.importorskip("gradio")
playwright = pytest.importorskip("playwright.sync_api")
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the PATH: apt-get install chromium"),
]
QUIET = ("background-networking", "component-update", "sync", "gpu")
PATIENCE = 120_000  # milliseconds, for a busy machine


@dataclass
class Served:
    """A page that is served; `folder` is where its temporary files are."""

    process: subprocess.Popen[str]
    url: str
    folder: Path
    hosts: set[str] = field(default_factory=set)


@pytest.fixture(scope="module")
def served(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("temporary")
    command = [sys.executable, "-u", "-m", "amgan", "ui", "--no-browser", "--port", "0", "--model", str(small_model)]
    environment = os.environ | {"TMPDIR": str(folder)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("amgan ui: http://127.0.0.1:"), line
        yield Served(process, line.split()[2], folder)
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
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


def slider(page: Any, label: str) -> Any:
    return page.get_by_role("slider", name=f"range slider for {label}")


def download(page: Any, link: str, folder: Path) -> Path:
    with page.expect_download() as started:
        page.get_by_role("link", name=link).click()
    path: Path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def wait_until(true: Callable[[], bool], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.2)


def test_a_sign_is_moved_and_the_recipe_makes_the_same_picture(
    page: Any, served: Served, small_model: Path, tmp_path: Path, astronaut: np.ndarray
) -> None:
    photo = tmp_path / "me.png"
    Image.fromarray(astronaut).save(photo)
    page.set_input_files("input[type=file]", photo)
    page.get_by_text("1 face found").wait_for()
    feet = slider(page, "Crow's feet, left")
    after = round(float(feet.input_value()) + 0.05, 2)
    feet.focus()
    for _ in range(5):
        page.keyboard.press("ArrowRight")
    page.get_by_text("Done: every pixel").wait_for()
    # Left and right move together.
    assert float(slider(page, "Crow's feet, right").input_value()) == float(feet.input_value()) == after

    recipe = download(page, "Download recipe", tmp_path)
    picture = download(page, "Download picture", tmp_path)
    assert (recipe.name, picture.name) == ("me-recipe.json", "me-aged.png")
    signs = json.loads(recipe.read_text())["signs"]
    assert signs == {"crows_feet.left": after, "crows_feet.right": after}
    again = tmp_path / "again.png"
    result = CliRunner().invoke(
        app, ["age", str(photo), "-o", str(again), "--recipe", str(recipe), "--model", str(small_model)]
    )
    assert result.exit_code == 0, result.output
    assert again.read_bytes() == picture.read_bytes()
    assert not np.array_equal(Image.open(again), astronaut)
    assert served.hosts == {served.url.split("/")[2]}


def test_another_face_is_chosen_and_one_side_of_it_moved(page: Any, tmp_path: Path, astronaut: np.ndarray) -> None:
    face = astronaut[:280, 90:370]
    Image.fromarray(np.hstack([face, face[:, ::-1]])).save(tmp_path / "two.png")
    page.set_input_files("input[type=file]", tmp_path / "two.png")
    page.get_by_text("2 faces found; this is face 1").wait_for()
    page.locator("#faces").get_by_text("Face 2").click()
    page.get_by_text("this is face 2").wait_for()
    page.get_by_role("checkbox", name="Move left and right together").uncheck()
    right = slider(page, "Nasolabial fold, right").input_value()
    number = page.get_by_role("spinbutton", name="number input for Nasolabial fold, left")
    number.fill("0.77")
    number.press("Enter")
    page.get_by_text("Done: every pixel").wait_for()
    assert slider(page, "Nasolabial fold, right").input_value() == right
    recipe = json.loads(download(page, "Download recipe", tmp_path).read_text())
    assert (recipe["face"], recipe["signs"]) == (1, {"nasolabial_fold.left": 0.77})
    page.get_by_role("button", name="As it is").click()
    page.get_by_text("Nothing is changed").wait_for()
    assert page.get_by_role("link", name="Download picture").count() == 0


def test_a_photo_without_a_face_is_said(page: Any, tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), "white").save(tmp_path / "blank.png")
    page.set_input_files("input[type=file]", tmp_path / "blank.png")
    page.get_by_text("blank.png: no face found").wait_for()
    assert page.get_by_role("button", name="Older").is_disabled()


def test_a_narrow_page_is_not_wider_than_its_screen(page: Any, tmp_path: Path, astronaut: np.ndarray) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    Image.fromarray(astronaut).save(tmp_path / "me.png")
    page.set_input_files("input[type=file]", tmp_path / "me.png")
    page.get_by_text("1 face found").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    slider(page, "Ptosis of the lower part of the face").scroll_into_view_if_needed()
    # The face stays in sight while the last slider is moved.
    box = page.locator("#compare").bounding_box()
    assert box is not None and 0 <= box["y"] < 422


def test_other_hosts_are_refused_and_named_in_no_answer(served: Served) -> None:
    with urllib.request.urlopen(served.url) as answer:
        assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
        assert b"fonts.g" not in answer.read()
    request = urllib.request.Request(served.url, headers={"Host": "elsewhere.example"})
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request)
    assert refused.value.code == 400


def test_closed_pages_and_an_ended_program_leave_no_file(served: Served) -> None:
    """Last in this file: it ends the program, after the pages of the other tests were closed."""

    def pictures() -> list[Path]:
        return [path for path in served.folder.rglob("*") if path.suffix in {".png", ".jpg", ".json"}]

    wait_until(lambda: not pictures())
    served.process.send_signal(signal.SIGTERM)
    served.process.wait(60)
    assert not list(served.folder.glob("amgan-ui-*"))
