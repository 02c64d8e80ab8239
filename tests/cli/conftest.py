"""A photo for the command line."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image


@pytest.fixture
def photo(tmp_path: Path, astronaut: np.ndarray) -> Path:
    """The astronaut in a file, alone in its folder."""
    Image.fromarray(astronaut).save(tmp_path / "astronaut.png")
    return tmp_path / "astronaut.png"
