"""A face on its way from one request to another: pictures at even steps, and a strip of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from amgan.errors import RequestError
from amgan.faces.photo import Photo
from amgan.inference.ager import Ager
from amgan.inference.painted import fitting
from amgan.inference.request import Request, parse_age, parse_recipe, parse_score
from amgan.inference.views import FaceView, shown
from amgan.maps.sides import score_of
from amgan.signs.atlas import AGE, Atlas

EVERY = "all"
Rgb = npt.NDArray[np.uint8]

# Height of a label, and its distance from the edges of its line, as shares of the pictures' height.
_LETTERS, _MARGIN = 1 / 14, 1 / 40
_SMALLEST = 9  # pixels, which can just be read


@dataclass(frozen=True)
class Course:
    """Where a sweep begins and ends.

    Attributes:
        start: What is asked for at first.
        end: What is asked for at last.
        shown: The zone, half of one, or ``age``, whose target is told of each picture; None tells the share of the way
            instead.
    """

    start: Request
    end: Request
    shown: str | None = None

    def targets(self, view: FaceView, atlas: Atlas, steps: int, population: Atlas | None) -> list[dict[str, float]]:
        """Score in 0..1 of each zone and of ``age`` at each of `steps` even steps, both ends among them."""
        first, last = (end.targets(atlas, view.scores, population) for end in (self.start, self.end))
        # Only one of them may ask for halves.
        ends = {key: (score_of(first, key), score_of(last, key)) for key in first | last}
        # Weighted so, rather than by a difference, that both ends are exact.
        return [
            {key: float((1 - t) * low + t * high) for key, (low, high) in ends.items()}
            for t in np.linspace(0, 1, steps)
        ]

    def labels(self, targets: Sequence[dict[str, float]], atlas: Atlas) -> list[str]:
        """A few letters on each of the pictures that aim at `targets`."""
        if self.shown is None:
            return [f"{100 * index / (len(targets) - 1):.0f}%" for index in range(len(targets))]
        if self.shown == AGE:
            return [f"{atlas.age.grade(aim[AGE]):.0f} years" for aim in targets]
        return [f"{aim[self.shown]:.2f}" for aim in targets]


def course_along(name: str, low: str | None, high: str | None, atlas: Atlas) -> Course:
    """The course along the age, one sign or all of them.

    Args:
        name: ``age``, ``all``, or a sign with or without its side.
        low: Where it begins: years, or a score or percentile; None is the least that the atlas knows.
        high: Where it ends; None is the most.
        atlas: Signs of the model.

    Raises:
        RequestError: `low` or `high` is malformed.
        AtlasError: The sign is unknown.
    """
    if name == AGE:
        youngest, oldest = sorted(atlas.age.grades)
        years = (youngest if low is None else parse_age(low), oldest if high is None else parse_age(high))
        return Course(Request(age=years[0]), Request(age=years[1]), AGE)
    scores = (parse_score("0" if low is None else low), parse_score("1" if high is None else high))
    if name == EVERY:
        return Course(Request(every=scores[0]), Request(every=scores[1]), atlas.zones[0])
    aimed = atlas.targets_of(name)[0]
    return Course(Request(signs={name: scores[0]}), Request(signs={name: scores[1]}), aimed)


def course_between(low: str | None, high: str) -> Course:
    """The course between two recipes as `parse_recipe` reads them; no first one is the photo as it is.

    Raises:
        RequestError: One is malformed, or both ask for nothing.
    """
    course = Course(parse_recipe(low or ""), parse_recipe(high))
    if course.start.empty and course.end.empty:
        raise RequestError("nothing to change: neither recipe names all, age or a sign")
    return course


def pictures(
    ager: Ager,
    photo: Photo,
    view: FaceView,
    targets: Sequence[dict[str, float]],
    box: tuple[int, int, int, int],
    seed: int = 0,
    painted: Image.Image | Photo | None = None,
) -> Iterator[Rgb]:
    """Makes the pictures of a sweep, each as `Ager.age` would make it, cut to the same box.

    Args:
        ager: The model.
        photo: The photo.
        view: Its face that changes.
        targets: Score in 0..1 of each zone and of ``age`` for each picture.
        box: (left, top, right, bottom), pixels of the photo.
        seed: Of the dither, which is the same in all.
        painted: A map as `Ager.age` takes it. It comes in evenly: the first picture has nothing of it, the last all.

    Yields:
        (H, W, 3) uint8 sRGB; what is transparent in the photo lies on white.
    """
    whole = fitting(painted, photo)
    for share, aim in zip(np.linspace(0, 1, len(targets)), targets, strict=True):
        paint = None if whole is None else _faded(whole, share)
        yield shown(ager.age_views(photo, [(view, aim)], painted=paint, seed=seed).image, photo.name, box)


def strip(frames: Sequence[Rgb], labels: Sequence[str] | None = None) -> Image.Image:
    """Lays pictures of one size side by side.

    Args:
        frames: (H, W, 3) uint8 each.
        labels: A line of text under each.
    """
    row = np.concatenate(frames, axis=1)
    if labels is None:
        return Image.fromarray(row)
    height, width = frames[0].shape[:2]
    letters, margin = max(round(height * _LETTERS), _SMALLEST), max(round(height * _MARGIN), 2)
    canvas = Image.new("RGB", (row.shape[1], height + letters + 2 * margin), "white")
    canvas.paste(Image.fromarray(row))
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(letters)
    for index, label in enumerate(labels):
        draw.text(((index + 0.5) * width, height + margin), label, "black", font, anchor="ma")
    return canvas


def _faded(painted: Photo, share: float) -> Photo:
    """A painted map of so much less opacity: aging maps are linear, so it is a step of the way to the whole of it."""
    opacity = np.full(painted.rgb.shape[:2], 255, np.uint8) if painted.alpha is None else painted.alpha
    return replace(painted, alpha=np.rint(opacity * np.float32(share)).astype(np.uint8))
