"""Contact sheets: numbered crops on a grey that flatters no skin. Nothing but pixels goes into their files."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

Rgb = npt.NDArray[np.uint8]
_PAPER, _INK = (160, 160, 160), (0, 0, 0)
_GAP, _LABEL, _HEAD = 24, 34, 56
# Width over height that a sheet is to come near to, as screens have it.
_SCREEN = 1.5


def sheet(tiles: Sequence[Sequence[Rgb]], labels: Sequence[str], title: str) -> Image.Image:
    """Lays crops out in rows, each with its label below.

    Args:
        tiles: What stands above each label: one crop, or those of a pair from left to right; all (H, W, 3) uint8 of one
            size.
        labels: One a tile.
        title: At the top.
    """
    height, single = tiles[0][0].shape[:2]
    width = len(tiles[0]) * (single + _GAP // 3) - _GAP // 3
    columns = _columns(len(tiles), width + _GAP, height + _LABEL + _GAP)
    rows = math.ceil(len(tiles) / columns)
    size = (columns * (width + _GAP) + _GAP, rows * (height + _LABEL + _GAP) + _HEAD)
    canvas = Image.new("RGB", size, _PAPER)
    draw = ImageDraw.Draw(canvas)
    draw.text((_GAP, _HEAD // 2), title, _INK, ImageFont.load_default(min(24, _letters(size[0], title))), anchor="lm")
    font = ImageFont.load_default(26)
    for place, (crops, label) in enumerate(zip(tiles, labels, strict=True)):
        row, column = divmod(place, columns)
        left, top = _GAP + column * (width + _GAP), _HEAD + row * (height + _LABEL + _GAP)
        for number, crop in enumerate(crops):
            canvas.paste(Image.fromarray(crop), (left + number * (single + _GAP // 3), top))
        draw.text((left + width // 2, top + height + 4), label, _INK, font, anchor="ma")
    return canvas


def _columns(count: int, width: int, height: int) -> int:
    """How many tiles of this size to lay side by side; of equally good shapes the one with fewer empty places."""

    def unlike(columns: int) -> float:
        rows = math.ceil(count / columns)
        empty = columns * rows - count
        return abs(math.log(columns * width / (rows * height) / _SCREEN)) + 0.2 * empty / count

    return min(range(1, count + 1), key=unlike)


def _letters(width: int, title: str) -> int:
    """Height of letters at which a line fits, pixels."""
    return max(int((width - 2 * _GAP) / (0.52 * max(len(title), 1))), 10)
