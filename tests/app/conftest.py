from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from amgan.app.session import Session
from amgan.app.studio import Studio
from amgan.faces.photo import Photo, photo_from_image
from amgan.inference.ager import Ager
from amgan.inference.views import FaceView


@pytest.fixture(scope="session")
def ager(small_model: Path) -> Iterator[Ager]:
    with Ager(small_model) as opened:
        yield opened


@pytest.fixture(scope="session")
def analyzed(ager: Ager, astronaut: np.ndarray) -> tuple[Photo, list[FaceView]]:
    photo = photo_from_image(Image.fromarray(astronaut), "astronaut.png")
    return photo, ager.analyze(photo)


@pytest.fixture
def studio(ager: Ager, tmp_path: Path) -> Studio:
    return Studio(ager, tmp_path / "sessions")


@pytest.fixture
def session(studio: Studio, analyzed: tuple[Photo, list[FaceView]]) -> Session:
    """A visitor's session with the astronaut's photo in it, which was analysed for all tests once."""
    opened = studio.session("visitor")
    opened.photo, opened.views = analyzed[0], list(analyzed[1])
    opened.choose(0)
    return opened
