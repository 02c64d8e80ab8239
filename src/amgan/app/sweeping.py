"""Sweeps of the page: the chosen face on its way along a sign, or from the photo to what is asked for."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from amgan.app.session import Session
from amgan.app.studio import Studio
from amgan.errors import OutputError, RequestError
from amgan.faces.output import write_image
from amgan.faces.photo import Photo
from amgan.inference.clip import check_clip, write_clip
from amgan.inference.request import Request
from amgan.inference.sweep import EVERY, Course, course_along, pictures, strip
from amgan.maps.sides import sides_of
from amgan.signs.atlas import AGE, SIDES, Atlas

ASKED = "asked"
"""Names the sweep from the photo as it is to what sliders and brush ask for."""

LEAST, MOST = 2, 60
"""Pictures of a sweep."""

FPS = 24.0
# A strip of more pixels fills the memory and is shown by no browser.
_STRIP_PIXELS = 120_000_000

Kind = Literal["strip", "clip"]
SUFFIXES: dict[Kind, str] = {"strip": ".png", "clip": ".mp4"}
USUAL: dict[Kind, int] = {"strip": 7, "clip": 24}
"""Pictures of a sweep unless another number is chosen."""


@dataclass(frozen=True)
class Sweep:
    """What is to be swept.

    Attributes:
        along: ``asked``, ``age``, ``all``, or a sign with or without its side.
        kind: Whether the pictures stand side by side or one after the other, there and back.
        steps: How many they are from one end to the other.
    """

    along: str
    kind: Kind
    steps: int


@dataclass(frozen=True)
class Asked:
    """What a session asks for at one moment; sliders, brush and "Other lines" go on while a sweep is made.

    Attributes:
        face: Number of the face.
        request: What is asked for.
        painted: The map painted over that.
        seed: Which set of lines.
    """

    face: int
    request: Request
    painted: Photo | None
    seed: int

    @classmethod
    def of(cls, session: Session) -> Asked:
        """That of now."""
        return cls(session.face, session.request, session.laid, session.seed)


def ways(atlas: Atlas, halves: bool, signs: bool = True) -> list[tuple[str, str]]:
    """Everything that can be swept, each as its title on the page and its name in `Sweep`.

    Args:
        atlas: Signs of the model.
        halves: As `place_sliders`.
        signs: Whether the model knows them.

    Example:
        >>> from amgan.signs.atlas import unit_atlas
        >>> ways(unit_atlas(), halves=True)[3:5]
        [('Forehead wrinkles', 'forehead_wrinkles'), ('Forehead wrinkles, left', 'forehead_wrinkles.left')]
    """
    found = [("From the photo to what is asked for", ASKED), ("All signs and the age", EVERY), ("Age", AGE)]
    for name, sign in atlas.signs.items() if signs else ():
        found.append((sign.label, name))
        if halves or len(atlas.zones_of(name)) > 1:
            found += [(f"{sign.label}, {side}", aimed) for side, aimed in zip(SIDES, sides_of(name), strict=True)]
    return found


def sweep(studio: Studio, session: Session, wanted: Sweep) -> Iterator[int]:
    """Makes a sweep, whose file is `session.swept` at the end, and `session.replay` the command that makes it too.

    The model is free between two pictures and while the file is written, so that the page goes on answering.

    Args:
        studio: Does the work.
        session: The visitor's; its face and what is asked for are those of the moment when it begins.
        wanted: What is swept.

    Yields:
        How many pictures are made. It ends early, without a file, when the session's `sweep` has changed.

    Raises:
        RequestError: Nothing is asked for, or it is larger than can be shown.
        MissingExtraError: A clip is wanted and PyAV is not installed.
        OutputError: The pictures are too large for a clip, or for the disk.
    """
    with studio.exclusive:
        if session.photo is None:
            raise RequestError("there is no photo to sweep; drop one first")
        session.unsweep()
        ticket, photo, view, asked = session.sweep, session.photo, session.view, Asked.of(session)
        course, painted = _course(asked, wanted, studio.atlas)
        targets = course.targets(view, studio.atlas, wanted.steps, None)
    left, top, right, bottom = box = view.report.region
    path = session.folder / "download" / f"{Path(photo.name).stem}-{wanted.along}{SUFFIXES[wanted.kind]}"
    if wanted.kind == "clip":
        check_clip(path, (bottom - top, right - left))
    elif wanted.steps * (bottom - top) * (right - left) > _STRIP_PIXELS:
        raise RequestError("so many pictures of this size are too large for a strip; make fewer, or a clip")
    made = pictures(studio.ager, photo, view, targets, box, asked.seed, painted)
    # Kept on the disk, as at full size they would fill the memory.
    folder = session.folder / f"sweep-{ticket}"
    # While the file is written they are elsewhere, so that a session that is closed need not wait for that.
    aside = studio.folder / secrets.token_hex(8)
    try:
        for done in range(1, wanted.steps + 1):
            with studio.exclusive:
                if session.sweep != ticket:
                    return
                picture = next(made)
                try:
                    folder.mkdir(parents=True, exist_ok=True)
                    np.save(folder / f"{done}.npy", picture)
                except OSError as error:
                    fault = f"the pictures of the sweep cannot be kept ({error.strerror})"
                    raise OutputError(f"{fault}; make fewer, or start the page with more room in TMPDIR") from error
            yield done
        with studio.exclusive:
            if session.sweep != ticket:
                return
            folder.rename(aside)
        _write(aside, path.name, wanted, course.labels(targets, studio.atlas))
        with studio.exclusive:
            if session.sweep != ticket:
                return
            path.parent.mkdir(parents=True, exist_ok=True)
            (aside / path.name).replace(path)
            session.swept, session.replay = path, command(studio, asked, wanted)
    finally:
        for used in (folder, aside):
            shutil.rmtree(used, ignore_errors=True)


def _write(folder: Path, name: str, wanted: Sweep, labels: list[str]) -> None:
    """Makes one file of the pictures of a folder, in it."""
    frames = (np.load(folder / f"{number}.npy") for number in range(1, wanted.steps + 1))
    if wanted.kind == "clip":
        write_clip(frames, folder / name, FPS)
    else:
        write_image(strip(list(frames), labels), folder / name)


def command(studio: Studio, asked: Asked, wanted: Sweep) -> str | None:
    """The command that makes the same file; None if something is painted, which it cannot be told."""
    way = f"--along {wanted.along}"
    if wanted.along == ASKED:
        if asked.painted is not None:
            return None
        request = asked.request
        parts = [] if request.age is None else [f"age={request.age:g}"]
        way = "--to " + ",".join([*parts, *(f"{name}={score}" for name, score in request.signs.items())])
    labels = " --labels" if wanted.kind == "strip" else ""
    face = f" --face {asked.face}" if asked.face else ""
    seed = f" --seed {asked.seed}" if asked.seed else ""
    pictures = f"--steps {wanted.steps}{labels}{face}{seed} --precision {studio.precision}{studio.model}"
    return f"amgan sweep PHOTO -o OUT{SUFFIXES[wanted.kind]} {way} {pictures}"


def _course(asked: Asked, wanted: Sweep, atlas: Atlas) -> tuple[Course, Photo | None]:
    if wanted.along != ASKED:
        return course_along(wanted.along, None, None, atlas), None
    if asked.request.empty and asked.painted is None:
        raise RequestError("nothing is changed yet; move a slider or paint first, or sweep along a sign")
    return Course(Request(), asked.request), asked.painted
