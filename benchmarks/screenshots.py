"""Takes the pictures of `docs/ui.md`: the page with the astronaut's photo, on a desktop and on a telephone.

    python benchmarks/screenshots.py docs/images

It wants the extras `ui` and `demo`, playwright and Debian's chromium. Look at every picture before you commit it.
"""

from __future__ import annotations

import argparse
import contextlib
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import skimage.data
from opened_page import opened_browser
from PIL import Image
from playwright.sync_api import ViewportSize

DESKTOP, PHONE = ViewportSize(width=1280, height=900), ViewportSize(width=390, height=844)
PATIENCE = 300_000  # milliseconds

# Strokes as shares of the canvas: across the forehead, and down one cheek.
FOREHEAD = [(0.36, 0.345), (0.45, 0.33), (0.55, 0.33), (0.63, 0.35)]
CHEEK = [(0.70, 0.56), (0.69, 0.64), (0.66, 0.72)]


def main() -> None:
    """Takes all pictures into a folder; those that are there are replaced."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--model", metavar="PATH", help="as for amgan ui; else the packaged one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        photo = Path(temporary) / "astronaut.png"
        Image.fromarray(skimage.data.astronaut()).save(photo)
        with opened_browser(Path(sys.executable), *(["--model", options.model] if options.model else [])) as opened:
            browser, address = opened
            for name, size in (("ui", DESKTOP), ("ui-phone", PHONE)):
                page = browser.new_page(viewport=size)
                page.set_default_timeout(PATIENCE)
                page.goto(address)
                take(page, photo, options.folder, name)
                page.close()


def take(page: Any, photo: Path, folder: Path, name: str) -> None:
    """Takes the pictures of one screen: the comparison, the brush, and a strip."""
    page.set_input_files("input[type=file]", photo)
    page.get_by_text("face found").wait_for()
    with finished(page):
        page.get_by_role("button", name="Older", exact=True).click()
    # Half of each, as one compares.
    page.get_by_role("slider", name="Border between").focus()
    for _ in range(4):
        page.keyboard.press("PageUp")
    save(page, folder / f"{name}.png")

    page.get_by_role("tab", name="Sweep").click()
    page.get_by_role("button", name="Make it").click()
    page.get_by_role("link", name="Download strip").wait_for()
    page.mouse.move(0, 0)
    save(page, folder / f"{name}-sweep.png")

    page.get_by_role("button", name="As it is").click()
    page.get_by_text("Nothing is changed.").wait_for()
    page.get_by_role("tab", name="Paint").click()
    for stroke in (FOREHEAD, CHEEK):
        with finished(page):
            paint(page, stroke)
    page.evaluate("scrollTo(0, 0)")
    save(page, folder / f"{name}-paint.png")


def paint(page: Any, stroke: list[tuple[float, float]]) -> None:
    """Draws one stroke with the mouse."""
    stage = page.get_by_role("application")
    stage.scroll_into_view_if_needed()
    box = stage.bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in stroke]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=8)
    page.mouse.up()


@contextlib.contextmanager
def finished(page: Any) -> Iterator[None]:
    """Waits at its end for the full picture of what was asked within it."""
    shown = ".compare img.after"
    last = page.locator(shown).get_attribute("src")
    yield
    # By its file: the last one's words are still there, and Playwright looks twice a second, so it may miss a preview.
    page.locator(f'{shown}[src*="/after-"]:not([src="{last}"])').wait_for(state="attached")
    page.get_by_text("Done: every pixel").wait_for()


def save(page: Any, path: Path) -> None:
    """Takes a picture of what is in sight, in 64 levels a colour, which nobody sees and which make a small file."""
    page.wait_for_timeout(1000)  # pictures fade in
    page.screenshot(path=path)
    with Image.open(path) as shot:
        small = shot.convert("RGB").point(lambda level: min((level + 2) // 4 * 4, 255))
    small.save(path, optimize=True)


if __name__ == "__main__":
    main()
