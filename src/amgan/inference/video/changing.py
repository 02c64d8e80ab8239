"""The second pass of `amgan video`: what is added to the person's face in one frame after the other."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from amgan.faces.align import Alignment, align_face
from amgan.inference.ager import Ager
from amgan.inference.change import face_change
from amgan.inference.finding import working_size
from amgan.inference.surroundings import STEP, STEPS, look_around, seen_from
from amgan.inference.video.flicker import FlickerMeter
from amgan.inference.video.planes import add_change
from amgan.inference.video.reading import VideoInfo
from amgan.inference.video.steady import SteadyChange
from amgan.inference.video.track import SQUARE_SIGMA, ZONES_SIGMA, Track
from amgan.inference.video.unfinished import State
from amgan.inference.views import FaceReport, FaceView
from amgan.maps.darkening import newly_dark
from amgan.maps.greying import newly_grey
from amgan.signs.atlas import AGE
from amgan.signs.zones import zone_masks

_UNKNOWN = -1


class Changer:
    """Changes the person's face in one frame after the other.

    Args:
        ager: The model.
        info: Of the video.
        track: Where the face is.
        scores: Its own scores, in 0..1.
        targets: Scores to aim at, in 0..1.

    Attributes:
        before: Flicker of what is added, before it is smoothed.
        after: The same, smoothed.
    """

    def __init__(
        self,
        ager: Ager,
        info: VideoInfo,
        track: Track,
        scores: dict[str, float],
        targets: dict[str, float],
    ) -> None:
        self._ager, self._info, self._track, self._scores, self._targets = ager, info, track, scores, targets
        self._steady = SteadyChange()
        self.before, self.after = FlickerMeter(), FlickerMeter()
        self._shot, self._size, self._last = -1, 0, -1
        # How far hair is followed out of the face's square (`look_around`); not known yet where a shot begins.
        self._steps = _UNKNOWN
        years = [float(ager.bundle.atlas.age.grade(known[AGE])) for known in (scores, targets)]
        self._age = round(years[0], 1)
        self._zones = {zone: round(score, 4) for zone, score in scores.items() if zone != AGE}
        turns = float(newly_grey(*years)) > 0 or float(newly_dark(*years)) > 0
        self._turns_hair = ager.bundle.generator.config.greys and turns

    @property
    def state(self) -> State:
        """What it remembers of the frames so far, for `restore`."""
        parts = {"steady": self._steady.state, "before": self.before.state, "after": self.after.state}
        found = {f"{name}.{key}": value for name, part in parts.items() for key, value in part.items()}
        return {**found, "place": np.array([self._shot, self._size, self._last, self._steps])}

    def restore(self, state: State) -> None:
        """Goes on behind the frames of the one whose `state` that was."""
        for name, part in (("steady", self._steady), ("before", self.before), ("after", self.after)):
            part.restore({key.partition(".")[2]: value for key, value in state.items() if key.startswith(f"{name}.")})
        self._shot, self._size, self._last, self._steps = (int(value) for value in state["place"])

    def change(self, index: int, frame: Any, fitted: Any) -> None:
        """Adds the change to `fitted`, which shows what the decoded `frame` shows, if the face is in it."""
        strength = float(self._track.strength[index])
        if strength == 0:
            return
        self._begin(index)
        view = self._view(index, self._info.rgb(frame))
        change = face_change(self._ager.bundle, view, self._targets, bf16=self._ager.bf16)
        self.before.add(view.wide.of_face(change), view.rgb)
        smoothed = self._steady(view.wide.rgb, change, self._size)
        self.after.add(view.wide.of_face(smoothed), view.rgb)
        window = view.report.region
        if window[0] >= window[2] or window[1] >= window[3]:
            return
        pasted = view.wide.alignment.paste(smoothed * np.float32(strength), (frame.height, frame.width), window)
        fitted.make_writable()
        add_change(fitted, pasted, window[:2], self._info.space, self._info.full_range)

    def _begin(self, index: int) -> None:
        """Forgets the past where another shot begins, or the face comes back."""
        shot = int(self._track.shots[index])
        if shot != self._shot:
            self._shot = shot
            self._size = working_size(self._ager.bundle, self._track.own_size(shot))
            self._steps = _UNKNOWN if self._turns_hair else 0
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
        masks = zone_masks(self._ager.bundle.atlas, landmarks, self._size)
        aligned = alignment.crop(rgb)
        parts = self._ager.parser.parse(aligned)
        others = seen_from(upright, self._track.others(index))
        if self._steps == _UNKNOWN:
            # As far all through a shot, or what is added would have to begin anew; and a little more, for heads move.
            far = look_around(self._ager.parser, rgb, alignment, aligned, parts, others).cells // STEP
            self._steps = min(far + 1, STEPS) if far else 0
        wide = look_around(self._ager.parser, rgb, alignment, aligned, parts, others, self._steps)
        report = FaceReport((left, top, right, bottom), wide.window(rgb.shape), self._age, self._zones)
        return FaceView(alignment, aligned, landmarks, masks, parts, wide, self._scores, report)
