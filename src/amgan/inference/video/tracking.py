"""Follows one person through the frames of a video: by place while the face is in sight, else by what it looks like."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt

from amgan.faces.detect import Face, FaceDetector, area
from amgan.inference.video.identity import OTHER, SAME, Gallery, Signature

# A face that was missed in so many frames is still looked for where it was, and its landmarks are filled in.
GAP = 4
Box = tuple[float, float, float, float]
Signer = Callable[[npt.NDArray[np.uint8], npt.NDArray[np.float32]], Signature]

# The same face in the next frame: boxes share this much (intersection over union), and areas differ by no more.
_OVERLAP, _LARGER = 0.3, 2.0
# Landmarks that move by more than this share of the face's width in one frame are not smoothed over: a jump cut.
_JUMP = 0.15
# The face is looked for in its box grown by this share of its larger side.
_MARGIN = 0.75
# Every so many frames the gallery is offered a view.
_LEARN = 12
# At least every so many frames the whole frame is looked at for who else is there, and so many of them are remembered.
_LOOK, MOST_OTHERS = 12, 8


@dataclass(frozen=True)
class Seen:
    """What one frame shows.

    Attributes:
        shot: Counts from 0; another one begins at each cut.
        face: The person's face, None if it is not to be seen.
        others: Faces of who else is there, or was when last looked for; the nearest `MOST_OTHERS`.
    """

    shot: int
    face: Face | None
    others: Sequence[Face] = ()


class CutFinder:
    """Finds cuts by thumbnails: a frame that differs far more from the one before than that one did from its own."""

    # Grey levels, and how many times the usual difference.
    least, times = 20.0, 3.0

    def __init__(self) -> None:
        self._last: npt.NDArray[np.int16] | None = None
        self._usual = 0.0

    def __call__(self, rgb: npt.NDArray[np.uint8]) -> bool:
        """Whether a cut lies before this frame, (H, W, 3) uint8."""
        small = cv2.resize(rgb, (32, 32), interpolation=cv2.INTER_AREA)
        grey = np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2GRAY), np.int16)
        before, self._last = self._last, grey
        if before is None:
            return False
        difference = min(
            float(np.abs(_middle(grey, x, y) - _middle(before, 0, 0)).mean()) for x in _SHIFTS for y in _SHIFTS
        )
        cut = difference > max(self.least, self.times * self._usual)
        if not cut:
            self._usual = 0.8 * self._usual + 0.2 * difference
        return cut


# A camera that pans is no cut: thumbnails are compared at the best shift of up to so many of their 32 pixels.
_PAN = 3
_SHIFTS = range(-_PAN, _PAN + 1)


def _middle(grey: npt.NDArray[np.int16], x: int, y: int) -> npt.NDArray[np.int16]:
    """The thumbnail without its edges, shifted."""
    height, width = grey.shape
    return grey[_PAN + y : height - _PAN + y, _PAN + x : width - _PAN + x]


class Tracker:
    """Follows one person; give it every frame in order.

    Args:
        detector: Finds faces.
        signer: What a face looks like.
        number: Which face of the first frame that has so many; 0 is the largest.

    Attributes:
        most: Most faces that were seen in one frame while the person was looked for.
        doubtful: Frames with a face that may or may not be the person; they count as without.
    """

    def __init__(self, detector: FaceDetector, signer: Signer, number: int = 0) -> None:
        self._detector, self._signer, self._number = detector, signer, number
        self._cuts, self._gallery = CutFinder(), Gallery()
        self._shot = self._missed = self._followed = self._unseen = 0
        self._last: Face | None = None
        self._others: list[Face] = []
        self.most = self.doubtful = 0

    def __call__(self, rgb: npt.NDArray[np.uint8]) -> Seen:
        """Takes the next frame, (H, W, 3) uint8 upright."""
        if self._cuts(rgb):
            self._shot += 1
            self._missed = GAP + 1  # what is seen now is another picture
        before, near = self._last, self._missed <= GAP
        face = self._follow(rgb) if near and before is not None else None
        if face is None:
            face = self._find(rgb, near)
        if face is None:
            self._missed += 1
        else:
            if before is not None and self._missed == 0 and _jump(before, face) > _JUMP:
                self._shot += 1
            self._missed, self._last = 0, face
            self._followed += 1
            self._unseen += 1
            if self._unseen > _LOOK:
                self._know(face, self._detector.detect(rgb), whole=True)
            if self._followed % _LEARN == 1:
                self._gallery.learn(self._signer(rgb, face.landmarks))
        return Seen(self._shot, face, tuple(self._others))

    def _follow(self, rgb: npt.NDArray[np.uint8]) -> Face | None:
        """The face near where it was."""
        assert self._last is not None
        left, top, right, bottom = self._last.box
        margin = _MARGIN * max(right - left, bottom - top)
        height, width = rgb.shape[:2]
        x0, x1 = max(int(left - margin), 0), min(int(right + margin), width)
        y0, y1 = max(int(top - margin), 0), min(int(bottom + margin), height)
        if min(x1 - x0, y1 - y0) < 16:
            return None
        shift = np.array([x0, y0], np.float32)
        window = self._detector.detect(np.ascontiguousarray(rgb[y0:y1, x0:x1]))
        faces = [replace(face, landmarks=face.landmarks + shift) for face in window]
        face = self._nearest(faces)
        if face is not None:
            self._know(face, faces, whole=False)
        return face

    def _find(self, rgb: npt.NDArray[np.uint8], near: bool) -> Face | None:
        """The person among all faces of the frame."""
        faces = self._detector.detect(rgb)
        face = self._among(rgb, faces, near)
        if face is not None:
            self._know(face, faces, whole=True)
        return face

    def _among(self, rgb: npt.NDArray[np.uint8], faces: list[Face], near: bool) -> Face | None:
        if self._gallery.empty:
            self.most = max(self.most, len(faces))
            return faces[self._number] if 0 <= self._number < len(faces) else None
        if near and (face := self._nearest(faces)) is not None:
            return face
        alike = [(self._gallery.likeness(self._signer(rgb, face.landmarks)), face) for face in faces]
        if not alike:
            return None
        likeness, face = max(alike, key=lambda pair: pair[0])
        if likeness >= SAME:
            return face
        # Alike, alone, and where the person was before the cut: as in a jump cut.
        if likeness > OTHER and len(faces) == 1 and self._nearest(faces) is not None:
            return face
        self.doubtful += likeness > OTHER
        return None

    def _know(self, face: Face, seen: list[Face], whole: bool) -> None:
        """Remembers who else is there: who is seen, and if not the whole frame was looked at who was seen before."""
        others = [one for one in seen if not follows(face.box, one.box)]
        if whole:
            self._unseen = 0
        else:
            here = [face, *others]
            others += [old for old in self._others if not any(follows(old.box, new.box) for new in here)]
        self._others = sorted(others, key=lambda one: _apart(face, one))[:MOST_OTHERS]

    def _nearest(self, faces: list[Face]) -> Face | None:
        """The face that lies where the last one lay, if there is one."""
        assert self._last is not None
        box = self._last.box
        near = [face for face in faces if follows(box, face.box)]
        return max(near, key=lambda face: _shared(box, face.box), default=None)


def follows(before: Box, after: Box) -> bool:
    """Whether the boxes (left, top, right, bottom) may be of one face in two frames, by place and size."""
    ratio = area(after) / max(area(before), 1e-6)
    return _shared(before, after) >= _OVERLAP and 1 / _LARGER <= ratio <= _LARGER


def _shared(a: Box, b: Box) -> float:
    both = area((max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])))
    return both / max(area(a) + area(b) - both, 1e-6)


def _jump(before: Face, after: Face) -> float:
    return _apart(after, before)


def _apart(one: Face, other: Face) -> float:
    """How far apart two faces are, in widths of the other."""
    width = max(other.box[2] - other.box[0], 1e-6)
    return float(np.hypot(*(one.landmarks - other.landmarks).mean(axis=0))) / width
