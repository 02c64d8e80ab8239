"""Where hair and skin are on an aligned face: a small network of ours, run by OpenCV.

It learned from a large one that knows people in general (`amgan.training.fit_parsing`), on faces as they are aligned
here. OpenCV runs it, since a photo can be aged without PyTorch and without onnxruntime.
"""

from __future__ import annotations

import importlib.resources
import threading
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

NAME = "parsing.onnx"
# Side of the picture that the network sees, pixels, and of what it gives back.
SIDE = 256
# What it tells apart, in its order.
CLASSES = ("other", "hair", "skin")
# Its teacher is hardly ever quite sure: from which share on a part is there, and from which on entirely.
_TAKEN = (0.1, 0.88)


@dataclass(frozen=True)
class Parts:
    """Parts of an aligned face.

    Attributes:
        hair: (`SIDE`, `SIDE`) float32 in 0..1, how much hair is there; beards and brows are none.
        skin: (`SIDE`, `SIDE`) float32 in 0..1, skin of face, ears and neck, with all that is in it.
    """

    hair: npt.NDArray[np.float32]
    skin: npt.NDArray[np.float32]


class FaceParser:
    """Tells hair and skin apart from everything else; several threads may share one.

    Example:
        >>> parts = FaceParser().parse(np.zeros((64, 64, 3), np.uint8))
        >>> parts.hair.shape
        (256, 256)
    """

    def __init__(self) -> None:
        content = (importlib.resources.files("amgan") / "weights" / NAME).read_bytes()
        self._network = cv2.dnn.readNetFromONNX(np.frombuffer(content, np.uint8))
        self._one_at_a_time = threading.Lock()

    def parse(self, rgb: npt.NDArray[np.uint8]) -> Parts:
        """Finds the parts of a face.

        Args:
            rgb: (S, S, 3) uint8, aligned.
        """
        how = cv2.INTER_AREA if len(rgb) > SIDE else cv2.INTER_LINEAR
        small = cv2.resize(rgb, (SIDE, SIDE), interpolation=how)
        blob = cv2.dnn.blobFromImage(small, 1 / 127.5, mean=(127.5, 127.5, 127.5))
        with self._one_at_a_time:
            self._network.setInput(blob)
            scores = np.asarray(self._network.forward()[0], np.float32)
        powers = np.exp(scores - scores.max(axis=0))
        low, high = _TAKEN
        shares = ((powers / powers.sum(axis=0) - low) / (high - low)).clip(0, 1)
        return Parts(shares[CLASSES.index("hair")], shares[CLASSES.index("skin")])
