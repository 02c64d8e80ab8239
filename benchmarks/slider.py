"""How soon a slider's effect is on the screen, as the browser sees it: from the key to the picture drawn.

Run it with nothing else running: ``.venv/bin/python benchmarks/slider.py``. It wants playwright and Debian's chromium.
The photo is the astronaut's head, enlarged so that her face's square is 1024 px. Prints the medians of docs/ui.md.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from opened_page import opened_page
from PIL import Image

from amgan.faces.align import align_face
from amgan.faces.detect import FaceDetector

SIZE = 1024
SLIDERS = (
    "Age",
    "Forehead wrinkles, left",
    "Crow's feet, left",
    "Nasolabial fold, left",
    "Ptosis of the lower part of the face, left",
)
# Draws the time, milliseconds, at which each new picture of the face was loaded.
WATCH = """() => {
  window.drawn = [];
  const image = document.querySelector(".compare img.after");
  image.addEventListener("load", () => window.drawn.push(performance.now()));
  document.addEventListener("keydown", () => { window.pressed = performance.now(); window.drawn = []; }, true);
}"""
SINCE = "() => [window.drawn[0] - window.pressed, window.drawn[window.drawn.length - 1] - window.pressed]"


def photo(path: Path) -> None:
    """Her head and what is around it."""
    astronaut = np.asarray(skimage.data.astronaut())
    with FaceDetector() as detector:
        (face,) = detector.detect(astronaut)
    factor = SIZE / align_face(face.landmarks).size
    head = astronaut[:260, 90:370]
    height, width = (round(side * factor) for side in head.shape[:2])
    Image.fromarray(cv2.resize(head, (width, height), interpolation=cv2.INTER_CUBIC)).save(path)


def main() -> None:
    """Moves one slider after the other."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", metavar="PATH", help="as for amgan ui; else the packaged one")
    model = parser.parse_args().model
    with tempfile.TemporaryDirectory(prefix="amgan-slider-") as name:
        path = Path(name) / "me.png"
        photo(path)
        with opened_page(Path(sys.executable), *(["--model", model] if model else [])) as page:
            start = time.perf_counter()
            page.set_input_files("input[type=file]", path)
            page.get_by_text("1 face found").wait_for()
            print(f"faces found and scored: {time.perf_counter() - start:.2f} s")
            page.wait_for_timeout(2000)  # until sliders listen
            page.evaluate(WATCH)
            previews, fulls = [], []
            for label in SLIDERS:
                slider = page.get_by_role("slider", name=f"range slider for {label}")
                slider.focus()
                page.keyboard.press("ArrowRight")
                page.wait_for_function("() => window.drawn.length >= 2")
                first, last = page.evaluate(SINCE)
                previews.append(first / 1000)
                fulls.append(last / 1000)
            for what, found in (("preview", previews), ("full picture", fulls)):
                each = ", ".join(f"{seconds:.2f}" for seconds in found)
                print(f"{what}: {statistics.median(found):.2f} s (median of {each})")


if __name__ == "__main__":
    main()
