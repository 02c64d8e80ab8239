from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from amgan.app.session import Session
from amgan.app.studio import Studio
from amgan.inference.ager import Ager


@pytest.fixture(scope="session")
def ager(small_model: Path) -> Iterator[Ager]:
    with Ager(small_model) as opened:
        yield opened


@pytest.fixture
def studio(ager: Ager, tmp_path: Path) -> Studio:
    return Studio(ager, tmp_path / "sessions")


@pytest.fixture
def session(studio: Studio, tmp_path: Path, astronaut: np.ndarray) -> Session:
    """A visitor's session with the astronaut's photo in it."""
    upload = tmp_path / "upload" / "astronaut.png"
    upload.parent.mkdir()
    Image.fromarray(astronaut).save(upload)
    opened = studio.session("visitor")
    studio.open(opened, upload)
    return opened
