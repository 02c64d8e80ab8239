"""A video as it lies in its file: frames one by one, and what a player must know of them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from amgan.errors import VideoError
from amgan.faces.paths import is_file
from amgan.inference.pyav import as_file, pyav

# ffmpeg's numbers of colour spaces and transfers.
UNSPECIFIED, BT709, BT601 = 2, 1, 6
_HDR = (16, 18)  # PQ, HLG
# Frames of this height and more are BT.709 when nothing is said.
_HD = 720


@dataclass(frozen=True)
class VideoInfo:
    """What is known of a video from its first frame on.

    Attributes:
        path: The file.
        width: Of the stored frames, pixels.
        height: Of the stored frames, pixels.
        pixel_format: Of the decoded frames, such as ``yuv420p``.
        rotation: Degrees counter-clockwise by which a player turns the frames.
        aspect: Width over height of a stored pixel.
        rate: Frames a second on average.
        time_base: Unit of the frames' times, seconds.
        frames: How many frames there are by the file's own word; None if it does not say.
        colours: ffmpeg's numbers of range, space, primaries and transfer, as the file has them.
        left_out: Streams that are neither this video nor sound, such as ``subtitle``; they are not copied.
    """

    path: Path
    width: int
    height: int
    pixel_format: str
    rotation: int
    aspect: Fraction
    rate: Fraction
    time_base: Fraction
    frames: int | None
    colours: tuple[int, int, int, int]
    left_out: tuple[str, ...]

    @property
    def space(self) -> int:
        """The colour space as ffmpeg numbers it, guessed by the height as players do where the file has none."""
        if self.colours[1] != UNSPECIFIED:
            return self.colours[1]
        return BT709 if self.height >= _HD else BT601

    @property
    def full_range(self) -> bool:
        """Whether black is 0 rather than 16."""
        return self.colours[0] == 2 or self.pixel_format.startswith("yuvj")

    @property
    def to_stored(self) -> npt.NDArray[np.float64]:
        """(2, 3), from coordinates in the upright picture to those in the stored frame, pixel centres at integers."""
        wide = round(self.width * self.aspect)
        # Where the turned picture's pixel (x, y) lies before np.rot90 turned it counter-clockwise.
        turned = {
            0: [[1, 0, 0], [0, 1, 0]],
            90: [[0, -1, wide - 1], [1, 0, 0]],
            180: [[-1, 0, wide - 1], [0, -1, self.height - 1]],
            270: [[0, 1, 0], [-1, 0, self.height - 1]],
        }[self.rotation % 360]
        matrix = np.array(turned, np.float64)
        narrow = self.width / wide
        matrix[0] *= narrow
        matrix[0, 2] += 0.5 * narrow - 0.5
        return matrix

    def upright(self, rgb: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
        """A stored frame (H, W, 3) as a player shows it, with square pixels."""
        wide = round(self.width * self.aspect)
        if wide != self.width:
            rgb = np.asarray(cv2.resize(rgb, (wide, self.height), interpolation=cv2.INTER_LINEAR), np.uint8)
        return np.ascontiguousarray(np.rot90(rgb, self.rotation // 90))

    def rgb(self, frame: Any) -> npt.NDArray[np.uint8]:
        """The pixels of a decoded frame, (H, W, 3) sRGB as stored: not turned, pixels not squared."""
        source_range = "JPEG" if self.full_range else "MPEG"
        shown = frame.reformat(
            format="rgb24", src_colorspace=self.space, src_color_range=source_range, dst_color_range="JPEG"
        )
        return np.asarray(shown.to_ndarray(), np.uint8)


def open_info(path: Path) -> VideoInfo:
    """Looks at a video's first frame.

    Raises:
        VideoError: It cannot be read, or is interlaced, HDR, RGB, mirrored, or turned by less than a quarter.
        MissingExtraError: PyAV is not installed.
    """
    with opened(path) as container:
        stream = container.streams.video[0]
        with _reading(path):
            frame = next(container.decode(stream), None)
        if frame is None:
            raise VideoError(f"{path}: has no frame that can be decoded; give another video")
        if frame.interlaced_frame:
            raise VideoError(f"{path}: is interlaced; deinterlace it first, such as `ffmpeg -i IN -vf bwdif OUT`")
        if frame.color_trc in _HDR:
            raise VideoError(f"{path}: is HDR, which the model does not know; convert it to BT.709 first")
        if frame.format.is_rgb:
            raise VideoError(f"{path}: has RGB pixels ({frame.format.name}); convert it first, such as to yuv444p")
        if _is_mirrored(frame):
            raise VideoError(f"{path}: is mirrored by its player; mirror it first, such as `ffmpeg -i IN OUT`")
        if frame.rotation % 90:
            raise VideoError(f"{path}: is turned by {frame.rotation} degrees; only quarter turns can be read")
        colours = (frame.color_range, frame.colorspace, frame.color_primaries, frame.color_trc)
        left_out = (s.type for s in container.streams if s is not stream and s.type != "audio")
        return VideoInfo(
            path=path,
            width=frame.width,
            height=frame.height,
            pixel_format=frame.format.name,
            rotation=frame.rotation % 360,
            aspect=Fraction(stream.sample_aspect_ratio or 1),
            rate=Fraction(stream.average_rate or stream.guessed_rate or 25),
            time_base=stream.time_base,
            frames=stream.frames or _estimated(container, stream),
            colours=(int(colours[0]), int(colours[1]), int(colours[2]), int(colours[3])),
            left_out=tuple(left_out),
        )


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Any]:
    """A file opened by PyAV for reading, with a video stream in it.

    Raises:
        VideoError: The file cannot be opened, or has no video.
        MissingExtraError: PyAV is not installed.
    """
    av = pyav(path)
    if not is_file(path):  # ffmpeg would take `shot%03d.jpg` for a row of pictures
        raise VideoError(f"{path}: cannot read it as a video (no such file that can be seen); check the path")
    try:
        container = av.open(as_file(path))
    except (OSError, av.error.FFmpegError) as error:
        raise VideoError(f"{path}: cannot read it as a video ({error.strerror}); give an MP4, MKV or WebM") from error
    with container:
        if not container.streams.video:
            raise VideoError(f"{path}: has no video in it; give an MP4, MKV or WebM")
        container.streams.video[0].thread_type = "AUTO"
        yield container


def packets(path: Path, container: Any, *streams: Any) -> Iterator[Any]:
    """Packets of streams of `opened`, as they lie in the file.

    Raises:
        VideoError: The file is damaged there.
    """
    with _reading(path):
        yield from container.demux(*streams)


def decoded(info: VideoInfo, packet: Any) -> Iterator[Any]:
    """Frames of a packet of video.

    Raises:
        VideoError: The video is damaged there, its frames change size, or one has no time.
    """
    with _reading(info.path):
        frames = packet.decode()
    for frame in frames:
        if (frame.width, frame.height) != (info.width, info.height):
            sizes = f"{info.width}x{info.height} to {frame.width}x{frame.height}"
            raise VideoError(f"{info.path}: its frames change from {sizes}; bring them to one size first")
        if frame.pts is None:
            raise VideoError(
                f"{info.path}: a frame has no time; write it anew first, such as `ffmpeg -fflags +genpts -i IN OUT.mp4`"
            )
        yield frame


def frames_of(info: VideoInfo) -> Iterator[Any]:
    """All decoded frames, in the order they are shown.

    Raises:
        VideoError: As `decoded`.
    """
    with opened(info.path) as container:
        for packet in packets(info.path, container, container.streams.video[0]):
            yield from decoded(info, packet)


@contextlib.contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Turns what ffmpeg finds wrong with a file into a `VideoError`."""
    av = pyav(path)
    try:
        yield
    except av.error.FFmpegError as error:
        raise VideoError(
            f"{path}: is damaged ({error.strerror}); repair it first, such as `ffmpeg -err_detect ignore_err -i IN OUT`"
        ) from error


def _is_mirrored(frame: Any) -> bool:
    """Whether a player shows a decoded frame as in a mirror, by the matrix in its file."""
    found = frame.side_data.get("DISPLAYMATRIX")
    if found is None:
        return False
    a, b, _, c, d = np.frombuffer(found, np.int32)[:5].astype(np.float64)
    return bool(a * d - b * c < 0)


def _estimated(container: Any, stream: Any) -> int | None:
    """Frames by duration and rate, for containers that do not count them."""
    if not container.duration or not stream.average_rate:
        return None
    return round(container.duration / 1_000_000 * stream.average_rate)
