"""Writes a video like another one: same frames, times, colours, rotation and sound, new picture."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

from amgan.errors import OutputError
from amgan.inference.pyav import as_file, pyav
from amgan.inference.video.reading import VideoInfo

# Encoder by suffix, and its quality unless asked otherwise; less is better.
_H264 = ("libx264", 18)
ENCODERS = {".mp4": _H264, ".mov": _H264, ".mkv": _H264, ".webm": ("libvpx-vp9", 24)}
MOST_QUALITY = {"libx264": 51, "libvpx-vp9": 63}
# Formats that `planes.add_change` can write to; the rest is brought to the first.
FORMATS = ("yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le")


@dataclass(frozen=True)
class Encoding:
    """How frames are encoded, in every segment alike; made by `choose_encoding`.

    Attributes:
        encoder: ffmpeg's name of the encoder.
        options: Its options.
        pixel_format: Of the frames it is given.
        info: Of the source.
    """

    encoder: str
    options: dict[str, str]
    pixel_format: str
    info: VideoInfo

    def fitted(self, frame: Any) -> Any:
        """A decoded frame in the format that is written; the same frame if it is that already."""
        if frame.format.name == self.pixel_format:
            return frame
        # The same colours in another layout: nothing is to be scaled.
        span = "JPEG" if self.info.full_range else "MPEG"
        space = self.info.space
        fitted = frame.reformat(
            format=self.pixel_format,
            src_colorspace=space,
            dst_colorspace=space,
            src_color_range=span,
            dst_color_range=span,
        )
        fitted.pts, fitted.time_base = frame.pts, frame.time_base
        return fitted

    def encoder_alone(self) -> Any:
        """An ``av.VideoCodecContext`` whose packets fit the stream of `open_writer`."""
        av = pyav(self.info.path)
        context = av.CodecContext.create(self.encoder, "w")
        context.options, context.framerate = self.options, self.info.rate
        # Parameters in the head of the file alone, as the containers want it.
        context.flags |= av.codec.context.Flags.global_header
        self.describe(context)
        return context

    def describe(self, context: Any) -> None:
        """Tells an encoder what the frames are."""
        info = self.info
        context.width, context.height, context.pix_fmt = info.width, info.height, self.pixel_format
        context.time_base = info.time_base
        if info.aspect != 1:
            context.sample_aspect_ratio = Fraction(info.aspect)
        context.color_range, context.colorspace, context.color_primaries, context.color_trc = info.colours


def choose_encoding(path: Path, info: VideoInfo, quality: int | None) -> Encoding:
    """How a video is encoded.

    Args:
        path: Of the result; ends in one of `ENCODERS`.
        info: Of the source.
        quality: The encoder's constant rate factor; None is the default.

    Raises:
        OutputError: The encoder or the container cannot hold the size or the shape of the pixels.
    """
    av = pyav(path)
    encoder, usual = ENCODERS[path.suffix.lower()]
    if encoder != "libx264" and info.aspect != 1:
        raise OutputError(f"{path}: WebM cannot say that pixels are {info.aspect} as wide as high; write an .mp4")
    pixel_format = info.pixel_format if info.pixel_format in FORMATS else FORMATS[0]
    if pixel_format not in {known.name for known in av.Codec(encoder, "w").video_formats}:
        pixel_format = FORMATS[0]
    if "420" in pixel_format and (info.width % 2 or info.height % 2):
        raise OutputError(f"{path}: {info.width}x{info.height} has an odd side, which {encoder} cannot write; crop it")
    crf = usual if quality is None else quality
    options = {"crf": str(crf), "preset": "medium"}
    if encoder == "libvpx-vp9":
        options = {"crf": str(crf), "b": "0", "deadline": "good", "cpu-used": "4", "row-mt": "1"}
    return Encoding(encoder, options, pixel_format, info)


class VideoWriter:
    """Takes packets of video and of sound, and writes them; made by `open_writer`."""

    def __init__(self, container: Any, stream: Any, sound: dict[int, Any]) -> None:
        self._container, self._stream, self._sound = container, stream, sound

    def write(self, packet: Any) -> None:
        """Writes a packet of the encoder."""
        packet.stream = self._stream
        self._container.mux(packet)

    def copy(self, packet: Any) -> None:
        """Passes on a packet of sound as it is; others are left out."""
        stream = self._sound.get(packet.stream.index)
        if stream is not None and packet.size:
            packet.stream = stream
            self._container.mux(packet)


@contextlib.contextmanager
def open_writer(path: Path, encoding: Encoding, source: Any) -> Iterator[VideoWriter]:
    """Begins a file; the header is written at once.

    Args:
        path: Ends in one of `ENCODERS`.
        encoding: Of the packets it will get.
        source: The source, opened; its sound is copied.

    Raises:
        OutputError: The container cannot hold the sound.
    """
    av, info = pyav(path), encoding.info
    fast = {"movflags": "+faststart"} if path.suffix.lower() in (".mp4", ".mov") else {}
    try:
        with av.open(as_file(path), "w", options=fast) as container:
            stream = container.add_stream(encoding.encoder, rate=info.rate, options=encoding.options)
            encoding.describe(stream.codec_context)
            if info.rotation:
                stream.set_display_rotation(info.rotation)
            sound = {track.index: _copied(container, track, path) for track in source.streams.audio}
            container.metadata.update(
                {key: text for key, text in source.metadata.items() if key in ("title", "artist", "date", "comment")}
            )
            container.start_encoding()
            yield VideoWriter(container, stream, sound)
    except av.error.FFmpegError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}); try .mkv, which holds most kinds") from error


def _copied(container: Any, track: Any, path: Path) -> Any:
    try:
        copy = container.add_stream_from_template(track)
    except ValueError as error:
        kind = track.codec_context.name
        raise OutputError(f"{path}: {path.suffix} cannot hold sound of kind {kind}; write an .mkv") from error
    copy.metadata.update({key: text for key, text in track.metadata.items() if key in ("language", "title")})
    return copy
