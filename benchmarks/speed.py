"""How long does it take: the command line's help, the generator alone, and a whole call on a face of 1024 px.

The generator is run by PyTorch in fp32 and bf16, and by onnxruntime.

Run it with nothing else running: ``.venv/bin/python benchmarks/speed.py``. Every figure is a median.
``--side`` asks for a face of another size.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
import skimage.data
import torch
from PIL import Image
from timing import median_seconds

from amgan.faces.align import align_face
from amgan.faces.detect import FaceDetector
from amgan.inference.ager import Ager, Precision
from amgan.inference.views import FaceReport
from amgan.maps.location import location_maps
from amgan.memory import keep_freed_memory
from amgan.models.bundle import load_bundle
from amgan.models.export import export_onnx


def generator_seconds(model: Path | None, bf16: bool, side: int, times: int) -> float:
    """The generator of a model on one square picture."""
    generator = load_bundle(model).generator
    # Channels last in memory, as a photo is.
    image = np.zeros((1, side, side, 3), np.float32).transpose(0, 3, 1, 2)
    aging = np.zeros((1, generator.config.map_channels, side, side), np.float32)
    zero = np.zeros(1, np.float32)
    location = location_maps(zero, zero, (side, side), (side, side))
    location = np.repeat(location, [1, generator.config.location_channels - 1], axis=1)
    return median_seconds(lambda: generator.aged(image, aging, location, bf16), times)


def photo_of_face(side: int) -> Image.Image:
    """The astronaut, enlarged until the aligned square of her face has a side, and cut to that square."""
    photo = Image.fromarray(skimage.data.astronaut())
    with FaceDetector() as detector:
        (face,) = detector.detect(skimage.data.astronaut())
    alignment = align_face(face.landmarks)
    cut = photo.crop(alignment.window((photo.height, photo.width)))
    factor = side / alignment.size
    return cut.resize((round(cut.width * factor), round(cut.height * factor)), Image.Resampling.LANCZOS)


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--side", type=int, default=1024, help="of the face, pixels")
    parser.add_argument("--times", type=int, default=7, help="calls a median is taken of")
    options = parser.parse_args()
    keep_freed_memory()  # as `amgan` does
    side, times = options.side, options.times
    executable = [sys.executable, "-m", "amgan", "--help"]
    rows = [
        ("`amgan --help`", median_seconds(lambda: subprocess.run(executable, check=True, capture_output=True), times))
    ]
    photo = photo_of_face(side)
    with tempfile.TemporaryDirectory() as folder:
        file = export_onnx(load_bundle(), Path(folder) / "default.onnx").path
        backends: list[tuple[str, Path | None, Precision]] = [
            ("PyTorch fp32", None, "fp32"),
            ("PyTorch bf16", None, "bf16"),
            ("onnxruntime fp32", file, "fp32"),
        ]
        for name, model, precision in backends:
            seconds = generator_seconds(model, precision == "bf16", side, times)
            rows.append((f"generator, {side}x{side}, {name}", seconds))
        for name, model, precision in backends:
            with Ager(model, precision=precision) as ager:
                reports: list[FaceReport] = []

                def age(ager: Ager = ager, reports: list[FaceReport] = reports) -> None:
                    reports += ager.age(photo, every=0.9).faces

                seconds = median_seconds(age, times)
            rows.append((f"whole call, {photo.width}x{photo.height}, {name}", seconds))
            rows += [(f"- of which {stage}", taken) for stage, taken in reports[-1].seconds.items()]
    versions = f"torch {torch.__version__}, onnxruntime {onnxruntime.__version__}"
    print(f"{torch.get_num_threads()} threads, {versions}\n\n| what | seconds |\n|---|---|")
    for name, seconds in rows:
        print(f"| {name} | {seconds:.2f} |")


if __name__ == "__main__":
    main()
