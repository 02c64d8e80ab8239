"""The way of one face through a whole video, kept on the disk, and smoothed over time without lag."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import numpy as np
import numpy.typing as npt

from amgan.faces.align import align_face
from amgan.faces.detect import N_LANDMARKS
from amgan.inference.surroundings import squares_of
from amgan.inference.video.tracking import GAP, MOST_OTHERS, Seen

# Frames before and after that a frame's landmarks are smoothed over.
REACH = 4
# Standard deviations in frames: of the square, which must not tremble, and of the zones in it, which follow a smile.
SQUARE_SIGMA, ZONES_SIGMA = 2.0, 1.0
# A change comes and goes over so many frames where the face appears or is lost without a cut.
FADE = 4
# Frames of a shot by which the size of its face is measured.
_SAMPLES = 64

_RECORD = np.dtype(
    [("shot", np.int32), ("landmarks", np.float32, (N_LANDMARKS, 2)), ("others", np.float32, (MOST_OTHERS, 3))]
)
Points = npt.NDArray[np.float32]


class TrackFile:
    """Takes what each frame shows, and holds it in a file rather than in memory (3.9 kB a frame)."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file

    def add(self, seen: Seen) -> None:
        """Appends a frame."""
        record = np.zeros(1, _RECORD)
        record["shot"] = seen.shot
        record["landmarks"] = np.nan if seen.face is None else seen.face.landmarks
        record["others"] = np.nan
        record["others"][0, : len(seen.others)] = squares_of(seen.others)
        self._file.write(record.tobytes())


@dataclass(frozen=True)
class Track:
    """One face in N frames.

    Attributes:
        records: (N,) of ``shot``, ``landmarks`` and ``others``.
        shots: (N,) int32, growing.
        found: (N,) bool, whether the face was found there.
        strength: (N,) float32 in 0..1, how much of the change is shown; 0 where there is no face.
    """

    records: npt.NDArray[np.void]
    shots: npt.NDArray[np.int32]
    found: npt.NDArray[np.bool_]
    strength: npt.NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.shots)

    def landmarks(self, index: int, sigma: float) -> Points:
        """(478, 2) landmarks of a frame whose strength is not 0, smoothed by its neighbours in the shot.

        Args:
            index: The frame.
            sigma: Standard deviation of the weights, frames.
        """
        near = np.arange(max(index - REACH, 0), min(index + REACH + 1, len(self)))
        near = near[self.found[near] & (self.shots[near] == self.shots[index])]
        weights = line_weights(near - index, sigma)
        return np.asarray(np.tensordot(weights, self.records["landmarks"][near], 1), np.float32)

    def others(self, index: int) -> Points:
        """(K, 3), the squares of other faces in a frame (`amgan.inference.surroundings.squares_of`)."""
        squares = np.asarray(self.records["others"][index], np.float32)
        return squares[~np.isnan(squares[:, 0])]

    def own_size(self, shot: int) -> int:
        """Side in pixels of the aligned square in a shot that has the face: the median over its frames."""
        frames = np.flatnonzero(self.found & (self.shots == shot))
        some = frames[:: max(len(frames) // _SAMPLES, 1)]
        return int(np.median([align_face(self.records["landmarks"][index]).size for index in some]))


def read_track(path: Path) -> Track:
    """The track of the frames that a `TrackFile` got."""
    records = np.memmap(path, _RECORD, "r")
    shots = np.array(records["shot"])
    found = ~np.isnan(records["landmarks"][:, 0, 0])
    return Track(records, shots, found, strengths(shots, found))


def line_weights(offsets: npt.NDArray[np.integer], sigma: float) -> npt.NDArray[np.float64]:
    """Weights whose sum of values is the height at 0 of the line through them, fitted with Gaussian weights.

    What moves evenly is not delayed, at the ends of a shot neither, where the neighbours lie on one side.

    Args:
        offsets: (N,) distances in frames.
        sigma: Standard deviation of the Gaussian, frames.

    Returns:
        (N,) that sum to 1.
    """
    t = np.asarray(offsets, np.float64)
    g = np.exp(-0.5 * (t / sigma) ** 2)
    g /= g.sum()
    first, second = float(g @ t), float(g @ t**2)
    spread = second - first**2
    if spread < 1e-9:  # one neighbour alone has no slope
        return g
    return np.asarray(g * (second - first * t) / spread, np.float64)


def strengths(shots: npt.NDArray[np.int32], found: npt.NDArray[np.bool_]) -> npt.NDArray[np.float32]:
    """How much of the change is shown in each frame.

    Gaps of up to `GAP` frames inside of a shot are bridged. Where the face appears or is lost without a cut the change
    fades; at a cut, and at both ends of the video, it is there at once.

    Args:
        shots: (N,) growing.
        found: (N,) whether the face was found.

    Returns:
        (N,) float32 in 0..1; 0 where there is no face.
    """
    shown = found.copy()
    faces = np.flatnonzero(found)
    for before, after in itertools.pairwise(faces):
        if after - before <= GAP + 1 and shots[before] == shots[after]:
            shown[before:after] = True
    share = np.ones(len(shown), np.float32)
    for order in (slice(None), slice(None, None, -1)):
        since = FADE
        previous: tuple[int, bool] | None = None
        for index in np.arange(len(shown))[order]:
            here = (int(shots[index]), bool(shown[index]))
            if previous is not None and previous[0] != here[0]:
                since = FADE
            elif not here[1]:
                since = -2
            since = min(since + 1, FADE)
            share[index] = min(share[index], (since + 1) / (FADE + 1))
            previous = here
    return np.where(shown, share, np.float32(0))
