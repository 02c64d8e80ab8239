"""The newcomer's walk of docs/walk.md, without a window, with the time of every step.

Fresh clone, page open, one wrinkle moved on one side, clip saved; then the same by the command line and in Python, and
whether all three made the same picture. Run it with nothing else running:

    .venv/bin/python benchmarks/walk.py                # everything, from `git clone` on
    .venv/bin/python benchmarks/walk.py --installed    # from the page on, with this environment

It wants playwright and Debian's chromium, as the tests of the page do. Prints the rows of the table in docs/walk.md.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import skimage.data
from opened_page import opened_page
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
SIGN, SIDE, KEYS = "Nasolabial fold", "left", 20  # each key is a hundredth

PYTHON_STEP = """
import sys
from pathlib import Path
from amgan import Ager
from amgan.inference.recipe_file import read_recipe_file
photo, recipe, out, *model = map(Path, sys.argv[1:])
saved = read_recipe_file(recipe)
with Ager(*model, precision=saved.precision) as ager:
    result = ager.age(photo, signs=saved.request.signs, face=saved.request.face, seed=saved.seed)
result.image.save(out)
"""


def main() -> None:
    """Walks, and prints a row a step."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--installed", action="store_true", help="Leave clone and installation out.")
    parser.add_argument("--model", metavar="PATH", help="Walk with this model; else with the packaged one.")
    options = parser.parse_args()
    model = ("--model", str(Path(options.model).resolve())) if options.model else ()
    with tempfile.TemporaryDirectory(prefix="amgan-walk-") as name:
        folder = Path(name)
        photo = folder / "me.png"
        Image.fromarray(skimage.data.astronaut()).save(photo)
        python = Path(sys.executable)
        if not options.installed:
            python = _install(folder)
        _walk(python, photo, *model)


def _install(folder: Path) -> Path:
    """Clones and installs; the Python to go on with."""
    clone = folder / "clone"
    with _step("`git clone`"):
        _run("git", "clone", "-q", str(ROOT), str(clone))
    with _step("`make demo`: everything installed, a first face aged"):
        _run("make", "demo", cwd=clone)
    python = clone / ".venv/bin/python"
    with _step("`pip install -e '.[ui,video]' -c constraints.txt`"):
        _run(str(python), "-m", "pip", "install", "-q", "-e", ".[ui,video]", "-c", "constraints.txt", cwd=clone)
    return python


def _walk(python: Path, photo: Path, *model: str) -> None:
    folder = photo.parent
    with contextlib.ExitStack() as stack:
        with _step("`amgan ui`: page open in the browser"):
            page = stack.enter_context(opened_page(python, *model))
        with _step("photo dropped: faces found and scored"):
            page.set_input_files("input[type=file]", photo)
            page.get_by_text("1 face found").wait_for()
        with _step(f"{SIGN.lower()} moved on the {SIDE} alone, to the full picture"):
            page.get_by_role("checkbox", name="Move left and right together").uncheck()
            page.get_by_role("slider", name=f"range slider for {SIGN}, {SIDE}").focus()
            for _ in range(KEYS):
                page.keyboard.press("ArrowRight")
            page.get_by_text("Done: every pixel").wait_for()
        with _step("picture and recipe downloaded"):
            picture, recipe = (_download(page, f"Download {what}", folder) for what in ("picture", "recipe"))
        with _step("clip made and downloaded"):
            page.get_by_role("tab", name="Sweep").click()
            page.get_by_label("Shown as").click()
            page.get_by_role("option", name="Clip (MP4), there and back").click()
            page.get_by_role("button", name="Make it").click()
            page.get_by_role("link", name="Download clip").wait_for()
            _download(page, "Download clip", folder)
    with _step("`amgan age me.png -o cli.png --recipe RECIPE`"):
        by_command = folder / "cli.png"
        _run(str(python), "-m", "amgan", "age", str(photo), "-o", str(by_command), "--recipe", str(recipe), *model)
    with _step("`amgan sweep me.png -o clip.mp4 --to SIGN.SIDE=SCORE --steps 24`"):
        ((zone, score),) = json.loads(recipe.read_text())["signs"].items()
        asked = ["--to", f"{zone}={score}", "-o", str(folder / "clip.mp4"), "--steps", "24"]
        _run(str(python), "-m", "amgan", "sweep", str(photo), *asked, *model)
    with _step("the same in Python: `Ager().age(...)`"):
        by_python = folder / "python.png"
        _run(str(python), "-c", PYTHON_STEP, str(photo), str(recipe), str(by_python), *model[1:])
    same = picture.read_bytes() == by_command.read_bytes()
    equal = Image.open(by_python).tobytes() == Image.open(picture).convert("RGB").tobytes()
    print(f"\nthe command line's file is the page's: {same}; Python's pixels are the page's: {equal}")
    if not (same and equal):
        sys.exit(1)


def _download(page: Any, link: str, folder: Path) -> Path:
    with page.expect_download() as started:
        page.get_by_role("link", name=link).click()
    path: Path = folder / started.value.suggested_filename
    started.value.save_as(path)
    return path


def _run(*command: str, cwd: Path | None = None) -> None:
    done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")


@contextlib.contextmanager
def _step(what: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    print(f"| {what} | {time.perf_counter() - start:.1f} s |", flush=True)


if __name__ == "__main__":
    main()
