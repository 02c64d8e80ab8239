"""Random changes to a training patch that must mean nothing to the networks: colour, light, blur, noise, blocks."""

from __future__ import annotations

import math

import cv2
import numpy as np
import numpy.typing as npt

from amgan.faces.light import LUMA


def degrade(rgb: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """A patch as a small, noisy or compressed photo would show it.

    Args:
        rgb: (P, P, 3) uint8.
        rng: Source of randomness.

    Returns:
        The same shape: shrunk up to three times and enlarged, with noise, and saved as JPEG of quality 40 to 95.
    """
    side = rgb.shape[0]
    small = round(side / rng.uniform(1, 3))
    rgb = np.asarray(cv2.resize(rgb, (small, small), interpolation=cv2.INTER_AREA), np.uint8)
    grain = rng.normal(0, rng.uniform(0, 8), (small, small, 1 if rng.random() < 0.5 else 3))
    # OpenCV's codec takes blue first.
    bgr = (rgb + grain).clip(0, 255).astype(np.uint8)[..., ::-1]
    _, packed = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 96))])
    rgb = np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR), np.uint8)[..., ::-1]
    return np.asarray(cv2.resize(rgb, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)


def jitter(rgb: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    """A picture in another colour, light and saturation, so that no skin colour can stand for age.

    Args:
        rgb: (H, W, 3) uint8.
        rng: Source of randomness.

    Returns:
        (H, W, 3) in -1..1.
    """
    gamma, contrast = (math.exp(rng.normal(0, sd)) for sd in (0.15, 0.12))
    gain, offset = np.exp(rng.normal(0, 0.12, 3)), rng.normal(0, 0.05)
    saturation = 0.0 if rng.random() < 0.1 else rng.uniform(0.4, 1.5)
    curves = (np.arange(256) / 255).clip(1e-3, 1)[:, None] ** gamma * gain + offset
    unit = cv2.LUT(rgb, curves[None].astype(np.float32))
    # Contrast about the mean, then saturation about the luma, in one matrix; and 0..1 becomes -1..1.
    matrix = 2 * contrast * (saturation * np.eye(3) + (1 - saturation) * LUMA)
    shift = 2 * (1 - contrast) * float(unit.mean()) - 1
    changed = cv2.transform(unit, np.column_stack([matrix, np.full(3, shift)]))
    return np.asarray(changed.clip(-1, 1), np.float32)
