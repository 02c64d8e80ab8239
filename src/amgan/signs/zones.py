"""Zones on one face: polygons from landmarks, their masks, and the square crops that estimators look at."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from amgan.signs.atlas import AGE, Atlas, Polygon

# Zone crops show a little more than the zone itself, as the photos were scored with some surroundings.
CROP_MARGIN = 1.25


@dataclass(frozen=True)
class ZoneMasks:
    """All regions of one face, rasterised.

    Attributes:
        zones: (Z, R, R) float32 in 0..1, one mask a zone, in the atlas's order; edges blurred.
        head: (R, R) float32 in 0..1: face and hair; 0 is background.
        skin: (R, R) float32 in 0..1: the face without hair.
        editable: (R, R) float32 in 0..1: where the picture may be changed: the head without eyes and open mouth.
    """

    zones: npt.NDArray[np.float32]
    head: npt.NDArray[np.float32]
    skin: npt.NDArray[np.float32]
    editable: npt.NDArray[np.float32]


def polygon_points(polygon: Polygon, landmarks: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Corner points of a polygon on a face.

    Args:
        polygon: Landmark indices, or (a, b, t) for a point beyond landmark a as seen from landmark b.
        landmarks: (478, 2) coordinates.

    Returns:
        (N, 2) float32 in the landmarks' coordinates.
    """
    points = []
    for vertex in polygon:
        if isinstance(vertex, int):
            points.append(landmarks[vertex])
        else:
            a, b, t = vertex
            points.append(landmarks[a] + t * (landmarks[a] - landmarks[b]))
    return np.asarray(points, np.float32)


def rasterise(
    polygons: list[Polygon], landmarks: npt.NDArray[np.float32], size: int, resolution: int
) -> npt.NDArray[np.float32]:
    """Fills polygons, anti-aliased.

    Args:
        polygons: What to fill.
        landmarks: (478, 2) aligned coordinates in a square of side `size`.
        size: Side of the aligned square, pixels.
        resolution: Side R of the result.

    Returns:
        (R, R) float32 in 0..1.
    """
    mask = np.zeros((resolution, resolution), np.uint8)
    shift = 6  # sub-pixel bits of fillPoly
    for polygon in polygons:
        # Pixel centres are at integers in both resolutions.
        points = (polygon_points(polygon, landmarks) + 0.5) * (resolution / size) - 0.5
        cv2.fillPoly(mask, [np.round(points * (1 << shift)).astype(np.int32)], 255, cv2.LINE_AA, shift)
    return np.divide(mask, 255, dtype=np.float32)


def zone_masks(
    atlas: Atlas,
    landmarks: npt.NDArray[np.float32],
    size: int,
    resolution: int = 256,
    blur: float = 0.012,
) -> ZoneMasks:
    """Rasterises every region of one face with blurred edges (paper 3.3).

    Args:
        atlas: Signs and regions.
        landmarks: (478, 2) aligned coordinates in a square of side `size`.
        size: Side of the aligned square, pixels.
        resolution: Side R of the masks; the edges are blurred, so 256 is enough for any picture size.
        blur: Standard deviation of the blur as a share of the square's side.

    Returns:
        The masks.
    """
    sigma = blur * resolution

    def soft(polygons: list[Polygon]) -> npt.NDArray[np.float32]:
        return np.asarray(cv2.GaussianBlur(rasterise(polygons, landmarks, size, resolution), (0, 0), sigma), np.float32)

    zones = np.stack([soft(atlas.polygons(zone)) for zone in atlas.zones])
    head = rasterise(atlas.head, landmarks, size, resolution)
    # Blurring inwards: the soft edge ends on the outline, so that nothing outside of it is ever touched.
    reach = 2 * int(np.ceil(2 * sigma)) + 1
    # Two pixels more each way: the outline is anti-aliased, and stretching the mask to a picture smears it by one.
    taken = reach + 4
    # Beyond the square there is nothing to edit either, so the edge fades out before it too.
    beyond = cv2.BORDER_CONSTANT
    eroded = cv2.erode(head, np.ones((taken, taken), np.uint8), borderType=beyond, borderValue=0)
    inner = cv2.GaussianBlur(eroded, (reach, reach), 0, borderType=beyond)
    editable = np.asarray(inner, np.float32)
    if atlas.keep:
        openings = rasterise(atlas.keep, landmarks, size, resolution)
        editable = editable * (1 - np.asarray(cv2.GaussianBlur(openings, (0, 0), sigma / 4), np.float32))
    blurred = np.asarray(cv2.GaussianBlur(head, (0, 0), sigma), np.float32)
    return ZoneMasks(zones, blurred, soft(atlas.skin), editable)


def zone_square(atlas: Atlas, zone: str, landmarks: npt.NDArray[np.float32]) -> tuple[float, float, float]:
    """The square an estimator of `zone` looks at: (left, top, side) in the landmarks' coordinates.

    ``age`` looks at the face from mid-forehead, where the mesh ends, to the chin, and a tenth beyond.
    """
    if zone == AGE:
        points = landmarks
        margin = 1.1
    else:
        points = np.concatenate([polygon_points(polygon, landmarks) for polygon in atlas.polygons(zone)])
        margin = CROP_MARGIN
    low, high = points.min(axis=0), points.max(axis=0)
    side = float((high - low).max()) * margin
    left, top = (low + high) / 2 - side / 2
    return float(left), float(top), side


def zone_crop(
    rgb: npt.NDArray[np.uint8], square: tuple[float, float, float], size: int, mirror: bool = False
) -> npt.NDArray[np.uint8]:
    """Cuts a square out of an aligned picture; beyond the border the picture is mirrored.

    Args:
        rgb: (S, S, 3) uint8.
        square: (left, top, side) in pixels of `rgb`.
        size: Side of the result.
        mirror: Flip left and right, so that one estimator serves both sides.

    Returns:
        (size, size, 3) uint8.
    """
    left, top, side = square
    step = side / size
    matrix = np.array([[step, 0, left + 0.5 * step - 0.5], [0, step, top + 0.5 * step - 0.5]])
    source = rgb
    if step > 1.25:
        # As `amgan.faces.align` shrinks but for the last bits, which the shipped estimators were fitted on.
        factor = 1 / step
        source = cv2.resize(rgb, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)  # type: ignore[assignment]
        fx, fy = source.shape[1] / rgb.shape[1], source.shape[0] / rgb.shape[0]
        matrix[0] *= fx
        matrix[1] *= fy
        matrix[:, 2] += (0.5 * fx - 0.5, 0.5 * fy - 0.5)
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    crop = cv2.warpAffine(source, matrix, (size, size), flags=flags, borderMode=cv2.BORDER_REFLECT_101)
    return np.ascontiguousarray(crop[:, ::-1] if mirror else crop)
