"""`age_video`: one person aged through a video, in two passes: follow and score, then change and write."""

from __future__ import annotations

import hashlib
import itertools
import json
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, TypeVar

from amgan import __version__
from amgan.errors import NoFaceError, VideoError
from amgan.faces.output import check_output, written_aside
from amgan.inference.ager import Ager
from amgan.inference.pyav import pyav
from amgan.inference.request import Request
from amgan.inference.video.changing import Changer
from amgan.inference.video.identity import signature
from amgan.inference.video.reading import VideoInfo, frames_of, open_info, opened, packets
from amgan.inference.video.scores import ScoreSampler
from amgan.inference.video.segments import packets_of
from amgan.inference.video.tracking import Tracker
from amgan.inference.video.unfinished import Followed, Unfinished, open_unfinished
from amgan.inference.video.writing import ENCODERS, Encoding, choose_encoding, open_writer
from amgan.models.backbone import pretrained_trunk
from amgan.models.bundle import fingerprint
from amgan.signs.atlas import AGE, Atlas

# Frames to a segment, which is what a run that is stopped loses at most; no less than x264 has between two key frames
# anyway, so that segments cost no room.
SEGMENT = 250

_T = TypeVar("_T")
Progress = Callable[[Iterable[_T], str, int | None], Iterable[_T]]


@dataclass(frozen=True)
class VideoReport:
    """What was found and done in a video.

    Attributes:
        frames: All of them.
        resumed: Those that an earlier run had aged before it was stopped.
        aged: Those with the person's face; the rest is encoded again and no more.
        doubtful: Frames with a face of which it could not be told whether it is the person; not aged.
        shots: Parts between cuts or jumps.
        scored: Frames that the scores come from.
        age: Apparent age, years.
        scores: Score in 0..1 of each zone.
        target_age: Age aimed at, years.
        targets: Score aimed at of each zone.
        flicker: See `FlickerMeter`, of what was added.
        flicker_unsmoothed: The same without smoothing over time.
        left_out: Streams that were not copied, such as ``subtitle``.
        seconds: Stage to its duration.
        frames_per_second: Of both stages together, in this run.
    """

    frames: int
    resumed: int
    aged: int
    doubtful: int
    shots: int
    scored: int
    age: float
    scores: dict[str, float]
    target_age: float
    targets: dict[str, float]
    flicker: float | None
    flicker_unsmoothed: float | None
    left_out: tuple[str, ...]
    seconds: dict[str, float]
    frames_per_second: float


def age_video(
    ager: Ager,
    source: Path,
    output: Path,
    request: Request,
    *,
    population: Atlas | None = None,
    quality: int | None = None,
    overwrite: bool = False,
    segment: int = SEGMENT,
    progress: Progress[Any] | None = None,
) -> VideoReport:
    """Ages one person through a video; memory does not grow with its length.

    Where an earlier call with the same arguments was stopped, this one goes on, and makes the same result. What it goes
    on with lies in a folder beside `output`, see `amgan.inference.video.unfinished`.

    Args:
        ager: The model.
        source: Anything that ffmpeg reads.
        output: Ends in one of `ENCODERS`; it gets its name when it is whole.
        request: Targets; ``face`` is the person's number in the first frame that has so many, None the largest.
        population: The atlas whose percentiles are meant.
        quality: Constant rate factor of the encoder, less is better; None is its default.
        overwrite: Whether an existing file may be replaced, and what is left of a call with other arguments.
        segment: Frames that are encoded together; a call that is stopped loses so many at most. There to be tested with
            few frames.
        progress: Shows how frames go by: (frames, label, how many) to the same frames.

    Returns:
        What was found and done.

    Raises:
        VideoError: The video cannot be read.
        NoFaceError: It shows no face, or never so many.
        OutputError: The result exists or cannot be written, or a call with other arguments was stopped.
        AtlasError: As `Request.check`.
        WeightsError: As `Request.check`.
        MissingExtraError: PyAV is not installed.
    """
    start = time.perf_counter()
    request.check(ager.bundle, population)
    shown = progress or _silent
    info = open_info(source)
    check_output(output, overwrite, ENCODERS)
    encoding = choose_encoding(output, info, quality)
    recipe = _recipe(ager, info, encoding, request, population, segment)
    with open_unfinished(output, recipe, overwrite) as work:
        _try_header(work.probe(output.suffix), info, encoding)
        followed = work.followed or _follow(ager, info, request, work, shown)
        track, scores = work.track, followed.scores
        between = time.perf_counter()
        targets = request.targets(ager.bundle.atlas, scores, population)
        changer = Changer(ager, info, track, scores, targets)
        resumed = _age(changer, info, encoding, len(track), work, segment, shown)
        with written_aside(output, overwrite, ENCODERS) as aside:
            # In the folder that the next run clears: a kill would leave it beside the result for good.
            joined = work.probe(output.suffix)
            try:
                _join(joined, info, encoding, work)
                joined.replace(aside)
            finally:
                joined.unlink(missing_ok=True)
    end = time.perf_counter()
    grade = ager.bundle.atlas.age.grade
    return VideoReport(
        frames=len(track),
        resumed=resumed,
        aged=int((track.strength > 0).sum()),
        doubtful=followed.doubtful,
        shots=int(track.shots[-1]) + 1,
        scored=followed.scored,
        age=round(grade(scores[AGE]), 1),
        scores={zone: round(score, 4) for zone, score in scores.items() if zone != AGE},
        target_age=round(grade(targets[AGE]), 1),
        targets={zone: round(score, 4) for zone, score in targets.items() if zone != AGE},
        flicker=_rounded(changer.after.flicker),
        flicker_unsmoothed=_rounded(changer.before.flicker),
        left_out=info.left_out,
        seconds={"follow": round(between - start, 3), "age": round(end - between, 3)},
        frames_per_second=round((len(track) - resumed) / (end - start), 2),
    )


