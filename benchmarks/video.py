"""How many frames a second `amgan video` makes of 720p and 1080p, encoding included, and how much the change flickers.

Run it with nothing else running: ``.venv/bin/python benchmarks/video.py [MODEL]``. The video is the astronaut's
head, which drifts; her face is as high as half of the frame.
"""

from __future__ import annotations

import argparse
import tempfile
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import skimage.data

from amgan.inference.ager import Ager
from amgan.inference.request import Request
from amgan.inference.video.age import age_video

# Centre of her face, and its height, in the photo.
CENTRE, FACE = (224.0, 110.0), 120.0


def write(path: Path, width: int, height: int, frames: int) -> None:
    """A video of the head."""
    photo = skimage.data.astronaut()
    scale = FACE / (height / 2)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(24), options={"crf": "12"})
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for index in range(frames):
            left = CENTRE[0] + 0.2 * index - scale * width / 2
            matrix = np.array([[scale, 0, left], [0, scale, CENTRE[1] - scale * height / 2]])
            flags = cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP
            warped = cv2.warpAffine(photo, matrix, (width, height), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
            view = np.asarray(warped, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(view, "rgb24")))
        container.mux(stream.encode(None))


def main() -> None:
    """Prints a line a size."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", nargs="?", type=Path, metavar="MODEL", help="its folder; else the packaged one")
    parser.add_argument("--frames", type=int, default=24, help="of each video, at 24 a second")
    options = parser.parse_args()
    with Ager(options.model) as ager, tempfile.TemporaryDirectory() as folder:
        for width, height in ((1280, 720), (1920, 1080)):
            source = Path(folder) / f"{height}.mp4"
            write(source, width, height, options.frames)
            report = age_video(ager, source, Path(folder) / f"{height}-older.mp4", Request(every=0.9))
            followed, aged = (report.frames / report.seconds[stage] for stage in ("follow", "age"))
            print(
                f"{height}p: {report.frames_per_second:.2f} frames a second "
                f"(following {followed:.1f}, aging and encoding {aged:.2f}), {report.aged} of {report.frames} aged; "
                f"flicker {report.flicker}, {report.flicker_unsmoothed} without smoothing over time"
            )


if __name__ == "__main__":
    main()
