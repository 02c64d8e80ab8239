"""Writes a video like another one: same frames, times, colours, rotation and sound, new picture."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

from amgan.errors import OutputError
from amgan.inference.pyav import pyav
from amgan.inference.video.reading import VideoInfo

# Encoder by suffix, and its quality unless asked otherwise; less is better.
_H264 = ("libx264", 18)
ENCODERS = {".mp4": _H264, ".mov": _H264, ".mkv": _H264, ".webm": ("libvpx-vp9", 24)}
MOST_QUALITY = {"libx264": 51, "libvpx-vp9": 63}
# Formats that `planes.add_change` can write to; the rest is brought to the first.
FORMATS = ("yuv420p", "yuvj420p", "yuv422p", "yuv444p", "yuv420p10le", "yuv422p10le", "yuv444p10le")


class VideoWriter:
    """Takes frames and packets of sound, and writes them; made by `open_writer`."""

    def __init__(self, container: Any, stream: Any, sound: dict[int, Any], info: VideoInfo) -> None:
        self._container, self._stream, self._sound, self._info = container, stream, sound, info
        self.pixel_format: str = stream.pix_fmt

    def fitted(self, frame: Any) -> Any:
        """A decoded frame in the format that is written; the same frame if it is that already."""
        if frame.format.name == self.pixel_format:
            return frame
        # The same colours in another layout: nothing is to be scaled.
        span = "JPEG" if self._info.full_range else "MPEG"
        space = self._info.space
        fitted = frame.reformat(
            format=self.pixel_format,
            src_colorspace=space,
            dst_colorspace=space,
            src_color_range=span,
            dst_color_range=span,
        )
        fitted.pts, fitted.time_base = frame.pts, frame.time_base
        return fitted

    def write(self, frame: Any) -> None:
        """Encodes a frame of `fitted`, with its own time."""
        frame.pict_type = 0  # the encoder's choice, not what the frame was in the source
        self._container.mux(self._stream.encode(frame))

    def copy(self, packet: Any) -> None:
        """Passes on a packet of sound as it is; others are left out."""
        stream = self._sound.get(packet.stream.index)
        if stream is not None and packet.size:
            packet.stream = stream
            self._container.mux(packet)

    def finish(self) -> None:
        """Writes what the encoder still holds."""
        self._container.mux(self._stream.encode(None))


@contextlib.contextmanager
def open_writer(path: Path, info: VideoInfo, source: Any, quality: int | None) -> Iterator[VideoWriter]:
    """Begins a file; the header is written at once, so that what cannot be written is found before any work.

    Args:
        path: Ends in one of `ENCODERS`.
        info: Of the source.
        source: The source, opened; its sound is copied.
        quality: The encoder's constant rate factor; None is the default.

    Raises:
        OutputError: The container cannot hold the sound, the size or the shape of the pixels.
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
    fast = {"movflags": "+faststart"} if path.suffix.lower() in (".mp4", ".mov") else {}
    try:
        with av.open(str(path), "w", options=fast) as container:
            stream = container.add_stream(encoder, rate=info.rate, options=options)
            _describe(stream, info, pixel_format)
            sound = {track.index: _copied(container, track, path) for track in source.streams.audio}
            container.metadata.update(
                {key: text for key, text in source.metadata.items() if key in ("title", "artist", "date", "comment")}
            )
            container.start_encoding()
            yield VideoWriter(container, stream, sound, info)
    except av.error.FFmpegError as error:
        raise OutputError(f"{path}: cannot be written ({error.strerror}); try .mkv, which holds most kinds") from error


def _describe(stream: Any, info: VideoInfo, pixel_format: str) -> None:
    stream.width, stream.height, stream.pix_fmt = info.width, info.height, pixel_format
    context = stream.codec_context
    context.time_base = info.time_base
    if info.aspect != 1:
        context.sample_aspect_ratio = Fraction(info.aspect)
    context.color_range, context.colorspace, context.color_primaries, context.color_trc = info.colours
    if info.rotation:
        stream.set_display_rotation(info.rotation)


def _copied(container: Any, track: Any, path: Path) -> Any:
    try:
        copy = container.add_stream_from_template(track)
    except ValueError as error:
        kind = track.codec_context.name
        raise OutputError(f"{path}: {path.suffix} cannot hold sound of kind {kind}; write an .mkv") from error
    copy.metadata.update({key: text for key, text in track.metadata.items() if key in ("language", "title")})
    return copy