def _recipe(
    ager: Ager,
    info: VideoInfo,
    encoding: Encoding,
    request: Request,
    population: Atlas | None,
    segment: int,
) -> str:
    """A short hash of everything that the frames depend on."""
    file = info.path.stat()
    values = {
        "version": (__version__, pyav(info.path).__version__),
        "model": (fingerprint(ager.bundle), str(ager.detector.path), ager.bf16),
        "video": (str(info.path.resolve()), file.st_size, file.st_mtime_ns),
        "encoding": (encoding.encoder, encoding.options, encoding.pixel_format, segment),
        "request": (asdict(request), population and population.model_dump(mode="json")),
    }
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()[:16]


def _try_header(path: Path, info: VideoInfo, encoding: Encoding) -> None:
    """Begins a result and drops it, so that what cannot be written is found before any work."""
    try:
        with opened(info.path) as container, open_writer(path, encoding, container):
            pass
    finally:
        path.unlink(missing_ok=True)


def _follow(ager: Ager, info: VideoInfo, request: Request, work: Unfinished, shown: Progress[Any]) -> Followed:
    """The first pass: where the face is in each frame, and how it scores."""
    sampler = ScoreSampler(ager.bundle, round(info.rate))
    trunk = pretrained_trunk()
    tracker = Tracker(ager.detector, lambda rgb, points: signature(trunk, rgb, points), request.face or 0)
    found = False
    with work.recorder() as recorder:
        for frame in shown(frames_of(info), "following", info.frames):
            rgb = info.upright(info.rgb(frame))
            seen = tracker(rgb)
            recorder.add(seen)
            if seen.face is not None:
                found = True
                sampler.add(rgb, seen.face)
    if not found:
        raise NoFaceError(_missing(info.path, request.face, tracker.most))
    followed = Followed(*sampler.result(), tracker.doubtful)
    work.keep_followed(followed)
    return followed


def _age(
    changer: Changer,
    info: VideoInfo,
    encoding: Encoding,
    count: int,
    work: Unfinished,
    length: int,
    shown: Progress[Any],
) -> int:
    """The second pass: writes the segments that are missing; returns how many frames were there."""
    done = len(work.segments)
    if done:
        changer.restore(work.state_behind(done - 1))
    frames = enumerate(shown(frames_of(info), "aging", count))
    there = sum(1 for _ in itertools.islice(frames, min(done * length, count)))
    index = there - 1
    for number in range(done, -(-count // length)):
        with work.segment(number, encoding, lambda: changer.state) as segment:
            for index, frame in itertools.islice(frames, min(length, count - number * length)):
                fitted = encoding.fitted(frame)
                changer.change(index, frame, fitted)
                segment.write(fitted)
    if index + 1 < count or next(frames, None) is not None:
        raise VideoError(f"{info.path}: changed while it was read; copy it to another place first")
    return there


def _join(path: Path, info: VideoInfo, encoding: Encoding, work: Unfinished) -> None:
    """Lays the segments end to end, with the sound between them, and encodes nothing again."""
    with opened(info.path) as container, open_writer(path, encoding, container) as writer:
        sound = _sound(info, container)
        waiting = next(sound, None)
        for packet in packets_of(work.segments, info):
            while waiting is not None and _seconds(waiting) <= _seconds(packet):
                writer.copy(waiting)
                waiting = next(sound, None)
            writer.write(packet)
        while waiting is not None:
            writer.copy(waiting)
            waiting = next(sound, None)


def _sound(info: VideoInfo, container: Any) -> Iterator[Any]:
    if container.streams.audio:
        yield from packets(info.path, container, *container.streams.audio)


def _seconds(packet: Any) -> float:
    """When a packet is to be decoded; at once if it does not say."""
    return -1.0 if packet.dts is None else float(packet.dts * packet.time_base)


def _silent(frames: Iterable[Any], label: str, total: int | None) -> Iterable[Any]:
    return frames


def _missing(source: Path, face: int | None, most: int) -> str:
    if most:
        return f"{source}: no frame has a face {face}; the most in one frame are {most}, numbered from 0"
    return f"{source}: no face found; use a video where the face is upright, sharp and uncovered"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
