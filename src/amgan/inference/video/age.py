"""`age_video`: one person aged through a video, in two passes: follow and score, then change and write."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from amgan.errors import NoFaceError, VideoError
from amgan.faces.align import Alignment, align_face
from amgan.faces.output import written_aside
from amgan.inference.ager import Ager
from amgan.inference.change import face_change
from amgan.inference.finding import working_size
from amgan.inference.request import Request
from amgan.inference.video.flicker import FlickerMeter
from amgan.inference.video.identity import signature
from amgan.inference.video.planes import add_change
from amgan.inference.video.reading import VideoInfo, decoded, frames_of, open_info, opened, packets
from amgan.inference.video.scores import ScoreSampler
from amgan.inference.video.steady import KEPT, SteadyChange
from amgan.inference.video.track import SQUARE_SIGMA, ZONES_SIGMA, Track, TrackFile
from amgan.inference.video.tracking import Tracker
from amgan.inference.video.writing import ENCODERS, VideoWriter, open_writer
from amgan.inference.views import FaceReport, FaceView
from amgan.models.backbone import pretrained_trunk
from amgan.signs.atlas import AGE, Atlas
from amgan.signs.zones import zone_masks

_T = TypeVar("_T")
Progress = Callable[[Iterable[_T], str, int | None], Iterable[_T]]


@dataclass(frozen=True)
class VideoReport:
    """What was found and done in a video.

    Attributes:
        frames: All of them.
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
        frames_per_second: Of both stages together.
    """

    frames: int
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
    kept: float = KEPT,
    progress: Progress[Any] | None = None,
) -> VideoReport:
    """Ages one person through a video; memory does not grow with its length.

    Args:
        ager: The model.
        source: Anything that ffmpeg reads.
        output: Ends in one of `ENCODERS`; it gets its name when it is whole.
        request: Targets; ``face`` is the person's number in the first frame that has so many, None the largest.
        population: The atlas whose percentiles are meant.
        quality: Constant rate factor of the encoder, less is better; None is its default.
        overwrite: Whether an existing file may be replaced.
        kept: Share of the past in each frame's change, see `SteadyChange`.
        progress: Shows how frames go by: (frames, label, how many) to the same frames.

    Returns:
        What was found and done.

    Raises:
        VideoError: The video cannot be read.
        NoFaceError: It shows no face, or never so many.
        OutputError: The result exists or cannot be written.
        MissingExtraError: PyAV is not installed.
    """
    start = time.perf_counter()
    shown = progress or _silent
    info = open_info(source)
    with (
        written_aside(output, overwrite, ENCODERS) as aside,
        opened(source) as container,
        open_writer(aside, info, container, quality) as writer,
        tempfile.TemporaryFile(prefix=".amgan-", dir=output.parent) as file,
    ):
        recorder, sampler = TrackFile(file), ScoreSampler(ager.bundle, round(info.rate))
        trunk = pretrained_trunk()
        tracker = Tracker(ager.detector, lambda rgb, points: signature(trunk, rgb, points), request.face or 0)
        for frame in shown(frames_of(info), "following", info.frames):
            rgb = info.upright(info.rgb(frame))
            seen = tracker(rgb)
            recorder.add(seen)
            if seen.face is not None:
                sampler.add(rgb, seen.face)
        track = recorder.read()
        if not track.found.any():
            raise NoFaceError(_missing(source, request.face, tracker.most))
        followed = time.perf_counter()
        scores, scored = sampler.result()
        targets = request.targets(ager.bundle.atlas, scores, population)
        changer = _Changer(ager, info, track, scores, targets, kept)
        for index, frame in enumerate(shown(_copying(info, container, writer), "aging", len(track))):
            if index >= len(track):
                raise VideoError(f"{source}: grew while it was read; copy it to another place first")
            fitted = writer.fitted(frame)
            changer.change(index, frame, fitted)
            writer.write(fitted)
        writer.finish()
    end = time.perf_counter()
    grade = ager.bundle.atlas.age.grade
    return VideoReport(
        frames=len(track),
        aged=int((track.strength > 0).sum()),
        doubtful=tracker.doubtful,
        shots=int(track.shots[-1]) + 1,
        scored=scored,
        age=round(grade(scores[AGE]), 1),
        scores={zone: round(score, 4) for zone, score in scores.items() if zone != AGE},
        target_age=round(grade(targets[AGE]), 1),
        targets={zone: round(score, 4) for zone, score in targets.items() if zone != AGE},
        flicker=_rounded(changer.after.flicker),
        flicker_unsmoothed=_rounded(changer.before.flicker),
        left_out=info.left_out,
        seconds={"follow": round(followed - start, 3), "age": round(end - followed, 3)},
        frames_per_second=round(len(track) / (end - start), 2),
    )


class _Changer:
    """Changes the person's face in one frame after the other."""

    def __init__(
        self,
        ager: Ager,
        info: VideoInfo,
        track: Track,
        scores: dict[str, float],
        targets: dict[str, float],
        kept: float,
    ) -> None:
        self._ager, self._info, self._track, self._scores, self._targets = ager, info, track, scores, targets
        self._steady = SteadyChange(kept)
        self.before, self.after = FlickerMeter(), FlickerMeter()
        self._shot, self._size = -1, 0
        self._last = -1

    def change(self, index: int, frame: Any, fitted: Any) -> None:
        """Adds the change to `fitted`, which shows what the decoded `frame` shows, if the face is in it."""
        strength = float(self._track.strength[index])
        if strength == 0:
            return
        self._begin(index)
        view = self._view(index, self._info.rgb(frame))
        change = face_change(self._ager.bundle, view, self._targets, bf16=self._ager.bf16)
        self.before.add(change, view.rgb)
        smoothed = self._steady(view.rgb, change)
        self.after.add(smoothed, view.rgb)
        window = view.report.region
        if window[0] >= window[2] or window[1] >= window[3]:
            return
        pasted = view.alignment.paste(smoothed * np.float32(strength), (frame.height, frame.width), window)
        fitted.make_writable()
        add_change(fitted, pasted, window[:2], self._info.space, self._info.full_range)

    def _begin(self, index: int) -> None:
        """Forgets the past where another shot begins, or the face comes back."""
        shot = int(self._track.shots[index])
        if shot != self._shot:
            self._shot = shot
            self._size = working_size(self._ager.bundle, self._track.own_size(shot))
        elif index == self._last + 1:
            self._last = index
            return
        self._last = index
        for part in (self._steady, self.before, self.after):
            part.restart()

    def _view(self, index: int, rgb: npt.NDArray[np.uint8]) -> FaceView:
        """The face of a frame as stored, by smoothed landmarks."""
        upright = align_face(self._track.landmarks(index, SQUARE_SIGMA), self._size)
        landmarks = upright.to_aligned(self._track.landmarks(index, ZONES_SIGMA))
        turn = self._info.to_stored
        matrix = turn[:, :2] @ upright.matrix
        matrix[:, 2] += turn[:, 2]
        alignment = Alignment(matrix, self._size)
        box = (*upright.to_photo(landmarks).min(axis=0), *upright.to_photo(landmarks).max(axis=0))
        left, top, right, bottom = (float(value) for value in box)
        report = FaceReport(
            (left, top, right, bottom), alignment.window(rgb.shape[:2]), self._scores[AGE], self._scores
        )
        masks = zone_masks(self._ager.bundle.atlas, landmarks, self._size)
        return FaceView(alignment, alignment.crop(rgb), landmarks, masks, self._scores, report)


def _copying(info: VideoInfo, container: Any, writer: VideoWriter) -> Iterator[Any]:
    """All decoded frames again; the sound between them goes to the writer."""
    video = container.streams.video[0]
    for packet in packets(info.path, container, video, *container.streams.audio):
        if packet.stream.type == "audio":
            writer.copy(packet)
        else:
            yield from decoded(info, packet)


def _silent(frames: Iterable[Any], label: str, total: int | None) -> Iterable[Any]:
    return frames


def _missing(source: Path, face: int | None, most: int) -> str:
    if most:
        return f"{source}: no frame has a face {face}; the most in one frame are {most}, numbered from 0"
    return f"{source}: no face found; use a video where the face is upright, sharp and uncovered"


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)
