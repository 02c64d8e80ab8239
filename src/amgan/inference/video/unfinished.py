"""What a video that was stopped has to go on with: a folder beside the result, until that is whole."""

from __future__ import annotations

import contextlib
import io
import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from amgan.errors import OutputError
from amgan.inference.video.segments import SegmentWriter
from amgan.inference.video.track import Track, TrackFile, read_track
from amgan.inference.video.writing import Encoding

SUFFIX = ".part"
State = dict[str, npt.NDArray[np.generic]]

_JOB, _TRACK, _FOLLOWED, _PROBE = "job.json", "track", "followed.json", "probe"
_SEGMENT, _STATE = ".packets", ".npz"


@dataclass(frozen=True)
class Followed:
    """What the first pass found beside the track.

    Attributes:
        scores: The person's own score of each zone and of ``age``, in 0..1.
        scored: Frames that those come from.
        doubtful: Frames with a face of which it could not be told whether it is the person.
    """

    scores: dict[str, float]
    scored: int
    doubtful: int


class Unfinished:
    """The folder of a video that is being aged; made by `open_unfinished`.

    What is in it under its own name is whole: files are written aside and then renamed.

    Attributes:
        folder: The folder.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def followed(self) -> Followed | None:
        """What the first pass found, if it came to its end."""
        path = self.folder / _FOLLOWED
        return Followed(**json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else None

    def keep_followed(self, followed: Followed) -> None:
        """Writes down that the first pass came to its end.

        Raises:
            OutputError: It cannot be written.
        """
        with _written(self.folder / _FOLLOWED, ""):
            self._write(_FOLLOWED, json.dumps(asdict(followed)).encode())

    @contextlib.contextmanager
    def recorder(self) -> Iterator[TrackFile]:
        """Writes the track in the first pass; it is whole if `followed` is known.

        Raises:
            OutputError: It cannot be written.
        """
        path = self.folder / _TRACK
        with _written(path, ""), path.open("wb") as file:
            yield TrackFile(file)

    @property
    def track(self) -> Track:
        """The track."""
        return read_track(self.folder / _TRACK)

    def probe(self, suffix: str) -> Path:
        """A name for a file that is no part of it: made to see whether it can be, or to be renamed to the result."""
        return self.folder / (_PROBE + suffix)

    @property
    def segments(self) -> list[Path]:
        """All finished segments."""
        paths: list[Path] = []
        while (path := self._segment(len(paths))).is_file():
            paths.append(path)
        return paths

    @contextlib.contextmanager
    def segment(self, number: int, encoding: Encoding, state: Callable[[], State]) -> Iterator[SegmentWriter]:
        """Writes the next segment; it counts if the block ends well.

        Args:
            number: Which, from 0.
            encoding: How frames are encoded.
            state: What the second pass must know to go on behind it; asked for at the end.

        Raises:
            OutputError: It cannot be written.
        """
        path = self._segment(number)
        aside = path.with_suffix(SUFFIX)
        with _written(path, ", which goes on from here"):
            with aside.open("wb") as file:
                writer = SegmentWriter(file, encoding)
                yield writer
                writer.finish()
            content = io.BytesIO()
            np.savez(content, allow_pickle=False, **state())
            # In this order a segment is never there without its state.
            self._write(f"{number}{_STATE}", content.getbuffer())
            aside.replace(path)
            (self.folder / f"{number - 1}{_STATE}").unlink(missing_ok=True)

    def state_behind(self, number: int) -> State:
        """What was known behind the last finished segment, which is `number`."""
        with np.load(self.folder / f"{number}{_STATE}", allow_pickle=False) as file:
            return dict(file)

    def clear(self) -> None:
        """Deletes what is ours in the folder but the recipe; anything else stays."""
        # First, as without it nobody goes on with what a stop in between leaves.
        (self.folder / _FOLLOWED).unlink(missing_ok=True)
        for path in self.folder.iterdir():
            if path.name == _TRACK or path.suffix in (_SEGMENT, _STATE, SUFFIX) or path.stem == _PROBE:
                path.unlink()

    def _segment(self, number: int) -> Path:
        return self.folder / f"{number}{_SEGMENT}"

    def _write(self, name: str, content: bytes | memoryview) -> None:
        aside = self.folder / (name + SUFFIX)
        aside.write_bytes(content)
        aside.replace(self.folder / name)


@contextlib.contextmanager
def _written(path: Path, goes_on: str) -> Iterator[None]:
    """Says what to do when the disk is full; `goes_on` is what the same command then does."""
    try:
        yield
    except OSError as error:
        wanted = f"make room and give the same command again{goes_on}"
        raise OutputError(f"{path}: cannot be written ({error.strerror}); {wanted}") from error


@contextlib.contextmanager
def open_unfinished(output: Path, recipe: str, overwrite: bool) -> Iterator[Unfinished]:
    """Makes the folder of a video, or reopens that of an earlier run. It is gone when the block ends well.

    It stays when the block does not, unless the first pass was not over: then there is nothing to go on with.

    Args:
        output: The result.
        recipe: A hash of all that the result depends on.
        overwrite: Whether what is left of a run of another recipe may be deleted.

    Raises:
        OutputError: The folder cannot be used, is not ours, or is left of a run of another recipe.
    """
    folder = output.with_name(output.name + SUFFIX)
    work = Unfinished(folder)
    try:
        if folder.exists():
            _reopen(work, output, recipe, overwrite)
        folder.mkdir(parents=True, exist_ok=True)
        work._write(_JOB, json.dumps({"recipe": recipe}).encode())
    except OSError as error:
        raise OutputError(f"{folder}: cannot be written ({error.strerror}); try another place") from error
    done = False
    try:
        yield work
        done = True
    finally:
        if done or work.followed is None:
            work.clear()
            (folder / _JOB).unlink()
            if not any(folder.iterdir()):
                folder.rmdir()


def _reopen(work: Unfinished, output: Path, recipe: str, overwrite: bool) -> None:
    """Takes over what an earlier run left, or refuses it."""
    job = work.folder / _JOB
    if work.folder.is_dir() and all(path.name == _JOB + SUFFIX for path in work.folder.iterdir()):
        return  # stopped in the instant when it was made or taken away
    try:
        found = json.loads(job.read_text(encoding="utf-8"))["recipe"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise OutputError(f"{work.folder}: is not of `amgan video`; move it, or choose another name") from error
    followed = work.followed is not None
    if found == recipe and followed:
        return
    if followed and not overwrite:
        left = f"{work.folder}: is left of a run with another video, model or options, which was stopped"
        raise OutputError(f"{left}; give that command to go on, or --overwrite to begin {output.name} anew")
    work.clear()
