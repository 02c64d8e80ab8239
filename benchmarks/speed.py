"""How long does it take: the command line's help, the generator alone, and a whole call on a 1024 px face.

Run it with nothing else running: ``.venv/bin/python benchmarks/speed.py``. Every figure is a median.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import skimage.data
import torch
from PIL import Image

from amgan.faces.align import align_face
from amgan.faces.detect import FaceDetector
from amgan.inference.ager import Ager
from amgan.maps.location import location_maps
from amgan.models.bundle import load_bundle

SIDE = 1024


def median_seconds(call: Callable[[], object], times: int) -> float:
    """Median duration of a call that was made once before."""
    call()
    found = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        found.append(time.perf_counter() - start)
    return statistics.median(found)


def generator_seconds(bf16: bool) -> float:
    """The default generator on one 1024x1024 picture."""
    generator = load_bundle().generator
    image = torch.zeros(1, 3, SIDE, SIDE).contiguous(memory_format=torch.channels_last)
    aging = torch.zeros(1, generator.config.map_channels, SIDE, SIDE)
    zero = torch.zeros(1, dtype=torch.long)
    location = location_maps(zero, zero, (SIDE, SIDE), (SIDE, SIDE))
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=bf16):
        return median_seconds(lambda: generator(image, aging, location), 7)


def photo_with_large_face() -> Image.Image:
    """The astronaut, enlarged until the aligned square of her face is 1024 px, and cut to that square."""
    photo = Image.fromarray(skimage.data.astronaut())
    with FaceDetector() as detector:
        (face,) = detector.detect(skimage.data.astronaut())
    alignment = align_face(face.landmarks)
    cut = photo.crop(alignment.window((photo.height, photo.width)))
    factor = SIDE / alignment.size
    return cut.resize((round(cut.width * factor), round(cut.height * factor)), Image.Resampling.LANCZOS)


def main() -> None:
    """Prints the table."""
    executable = [sys.executable, "-m", "amgan", "--help"]
    rows = [("`amgan --help`", median_seconds(lambda: subprocess.run(executable, check=True, capture_output=True), 5))]
    rows += [(f"generator, 1024x1024, {name}", generator_seconds(name == "bf16")) for name in ("fp32", "bf16")]
    photo = photo_with_large_face()
    for precision in ("fp32", "bf16"):
        with Ager(precision=precision) as ager:
            seconds = median_seconds(lambda ager=ager: ager.age(photo, every=0.9), 5)
            report = ager.age(photo, every=0.9).faces[0]
        rows.append((f"whole call, {photo.width}x{photo.height}, {precision}", seconds))
        rows += [(f"- of which {stage}", taken) for stage, taken in report.seconds.items()]
    print(f"{torch.get_num_threads()} threads, torch {torch.__version__}\n\n| what | seconds |\n|---|---|")
    for name, seconds in rows:
        print(f"| {name} | {seconds:.2f} |")


if __name__ == "__main__":
    main()
