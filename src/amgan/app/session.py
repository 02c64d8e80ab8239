"""What the page keeps of one visitor: photo, faces and the last picture, in memory and in one folder of its own."""

from __future__ import annotations

import secrets
import shutil
from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from amgan.app.pictures import Rgb
from amgan.errors import PhotoError
from amgan.faces.photo import Photo, read_photo
from amgan.inference.request import Request
from amgan.inference.views import Aged, FaceView, shown

# Files that a browser may still be fetching when newer ones are there.
_KEPT_FILES = 16


@dataclass
class Session:
    """One visitor's photo.

    Attributes:
        folder: Of the pictures shown; deleted with the session.
        token: Names the session in addresses of downloads, and cannot be guessed.
        photo: The photo; it is in memory only.
        views: Its faces, the largest first.
        face: Number of the face that is changed.
        request: What is asked for now.
        revision: Counts requests, so that work on an outdated one can be left undone.
        finished: Revision whose full picture is on the page.
        before: The face's part of the photo.
        before_file: That as a picture for the page.
        aged: A revision and the photo at its request.
    """

    folder: Path
    token: str
    photo: Photo | None = None
    views: list[FaceView] = field(default_factory=list)
    face: int = 0
    request: Request = field(default_factory=Request)
    revision: int = 0
    finished: int = 0
    before: Rgb | None = None
    before_file: str = ""
    aged: tuple[int, Aged[Image.Image]] | None = None
    _files: deque[Path] = field(default_factory=deque)

    @property
    def view(self) -> FaceView:
        """The face that is changed."""
        return self.views[self.face]

    def choose(self, face: int) -> None:
        """Takes another face, with nothing asked of it yet."""
        assert self.photo is not None
        self.face, self.request, self.aged = face, Request(face=face), None
        self.revision += 1
        self.finished = self.revision
        self.before = shown(self.photo.replace(self.photo.rgb), self.photo.name, self.view.report.region)
        if self.before_file:
            self._outdated(Path(self.before_file))
        self.before_file = str(self._write("before", self.before))

    def ask(self, request: Request) -> bool:
        """Takes a new request; whether it differs from the last."""
        if request == self.request:
            return False
        self.request = request
        self.revision += 1
        return True

    def save(self, kind: str, rgb: Rgb) -> str:
        """Writes a picture for the page, and deletes those that it no longer shows.

        Args:
            kind: Begins the file's name.
            rgb: (H, W, 3) uint8.

        Returns:
            Path of a JPEG of full size without colour subsampling. It is for the screen: the download is a PNG.
        """
        path = self._write(kind, rgb)
        self._outdated(path)
        return str(path)

    def delete(self) -> None:
        """Forgets the photo and deletes every file made of it."""
        self.photo, self.views, self.before, self.aged = None, [], None, None
        self.request, self.before_file = Request(), ""
        self._files.clear()
        self.revision += 1
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, kind: str, rgb: Rgb) -> Path:
        path = self.folder / f"{kind}-{secrets.token_hex(4)}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        options = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
        _, encoded = cv2.imencode(".jpg", np.ascontiguousarray(rgb[..., ::-1]), options)
        path.write_bytes(encoded.tobytes())
        return path

    def _outdated(self, path: Path) -> None:
        """Has a picture deleted as soon as enough newer ones are there."""
        self._files.append(path)
        while len(self._files) > _KEPT_FILES:
            self._files.popleft().unlink(missing_ok=True)


def take_photo(upload: Path) -> Photo:
    """Reads an uploaded file and deletes it: from here on the photo is in memory only.

    Raises:
        PhotoError: It cannot be read; the message has the file's name without the temporary folder.
    """
    try:
        photo = read_photo(upload)
    except PhotoError as error:
        raise PhotoError(str(error).replace(str(upload), upload.name)) from error
    finally:
        upload.unlink(missing_ok=True)
    return replace(photo, name=upload.name, path=None)
