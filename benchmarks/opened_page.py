"""`amgan ui`, started and opened in a browser without a window; for the other benchmarks."""

from __future__ import annotations

import contextlib
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from playwright.sync_api import sync_playwright

PATIENCE = 600_000  # milliseconds


@contextlib.contextmanager
def opened_page(python: Path, *options: str) -> Iterator[Any]:
    """The page, as `python`'s `amgan` serves it with some options; a Playwright page, closed afterwards."""
    with opened_browser(python, *options) as (browser, url):
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        page.set_default_timeout(PATIENCE)
        page.goto(url)
        page.get_by_text("Drop a photo of an adult").wait_for()
        yield page


@contextlib.contextmanager
def opened_browser(python: Path, *options: str) -> Iterator[tuple[Any, str]]:
    """A Playwright browser, and the address at which `python`'s `amgan` serves the page; both end afterwards."""
    with contextlib.ExitStack() as stack:
        command = [str(python), "-u", "-m", "amgan", "ui", "--no-browser", "--port", "0", *options]
        process = stack.enter_context(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        stack.callback(process.send_signal, signal.SIGTERM)
        assert process.stdout is not None
        url = process.stdout.readline().split()[2]
        playwright = stack.enter_context(sync_playwright())
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        stack.callback(browser.close)
        yield browser, url
