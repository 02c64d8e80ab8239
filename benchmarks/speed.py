"""How long does it take: the command line's help, the generator alone, and a whole call on a 1024 px face.

The generator is run by PyTorch in fp32 and bf16, and by onnxruntime.

Run it with nothing else running: ``.venv/bin/python benchmarks/speed.py``. Every figure is a median.
"""

from __future__ import annotations

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
from amgan.maps.location import location_maps
from amgan.models.bundle import load_bundle
from amgan.models.export import export_onnx

SIDE = 1024


def generator_seconds(model: Path | None, bf16: bool) -> float:
    """The generator of a model on one 1024x1024 picture."""
    generator = load_bundle(model).generator
    # Channels last in memory, as a photo is.
    image = np.zeros((1, SIDE, SIDE, 3), np.float32).transpose(0, 3, 1, 2)
    aging = np.zeros((1, generator.config.map_channels, SIDE, SIDE), np.float32)
    zero = np.zeros(1, np.float32)
    location = location_maps(zero, zero, (SIDE, SIDE), (SIDE, SIDE))
    location = np.repeat(location, [1, generator.config.location_channels - 1], axis=1)
    return median_seconds(lambda: generator.aged(image, aging, location, bf16), 7)


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
    photo = photo_with_large_face()
    with tempfile.TemporaryDirectory() as folder:
        file = export_onnx(load_bundle(), Path(folder) / "default.onnx").path
        backends: list[tuple[str, Path | None, Precision]] = [
            ("PyTorch fp32", None, "fp32"),
            ("PyTorch bf16", None, "bf16"),
            ("onnxruntime fp32", file, "fp32"),
        ]
        for name, model, precision in backends:
            rows.append((f"generator, {SIDE}x{SIDE}, {name}", generator_seconds(model, precision == "bf16")))
        for name, model, precision in backends:
            with Ager(model, precision=precision) as ager:

                def age(ager: Ager = ager) -> object:
                    return ager.age(photo, every=0.9)

                seconds = median_seconds(age, 5)
                report = ager.age(photo, every=0.9).faces[0]
            rows.append((f"whole call, {photo.width}x{photo.height}, {name}", seconds))
            rows += [(f"- of which {stage}", taken) for stage, taken in report.seconds.items()]
    versions = f"torch {torch.__version__}, onnxruntime {onnxruntime.__version__}"
    print(f"{torch.get_num_threads()} threads, {versions}\n\n| what | seconds |\n|---|---|")
    for name, seconds in rows:
        print(f"| {name} | {seconds:.2f} |")


if __name__ == "__main__":
    main()
