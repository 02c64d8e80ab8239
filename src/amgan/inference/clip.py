"""A few pictures as a moving one: MP4, WebM or GIF."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from amgan.errors import OutputError
from amgan.faces.output import written_aside
from amgan.inference.pyav import as_file, pyav

GIF = ".gif"
OTHERWISE = ", or write a .gif"
# Encoder and its options by suffix, at a quality where no difference is seen.
_ENCODERS = {
    ".mp4": ("libx264", {"crf": "16", "preset": "medium"}, {"movflags": "+faststart"}),
    ".webm": ("libvpx-vp9", {"crf": "20", "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"}, {}),
}
CLIP_SUFFIXES = (*_ENCODERS, GIF)
# A GIF has 256 colours. Noise of this many levels hides their steps, the same in all pictures so that it stands still.
_NOISE = 8
_COLOURS = 256
# Pixels that the colours are chosen by.
_SAMPLES = 500_000

Rgb = npt.NDArray[np.uint8]


def check_clip(path: Path, shape: tuple[int, int]) -> None:
    """Finds out, before any work, whether a clip can be written.

    Args:
        path: Ends in one of `CLIP_SUFFIXES`.
        shape: (H, W) of its pictures.

    Raises:
        MissingExtraError: PyAV is needed and not installed.
        OutputError: The pictures are larger than the format allows.
    """
    if path.suffix.lower() != GIF:
        pyav(path, OTHERWISE)
    most = 65_535 if path.suffix.lower() == GIF else 16_384
    if max(shape) > most:
        raise OutputError(f"{path}: a side of {max(shape)} pixels is more than {most}; use --crop face, or a strip")


def write_clip(
    frames: Iterable[Rgb], path: Path, fps: float, there_and_back: bool = True, overwrite: bool = False
) -> int:
    """Writes pictures as a clip, atomically.

    Args:
        frames: (H, W, 3) uint8 each, all of one size. In MP4 and WebM an odd last row or column is left out.
        path: Ends in one of `CLIP_SUFFIXES`.
        fps: Pictures a second; a GIF rounds their duration to hundredths of a second.
        there_and_back: Whether the clip goes back to its start, and so can be played round and round.
        overwrite: Whether an existing file may be replaced.

    Returns:
        How many pictures it has.

    Raises:
        OutputError: The file exists or cannot be written.
        MissingExtraError: PyAV is needed and not installed.
    """
    with (
        written_aside(path, overwrite, CLIP_SUFFIXES) as aside,
        # Kept on the disk: what is to be shown again on the way back would fill the memory at full size.
        tempfile.TemporaryDirectory(prefix=".amgan-", dir=path.parent) as folder,
    ):
        kept: list[Path] = []
        for index, frame in enumerate(frames):
            kept.append(Path(folder) / f"{index}.npy")
            np.save(kept[-1], frame)
        # The two ends are not shown twice in a row when the clip goes round.
        files = kept + (kept[-2:0:-1] if there_and_back else [])
        order = (np.load(file) for file in files)
        if path.suffix.lower() == GIF:
            _write_gif(order, _sample(kept), aside, fps)
        else:
            _write_movie(order, aside, fps)
    return len(files)


def _write_movie(frames: Iterator[Rgb], path: Path, fps: float) -> None:
    av = pyav(path, OTHERWISE)
    encoder, options, container_options = _ENCODERS[path.suffix]
    first = next(frames)
    height, width = (side - side % 2 for side in first.shape[:2])
    with av.open(as_file(path), "w", options=container_options) as container:
        stream = container.add_stream(encoder, rate=Fraction(str(fps)), options=options)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        context = stream.codec_context
        context.colorspace = context.color_primaries = context.color_trc = 1  # BT.709
        context.color_range = 1  # limited, as players expect
        for frame in _chain(first, frames):
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(frame[:height, :width]), "rgb24")
            picture = picture.reformat(format="yuv420p", dst_colorspace="ITU709", dst_color_range="MPEG")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def _sample(files: list[Path]) -> Rgb:
    """Pixels of all pictures, evenly chosen: (1, N, 3) uint8, N about `_SAMPLES`."""
    frames = (np.load(file, mmap_mode="r").reshape(-1, 3) for file in files)
    return np.concatenate([frame[:: max(len(files) * len(frame) // _SAMPLES, 1)] for frame in frames])[None]


def _write_gif(frames: Iterator[Rgb], sample: Rgb, path: Path, fps: float) -> None:
    # One palette for all pictures: another one each would flicker, and so would Pillow's error diffusion.
    palette = Image.fromarray(sample).quantize(_COLOURS, Image.Quantize.MEDIANCUT)
    start = next(frames)
    noise = np.random.default_rng(0).integers(-_NOISE // 2, _NOISE // 2 + 1, (*start.shape[:2], 1))

    def flat(frame: Rgb) -> Image.Image:
        noisy = np.clip(frame + noise, 0, 255).astype(np.uint8)
        return Image.fromarray(noisy).quantize(palette=palette, dither=Image.Dither.NONE)

    first = flat(start)
    rest = (flat(frame) for frame in frames)
    duration = max(10 * round(100 / fps), 10)
    first.save(path, format="GIF", save_all=True, append_images=rest, duration=duration, loop=0, optimize=False)


def _chain(first: Rgb, rest: Iterator[Rgb]) -> Iterator[Rgb]:
    yield first
    yield from rest
