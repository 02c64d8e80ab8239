"""A folder of small photos to curate, and limits that its face of 100 px passes."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from amgan.data.curation.limits import Limits, default_limits


@pytest.fixture(scope="session")
def lenient() -> Limits:
    """Limits that the astronaut, and her copies with wrinkles drawn on, pass."""
    loose = {"min_side": 50.0, "min_sharpness": 0.2, "max_forehead_covered": None}
    return default_limits().model_copy(update=loose)


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
