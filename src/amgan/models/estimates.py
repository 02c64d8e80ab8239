"""What an estimator says of a zone, and what it looks at; both need no PyTorch."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from amgan.signs.atlas import Atlas
from amgan.signs.zones import zone_crop, zone_square

# From this probability on a zone counts as covered.
COVERED = 0.5


class Estimate(NamedTuple):
    """What an estimator says of one zone.

    Attributes:
        score: In 0..1.
        deviation: Standard deviation that its error is expected to have, in units of the score.
        covered: Probability that hair, beard, glasses or the like hide the zone; 0 where that was not learned.
    """

    score: float
    deviation: float
    covered: float

    @property
    def can_judge(self) -> bool:
        """Whether the zone is seen well enough for the score to mean something."""
        return self.covered < COVERED


class FaceEstimator(Protocol):
    """What estimates the present scores of a face, whatever runs it."""

    def estimate(self, rgb: npt.NDArray[np.uint8], landmarks: npt.NDArray[np.float32]) -> dict[str, Estimate]:
        """Judges one aligned face.

        Args:
            rgb: (S, S, 3) uint8, FFHQ-aligned.
            landmarks: (478, 2) aligned coordinates.

        Returns:
            Zone, and ``age``, to its estimate.
        """


def face_crops(
    atlas: Atlas,
    zones: tuple[str, ...],
    rgb: npt.NDArray[np.uint8],
    landmarks: npt.NDArray[np.float32],
    size: int,
) -> npt.NDArray[np.uint8]:
    """The crop of each zone, right ones mirrored.

    Args:
        atlas: Where the zones lie.
        zones: Names of zones, ``age`` among them if wanted.
        rgb: (S, S, 3) uint8 aligned face.
        landmarks: (478, 2) aligned coordinates.
        size: Side of the crops, pixels.

    Returns:
        (len(zones), size, size, 3) uint8.
    """
    return np.stack(
        [zone_crop(rgb, zone_square(atlas, zone, landmarks), size, mirror=zone.endswith(".right")) for zone in zones]
    )
