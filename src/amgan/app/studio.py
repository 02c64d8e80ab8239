"""The work behind the page: one model for all visitors, one picture made at a time, outdated ones left undone."""

from __future__ import annotations

import secrets
import shlex
import threading
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal

from PIL import Image

from amgan.app.painting import painting
from amgan.app.pictures import Rgb
from amgan.app.session import Session, take_photo
from amgan.errors import PhotoError, RequestError
from amgan.faces.output import write_image
from amgan.faces.photo import Photo
from amgan.inference.ager import Ager
from amgan.inference.change import prepare
from amgan.inference.recipe_file import RecipeFile
from amgan.inference.request import Request
from amgan.inference.views import Aged, FaceView, shown


class Studio:
    """All sessions, and the model they share. Its methods may be called from several threads.

    Args:
        ager: The model; closed by the caller.
        folder: Where sessions have their folders.
        model: Options by which the command line takes the model that `ager` is, such as ``--model`` and its path.

    Attributes:
        model: Those options, quoted for a shell, each with a space before it.
        exclusive: Held while the model works, and from there until what it made is written: a session that is closed or
            takes another photo meanwhile waits, so that no file outlives it. The file of a sweep is written without it,
            outside of the session's folder.
    """

    def __init__(self, ager: Ager, folder: Path, model: Sequence[str] = ()) -> None:
        self.ager = ager
        self.atlas = ager.bundle.atlas
        self.folder = folder
        self.model = "".join(f" {shlex.quote(word)}" for word in model)
        self._sessions: dict[str, Session] = {}
        self.exclusive = threading.RLock()
        self._registry = threading.Lock()

    @property
    def precision(self) -> Literal["bf16", "fp32"]:
        """What the model computes in."""
        return "bf16" if self.ager.bf16 else "fp32"

    @property
    def signs(self) -> bool:
        """Whether signs can be changed: a model of the age alone knows none."""
        return self.ager.bundle.generator.config.knows_signs

    @property
    def halves(self) -> bool:
        """Whether half a zone can be changed: aging maps that know no places have none."""
        return self.ager.bundle.generator.config.knows_places

    def session(self, key: str) -> Session:
        """The session of a visitor; a new one if there is none."""
        with self._registry:
            if key not in self._sessions:
                token = secrets.token_urlsafe(24)
                self._sessions[key] = Session(self.folder / token, token)
            return self._sessions[key]

    def by_token(self, token: str) -> Session | None:
        """The session whose downloads have this token."""
        with self._registry:
            return next((s for s in self._sessions.values() if s.token == token), None)

    def close(self, key: str) -> None:
        """Ends a session: its photo is forgotten and its files are deleted."""
        with self._registry:
            session = self._sessions.pop(key, None)
        if session is not None:
            with self.exclusive:
                session.delete()

    def open(self, session: Session, upload: Path) -> None:
        """Takes a photo and finds and scores its faces, once; the largest is chosen.

        It is passed over if the session has been closed, or has got another photo, before the model is free.

        Raises:
            PhotoError: It cannot be read.
            NoFaceError: It has no face. The session is then empty.
        """
        session.arrivals += 1
        ticket = session.arrivals
        arrived: Photo | PhotoError
        # Before it is its turn: on the disk it would outlive a page that is closed while the model is at work.
        try:
            arrived = take_photo(upload)
        except PhotoError as error:
            arrived = error
        with self.exclusive:
            if session.arrivals != ticket or self.by_token(session.token) is None:
                return
            session.delete()
            if isinstance(arrived, PhotoError):
                raise arrived
            session.views = self.ager.analyze(arrived)
            session.photo = arrived
            session.choose(0)

    def preview(self, session: Session) -> Rgb | None:
        """The face at the present request, computed at half size, which takes a quarter of the time.

        Returns:
            (h, w, 3) uint8, the face's part of the photo at its full size; None if a newer request came in meanwhile.
        """
        revision = session.revision
        with self.exclusive:
            if revision != session.revision or session.photo is None:
                return None
            aim = (self._small(session, session.photo), self.targets(session))
            aged = self.ager.age_views(session.photo, [aim], painted=session.laid, seed=session.seed)
            return shown(aged.image, session.photo.name, session.view.report.region)

    def prepare(self, session: Session) -> None:
        """Finds what every picture of the chosen face wants to know of it, while nothing is asked for yet.

        The first preview and the first full picture would find just that, and wait for it. It is left to them as soon
        as they are wanted, and as soon as there is another face, or none: the model is kept from nobody meanwhile.
        """
        with self.exclusive:
            revision = session.revision
            if session.photo is None or session.finished != revision:
                return
            faces = self._small(session, session.photo), session.view
        for face in faces:
            if session.revision != revision:
                return
            prepare(self.ager.bundle, face)

    def full(self, session: Session, revision: int) -> Aged[Image.Image] | None:
        """The photo at the request of that revision, exactly as the command line makes it from its recipe.

        Returns:
            The picture, made once; None if a newer request came in meanwhile.
        """
        with self.exclusive:
            if revision != session.revision or session.photo is None:
                return None
            if session.aged is None or session.aged[0] != revision:
                aim = (session.view, self.targets(session))
                aged = self.ager.age_views(session.photo, [aim], painted=session.laid, seed=session.seed)
                session.aged = (revision, aged)
            return session.aged[1]

    def _small(self, session: Session, photo: Photo) -> FaceView:
        """The chosen face at half size, made once."""
        if session.small is None:
            multiple = self.ager.bundle.generator.config.multiple
            half = max(round(session.view.alignment.size / 2 / multiple), 1) * multiple
            session.small = session.view.resized(photo.rgb, half)
        return session.small

    def paint(self, session: Session, chosen: str, drawing: bytes) -> None:
        """Takes what was painted on a face.

        Args:
            session: The visitor's.
            chosen: The session's `chosen` when it was painted.
            drawing: As `painting` reads it.

        Raises:
            RequestError: There is no photo, another face was chosen since, or the drawing cannot be read.
        """
        # Not under `exclusive`: as with the sliders, what is being computed is outdated at once.
        photo, views = session.photo, session.views
        if photo is None or not views:
            raise RequestError("there is no photo to paint on; drop one first")
        painted = painting(drawing, views[session.face], photo.rgb.shape[:2])
        if session.chosen != chosen:
            raise RequestError("another face was chosen; paint on that")
        session.paint(painted)

    def targets(self, session: Session) -> dict[str, float]:
        """Score in 0..1 aimed at of each zone and of ``age``."""
        return session.request.targets(self.atlas, session.view.scores)

    def preset_targets(self, session: Session, request: Request) -> dict[str, float]:
        """What a ready-made request aims at on the session's face."""
        return request.targets(self.atlas, session.view.scores)

    def recipe(self, session: Session) -> RecipeFile:
        """The present request for ``amgan age --recipe``.

        Raises:
            RequestError: Nothing is asked for.
        """
        if session.photo is None or session.unchanged:
            raise RequestError("nothing is changed yet; move a slider or paint first")
        return RecipeFile.of(replace(session.request, face=session.face), session.seed, self.precision, session.painted)

    def picture(self, session: Session) -> tuple[Path, str]:
        """Writes the present picture as a PNG, with what the photo's file had, into the session's folder.

        Returns:
            A file of its own, for the caller to delete, and the name under which to download it.

        Raises:
            RequestError: There is no photo, or it changed while the picture was made.
        """
        with self.exclusive:
            aged = self.full(session, session.revision)
            if aged is None or session.photo is None:
                raise RequestError("the photo or what is asked for has just changed; download again")
            path = session.folder / "download" / f"{secrets.token_hex(8)}.png"
            write_image(aged.image, path, photo=session.photo)
            return path, f"{Path(session.photo.name).stem}-aged.png"
