"""Encoded video in pieces: each a file of packets that stands alone, so that pieces laid end to end are the whole.

A piece begins with a key frame and needs no other. Its packets lie in a file of our own rather than in a container,
because containers round times and shift them; nothing of them is changed until the result is written.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

from amgan.inference.pyav import pyav
from amgan.inference.video.reading import VideoInfo
from amgan.inference.video.writing import Encoding

# Of each packet: presentation and decoding time and duration in the video's time base, whether it is a key frame, and
# how many bytes follow.
_HEAD = struct.Struct("<qqq?I")


class SegmentWriter:
    """Encodes frames into a file of packets.

    Args:
        file: Open for writing.
        encoding: How frames are encoded.
    """

    def __init__(self, file: IO[bytes], encoding: Encoding) -> None:
        self._file, self._base = file, encoding.info.time_base
        self._encoder = encoding.encoder_alone()

    def write(self, frame: Any) -> None:
        """Encodes a frame of `Encoding.fitted`, with its own time."""
        frame.pict_type = 0  # the encoder's choice, not what the frame was in the source
        self._keep(self._encoder.encode(frame))

    def finish(self) -> None:
        """Writes what the encoder still holds."""
        self._keep(self._encoder.encode(None))

    def _keep(self, packets: Iterable[Any]) -> None:
        for packet in packets:
            unit = packet.time_base / self._base
            times = (round(time * unit) for time in (packet.pts, packet.dts, packet.duration or 0))
            self._file.write(_HEAD.pack(*times, packet.is_keyframe, packet.size))
            self._file.write(bytes(packet))


def packets_of(paths: Iterable[Path], info: VideoInfo) -> Iterator[Any]:
    """Packets of segments laid end to end, to be written into a container.

    Args:
        paths: The segments, in order.
        info: Of the source.

    Yields:
        ``av.Packet`` without a stream; their decoding times grow.
    """
    last: int | None = None
    for path in paths:
        av = pyav(path)
        with path.open("rb") as file:
            while head := file.read(_HEAD.size):
                pts, dts, duration, key, size = _HEAD.unpack(head)
                packet = av.Packet(file.read(size))
                # Where frames are of unequal length an encoder guesses the first decoding times of a segment too low.
                last = dts if last is None else max(dts, last + 1)
                packet.pts, packet.dts, packet.duration = pts, last, duration
                packet.time_base, packet.is_keyframe = info.time_base, key
                yield packet
