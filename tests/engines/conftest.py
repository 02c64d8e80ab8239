"""A folder of small photos to curate."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def source(tmp_path: Path, face_set: Path, astronaut: np.ndarray) -> Path:
    """Six faces in two folders, a photo without one, one with two, a damaged file and a text."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for index in range(6):
        shutil.copy(face_set / f"{index}.png", folder / ("more" if index % 2 else "") / f"{index}.png")
    Image.fromarray(astronaut[300:, :200]).save(folder / "no <b>face.png")
    Image.fromarray(np.concatenate([astronaut, astronaut[:, ::-1]], axis=1)).save(
        folder / "more" / "two.jpg", quality=95
    )
    (folder / "damaged.jpg").write_bytes(b"\xff\xd8\xff not much of a JPEG")
    (folder / "notes.txt").write_text("not a photo")
    return folder
