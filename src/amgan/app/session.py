"""What the page keeps of one visitor: photo, faces and the last picture, in memory and in one folder of its own."""

from __future__ import annotations

import secrets
import shutil
from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from amgan.app.pictures import Rgb
from amgan.errors import PhotoError
from amgan.faces.photo import Photo, photo_from_image, read_photo
from amgan.inference.painted import PAINTED
from amgan.inference.request import Request
from amgan.inference.views import Aged, FaceView, shown

# Files that a browser may still be fetching when newer ones are there.
_KEPT_FILES = 24
# Side of the small picture of a face, pixels.
_THUMBNAIL = 192
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 95, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]


@dataclass
class Session:
    """One visitor's photo.

    Attributes:
        folder: Of the pictures shown; deleted with the session.
        token: Names the session in addresses of downloads, and cannot be guessed.
        photo: The photo; it is in memory only.
        arrivals: Counts photos that came in, so that one knows when another is wanted in its place.
        views: Its faces, the largest first.
        face: Number of the face that is changed.
        small: That face at half size, for previews, as soon as one is wanted: what is found on it is kept with it.
        request: What is asked for now.
        painted: A map painted over that, as large as the photo.
        laid: That, taken apart once for all pictures.
        seed: Which of many sets of lines.
        revision: Counts requests and paintings, so that work on an outdated one can be left undone.
        finished: Revision whose full picture is on the page.
        before: The face's part of the photo.
        before_file: That as a picture for the page.
        aged: A revision and the photo at its request.
        sweep: Counts sweeps, those stopped too, so that one knows when it is no longer wanted.
        swept: The file of the last one.
        replay: The command that makes the same file; None if no command can.
    """

    folder: Path
    token: str
    photo: Photo | None = None
    arrivals: int = 0
    views: list[FaceView] = field(default_factory=list)
    face: int = 0
    small: FaceView | None = None
    request: Request = field(default_factory=Request)
    painted: Image.Image | None = None
    laid: Photo | None = None
    seed: int = 0
    revision: int = 0
    finished: int = 0
    before: Rgb | None = None
    before_file: str = ""
    aged: tuple[int, Aged[Image.Image]] | None = None
    sweep: int = 0
    swept: Path | None = None
    replay: str | None = None
    _files: deque[Path] = field(default_factory=deque)

    @property
    def chosen(self) -> str:
        """Names the choice of this face of this photo."""
        return Path(self.before_file).stem

    @property
    def unchanged(self) -> bool:
        """Whether nothing is asked for."""
        return self.request.empty and self.painted is None

    @property
    def view(self) -> FaceView:
        """The face that is changed."""
        return self.views[self.face]

    def choose(self, face: int) -> None:
        """Takes another face, with nothing asked of it yet."""
        assert self.photo is not None
        self.face, self.small, self.request, self.aged = face, None, Request(face=face), None
        self.painted = self.laid = None
        self.seed = 0
        self.unsweep()
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

    def paint(self, painted: Image.Image | None) -> None:
        """Takes another painting; None is none."""
        laid = None if painted is None else photo_from_image(painted, PAINTED)
        self.painted, self.laid = painted, laid
        self.revision += 1

    def draw_others(self) -> None:
        """Takes another set of lines."""
        self.seed += 1
        self.revision += 1

    def unsweep(self) -> None:
        """Stops a sweep that is being made, and deletes the last one."""
        if self.swept is not None:
            self.swept.unlink(missing_ok=True)
        self.swept = self.replay = None
        self.sweep += 1

    def save(self, kind: str, pixels: npt.NDArray[np.uint8]) -> str:
        """Writes a picture for the page, and deletes those that it no longer shows.

        Args:
            kind: Begins the file's name.
            pixels: (H, W, 3) uint8, or (H, W, 4) with opacity.

        Returns:
            Path of a JPEG of full size without colour subsampling, or of a PNG if there is opacity. It is for the
            screen: the download is another file.
        """
        path = self._write(kind, pixels)
        self._outdated(path)
        return str(path)

    def thumbnails(self) -> list[str]:
        """Writes a small picture of every face; they stay as long as the photo, however many there are.

        Returns:
            Their paths, in the order of `views`.
        """
        assert self.photo is not None
        rgb = self.photo.rgb
        return [str(self._write("face", view.resized(rgb, _THUMBNAIL).rgb)) for view in self.views]

    def address(self, path: str) -> str:
        """Where the page finds a picture that `save` wrote."""
        return f"/session/{self.token}/shown/{Path(path).name}"

    def delete(self) -> None:
        """Forgets the photo and deletes every file made of it."""
        self.photo, self.views, self.small, self.before, self.aged = None, [], None, None, None
        self.request, self.before_file = Request(), ""
        self.painted = self.laid = None
        self._files.clear()
        self.unsweep()
        self.revision += 1
        shutil.rmtree(self.folder, ignore_errors=True)

    def _write(self, kind: str, pixels: npt.NDArray[np.uint8]) -> Path:
        suffix, order, options = (".jpg", [2, 1, 0], _JPEG) if pixels.shape[2] == 3 else (".png", [2, 1, 0, 3], [])
        path = self.folder / f"{kind}-{secrets.token_hex(4)}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        _, encoded = cv2.imencode(suffix, np.ascontiguousarray(pixels[..., order]), options)
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
    # The same photo given to two pages is one file: this page's is out of the other's way.
    taken = upload.with_name(f"{secrets.token_hex(8)}{upload.suffix}")
    try:
        upload.rename(taken)
        photo = read_photo(taken)
    except PhotoError as error:
        raise PhotoError(str(error).replace(str(taken), upload.name)) from error
    except OSError as error:
        raise PhotoError(f"{upload.name}: did not arrive ({error.strerror}); drop it again") from error
    finally:
        taken.unlink(missing_ok=True)
    return replace(photo, name=upload.name, path=None)
