"""Small videos made of the astronaut photo, with a tone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from amgan.inference.ager import Ager

SIDE = 320
Rgb = np.ndarray
# The astronaut's head and shoulders, (left, top, right, bottom).
HEAD = (96, 0, 416, 320)


@pytest.fixture(scope="module")
def ager(small_model: Path) -> Iterator[Ager]:
    """The small model, at the precision that `amgan video` takes by itself."""
    with Ager(small_model) as ager:
        yield ager


@pytest.fixture(scope="session")
def head_frames(astronaut: np.ndarray) -> Callable[..., list[Rgb]]:
    """`count` frames of 320 px: the head drifts, and every frame has noise of its own."""

    def frames(count: int, noise: float = 4.0, drift: float = 1.0) -> list[Rgb]:
        rng = np.random.default_rng(0)
        found = []
        for index in range(count):
            matrix = np.float32([[1, 0, HEAD[0] - drift * index], [0, 1, HEAD[1]]])
            flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
            view = cv2.warpAffine(astronaut, matrix, (SIDE, SIDE), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
            found.append(np.clip(view + rng.normal(0, noise, view.shape), 0, 255).astype(np.uint8))
        return found

    return frames


@pytest.fixture
def plain() -> Rgb:
    """A frame without a face."""
    ramp = np.linspace(0, 255, SIDE).astype(np.uint8)
    return np.repeat(np.repeat(ramp[:, None], SIDE, 1)[..., None], 3, 2)


@pytest.fixture(scope="session")
def made() -> SimpleNamespace:
    """Writes videos, and reads back what was written: ``write``, ``read``, ``sound_of``."""
    return SimpleNamespace(write=write, read=read, sound_of=sound_of)


def write(
    path: Path,
    frames: Sequence[Rgb],
    times: Sequence[int] | None = None,
    rotation: int = 0,
    mirrored: bool = False,
    aspect: Fraction | None = None,
    sound: bool = True,
    space: int = 1,
) -> Path:
    """Writes a video in H.264, or VP9 in WebM, without loss where it can; times are in 1/24000 s."""
    import av

    webm = path.suffix == ".webm"
    options = {"crf": "4", "b": "0", "deadline": "realtime", "cpu-used": "8"} if webm else {"crf": "0"}
    with av.open(str(path), "w") as container:
        video = container.add_stream("libvpx-vp9" if webm else "libx264", rate=Fraction(24000, 1001), options=options)
        video.height, video.width = frames[0].shape[:2]
        video.pix_fmt = "yuv420p"
        context = video.codec_context
        context.time_base = Fraction(1, 24000)
        context.color_range = 1
        context.colorspace = context.color_primaries = context.color_trc = space
        if aspect:
            context.sample_aspect_ratio = aspect
        if rotation or mirrored:
            video.set_display_rotation(rotation, hflip=mirrored)
        tone = container.add_stream("libopus" if webm else "aac", rate=48000, layout="mono") if sound else None
        for index, rgb in enumerate(frames):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), "rgb24")
            frame = frame.reformat(format="yuv420p", dst_colorspace=space, dst_color_range="MPEG")
            frame.pts = times[index] if times else 1001 * index
            frame.time_base = Fraction(1, 24000)
            container.mux(video.encode(frame))
        if tone is not None:
            wave = np.sin(np.arange(24000) * 0.05).astype(np.float32)[None]
            size = tone.codec_context.frame_size or 960
            for start in range(0, wave.shape[1] - size, size):
                kind = "flt" if webm else "fltp"
                piece = av.AudioFrame.from_ndarray(wave[:, start : start + size], kind, "mono")
                piece.sample_rate, piece.pts, piece.time_base = 48000, start, Fraction(1, 48000)
                container.mux(tone.encode(piece))
            container.mux(tone.encode(None))
        container.mux(video.encode(None))
    return path


def read(path: Path) -> list[Any]:
    """All decoded frames."""
    import av

    with av.open(str(path)) as container:
        return list(container.decode(video=0))


def sound_of(path: Path) -> list[tuple[Any, ...]]:
    """Packets of sound."""
    import av

    with av.open(str(path)) as container:
        return [(p.pts, p.duration, bytes(p)) for p in container.demux(container.streams.audio[0]) if p.size]
