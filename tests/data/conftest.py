"""Limits that the face of 100 px passes, and a dataset curated with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from amgan.data.curation.limits import Limits, default_limits
from amgan.data.curation.run import curate
from amgan.data.labels import read_labels
from amgan.signs.atlas import unit_atlas


@pytest.fixture(scope="session")
def lenient() -> Limits:
    """Limits that the astronaut, and her copies with wrinkles drawn on, pass."""
    loose = {"min_side": 50.0, "min_sharpness": 0.2, "max_forehead_covered": None}
    return default_limits().model_copy(update=loose)


@pytest.fixture(scope="session")
def dataset(face_set: Path, lenient: Limits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated faces curated at 256 px, with their labels; copy it before you change it."""
    folder = tmp_path_factory.mktemp("dataset")
    labels = read_labels(face_set / "faces.csv", unit_atlas()).rows
    # Of the age that is 20 in the table none is kept.
    curate(face_set, folder, lenient.model_copy(update={"min_age": 21.0}), labels, size=256, workers=1)
    return folder
