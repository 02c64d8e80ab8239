"""Random changes to a training patch that must mean nothing to the networks: colour, light, blur, noise, blocks."""

from __future__ import annotations

import functools
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
    shrunk = cv2.resize(rgb, (small, small), interpolation=cv2.INTER_AREA)
    deviation, colours = rng.uniform(0, 8), 1 if rng.random() < 0.5 else 3
    grain = _grain(rng, small * small * colours).reshape(small, small, colours) * np.float32(deviation)
    grainy = cv2.add(shrunk, grain if colours == 3 else cv2.merge([grain] * 3), dtype=cv2.CV_8U)
    # OpenCV's codec takes blue first.
    quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(40, 96))]
    _, packed = cv2.imencode(".jpg", cv2.cvtColor(grainy, cv2.COLOR_RGB2BGR), quality)
    saved = cv2.cvtColor(np.asarray(cv2.imdecode(packed, cv2.IMREAD_COLOR)), cv2.COLOR_BGR2RGB)
    return np.asarray(cv2.resize(saved, (side, side), interpolation=cv2.INTER_CUBIC), np.uint8)


def _grain(rng: np.random.Generator, count: int) -> npt.NDArray[np.float32]:
    """So many normally distributed numbers, from anywhere in a table: to draw them takes long."""
    table = _normals()
    first = int(rng.integers(len(table)))
    rounds = -(-(first + count) // len(table))
    return (table if rounds == 1 else np.tile(table, rounds))[first : first + count]


@functools.cache
def _normals() -> npt.NDArray[np.float32]:
    return np.random.default_rng(0).standard_normal(2**20, np.float32)


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
