"""What one process does with one photo.

A worker reads SRC, writes aligned faces into DST and nothing else; rows go back to the parent, which alone writes the
table. So a worker may die at any moment without a row being lost half.
"""

from __future__ import annotations

import hashlib
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from amgan.data.curation.files import Destination, PhotoFile, aligned_name
from amgan.data.curation.limits import Limits
from amgan.data.curation.measure import Measured, PhotoMeasurer, read_pixels
from amgan.engines.base import reachable
from amgan.errors import OutputError, PhotoError
from amgan.faces.align import Alignment, align_face
from amgan.processes import quiet_stderr

_ENCODING = {"png": [cv2.IMWRITE_PNG_COMPRESSION, 1], "jpg": [cv2.IMWRITE_JPEG_QUALITY, 97]}
_ENCODING["jpg"] += [cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]


@dataclass(frozen=True)
class Job:
    """What is the same for all photos of a run.

    Attributes:
        source: SRC, resolved.
        destination: DST.
        limits: What is kept.
    """

    source: Path
    destination: Destination
    limits: Limits


@dataclass(frozen=True)
class Task:
    """One photo to look at.

    Attributes:
        file: The photo.
        age: Years; NaN if unknown.
        matrix: Six numbers of a known alignment: then the face is only cut out again, nothing is measured.
    """

    file: PhotoFile
    age: float
    matrix: tuple[float, ...] | None = None


class Worker:
    """Handles one photo after the other.

    The face detector is made when the first photo has to be measured: cutting out again needs none.

    Args:
        job: What is the same for all photos.

    Raises:
        EngineError: SRC or DST is not on this machine, where each photo would count as unreadable.
    """

    def __init__(self, job: Job) -> None:
        for folder in (job.source, job.destination.aligned):
            reachable(folder, platform.node())
        self.job = job
        self._measurer: PhotoMeasurer | None = None

    def close(self) -> None:
        """Frees the detector."""
        if self._measurer is not None:
            self._measurer.__exit__(None, None, None)

    def run(self, task: Task) -> dict[str, Any]:
        """Does a task.

        Returns:
            A row as `table.MEASURED` has it; of a known alignment only ``path`` and ``error``.

        Raises:
            OutputError: The aligned face cannot be written.
        """
        file, rgb, error = task.file, None, task.file.error
        path = self.job.source / file.name
        if not error:
            try:
                rgb = read_pixels(path)
            except PhotoError as fault:
                error = str(fault).removeprefix(f"{path}: ")  # which the row names itself
        if task.matrix is not None:
            if rgb is not None:
                matrix = np.array(task.matrix, np.float64).reshape(2, 3)
                self._save(file.name, Alignment(matrix, self.job.destination.size), rgb)
            return {"path": file.name, "error": error}
        row: dict[str, Any] = {"path": file.name, "bytes": file.bytes, "modified_ns": file.modified_ns}
        row["sha256"] = _sha256(path)
        if rgb is None:
            return {**row, **asdict(Measured(error=error))}
        if self._measurer is None:
            with quiet_stderr():
                self._measurer = PhotoMeasurer()
                # Its remarks go on until the first picture is through.
                self._measurer.measure(np.zeros((64, 64, 3), np.uint8))
        measured, face = self._measurer.measure(rgb)
        row |= asdict(measured)
        if face is not None:
            alignment = align_face(face.landmarks, self.job.destination.size)
            row["landmarks"] = alignment.to_aligned(face.landmarks).ravel()
            row["matrix"] = alignment.matrix.ravel()
            row["blendshapes"] = face.blendshapes
            if not self.job.limits.reason(measured, task.age):
                self._save(file.name, alignment, rgb)
        return row

    def _save(self, name: str, alignment: Alignment, rgb: npt.NDArray[np.uint8]) -> None:
        """Writes an aligned face, aside first, so that its name never stands for half an image."""
        destination = self.job.destination
        bgr = cv2.cvtColor(alignment.crop(rgb), cv2.COLOR_RGB2BGR)
        _, encoded = cv2.imencode(f".{destination.image_format}", bgr, _ENCODING[destination.image_format])
        path = destination.aligned / aligned_name(name, destination.image_format)
        aside = path.with_name(path.name + ".part")
        try:
            aside.write_bytes(encoded.tobytes())
            aside.replace(path)
        except OSError as error:
            raise OutputError(f"{path}: cannot be written ({error.strerror}); what is done stays, run again") from error


def _sha256(path: Path) -> str | None:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return None
