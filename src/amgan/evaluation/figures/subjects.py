"""The face of a photo that a figure shows, and what a model makes of it: always the same square of the photo."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from amgan.faces.photo import Photo
from amgan.inference.ager import Ager
from amgan.inference.facemaps import map_of
from amgan.inference.sweep import pictures
from amgan.inference.views import FaceView, cut
from amgan.signs.atlas import AGE
from amgan.signs.levels import OLD, YOUNG

Rgb = npt.NDArray[np.uint8]
Box = tuple[int, int, int, int]


def _unwatched(items: Iterable[Rgb], label: str, total: int) -> Iterable[Rgb]:
    return items


@dataclass(frozen=True)
class FigureOptions:
    """What a figure can be asked for beside its photos and models.

    Attributes:
        low: Score in 0..1 of all signs and the age when a face is rejuvenated.
        high: As above, when it is aged.
        steps: Pictures of a strip; None leaves it to the figure.
        signs: The signs whose zones figure 2 shows; none are the paper's.
        face: Which face of a photo, 0 being the largest.
        panel: Largest side of a picture in the figure, pixels: larger faces are shrunk to it.
        seed: Of the dither.
        progress: Wraps the pictures of a photo, to show a bar; gets a label and their number.
    """

    low: float = YOUNG
    high: float = OLD
    steps: int | None = None
    signs: tuple[str, ...] = ()
    face: int = 0
    panel: int = 1024
    seed: int = 0
    progress: Callable[[Iterable[Rgb], str, int], Iterable[Rgb]] = field(default=_unwatched, repr=False)


@dataclass(frozen=True)
class Subject:
    """One face of a photo.

    Attributes:
        photo: The photo.
        view: The face.
        box: The square that is shown, (left, top, right, bottom), pixels of the photo.
    """

    photo: Photo
    view: FaceView
    box: Box

    @property
    def original(self) -> Rgb:
        """(S, S, 3) uint8, the square as it is."""
        return cut(self.photo, self.box)

    @property
    def scores(self) -> dict[str, float]:
        """Its own scores, of all zones and of ``age``."""
        return self.view.scores

    def all_at(self, score: float) -> dict[str, float]:
        """`score` for all zones and ``age``."""
        return dict.fromkeys(self.scores, score)

    def signs_at(self, score: float) -> dict[str, float]:
        """`score` for all zones; the age, which fills what is no zone, stays."""
        return self.all_at(score) | {AGE: self.scores[AGE]}


def subject_of(ager: Ager, photo: Photo, face: int) -> Subject:
    """Finds a face of a photo.

    Raises:
        NoFaceError: It has none, or not so many.
    """
    (view,) = ager.analyze(photo, face)
    height, width = photo.rgb.shape[:2]
    left, top, right, bottom = view.report.region
    side = min(max(right - left, bottom - top), height, width)
    left = min(max((left + right - side) // 2, 0), width - side)
    top = min(max((top + bottom - side) // 2, 0), height - side)
    return Subject(photo, view, (left, top, left + side, top + side))


def made(ager: Ager, subject: Subject, targets: Sequence[dict[str, float]], options: FigureOptions) -> list[Rgb]:
    """The square of a subject for each of the targets, (S, S, 3) uint8 in the photo's own pixels."""
    aged = pictures(ager, subject.photo, subject.view, targets, subject.box, options.seed)
    return list(options.progress(aged, subject.photo.name, len(targets)))


def map_pictures(ager: Ager, subject: Subject, scores: Mapping[str, float]) -> list[Rgb]:
    """The aging map as it lies over the square, a grey (S, S, 3) uint8 picture a channel; white is 1."""
    channels = map_of(ager.bundle, subject.view, scores)[0]
    small = subject.view.alignment.resized(channels.shape[-1])
    shape = subject.photo.rgb.shape[:2]
    greys = (np.rint(255 * small.paste(channel, shape, subject.box)).astype(np.uint8) for channel in channels)
    return [np.repeat(grey[..., None], 3, axis=2) for grey in greys]


def panel_side(subjects: Iterable[Subject], options: FigureOptions) -> int:
    """Side in pixels of every panel of a figure: of the largest face in it, if `options.panel` allows that."""
    return min(max(subject.box[2] - subject.box[0] for subject in subjects), options.panel)
