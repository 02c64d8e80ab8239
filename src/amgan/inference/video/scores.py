"""What scores a person has, from many frames: the median over those that show the face best."""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from amgan.errors import NoFaceError
from amgan.faces.align import align_face
from amgan.faces.detect import Face
from amgan.inference.finding import working_size
from amgan.models.bundle import Bundle

# A face that is turned further than this is not scored, unless there is no better one. Degrees.
_YAW, _PITCH = 25.0, 20.0
# Side of the square in which sharpness is compared.
_SIDE = 128


class ScoreSampler:
    """Scores the face of some frames.

    Args:
        bundle: The model.
        every: A face is scored in one of so many frames that show it.
    """

    def __init__(self, bundle: Bundle, every: int) -> None:
        self._bundle, self._every = bundle, max(every, 1)
        self._since = self._every
        self._good: list[tuple[float, dict[str, float]]] = []
        self._turned: list[tuple[float, dict[str, float]]] = []

    def add(self, rgb: npt.NDArray[np.uint8], face: Face) -> None:
        """Takes the next frame with the face, and scores it if it is its turn.

        A turned face gives its turn to the next one, after the first.

        Args:
            rgb: (H, W, 3) uint8 upright.
            face: The face in it.
        """
        self._since += 1
        if self._since < self._every:
            return
        turned = abs(face.yaw) > _YAW or abs(face.pitch) > _PITCH
        if turned and (self._good or self._turned):
            return
        size = working_size(self._bundle, align_face(face.landmarks).size)
        alignment = align_face(face.landmarks, size)
        crop = alignment.crop(rgb)
        estimates = self._bundle.estimators.estimate(crop, alignment.to_aligned(face.landmarks))
        scores = {zone: known.score for zone, known in estimates.items()}
        small = cv2.resize(cv2.cvtColor(crop, cv2.COLOR_RGB2GRAY), (_SIDE, _SIDE), interpolation=cv2.INTER_AREA)
        sharpness = float(cv2.Laplacian(small, cv2.CV_32F).var())
        (self._turned if turned else self._good).append((sharpness, scores))
        self._since = 0

    def result(self) -> tuple[dict[str, float], int]:
        """Zone, and ``age``, to its score in 0..1, and the number of frames they come from: the sharper half.

        Raises:
            NoFaceError: No face was added.
        """
        samples = sorted(self._good or self._turned, key=lambda sample: -sample[0])
        if not samples:
            raise NoFaceError("no face was scored")
        kept = [scores for _, scores in samples[: (len(samples) + 1) // 2]]
        return {zone: float(np.median([scores[zone] for scores in kept])) for zone in kept[0]}, len(kept)
