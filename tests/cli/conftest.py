"""A photo, and stand-ins for the judges of an evaluation, for theirs take minutes to fit."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from amgan.evaluation import judging
from amgan.evaluation.judges import cross
from amgan.evaluation.judging import Judges
from amgan.evaluation.networks import LEADING
from amgan.signs.atlas import unit_atlas


@pytest.fixture
def photo(tmp_path: Path, astronaut: np.ndarray) -> Path:
    """The astronaut in a file, alone in its folder."""
    Image.fromarray(astronaut).save(tmp_path / "astronaut.png")
    return tmp_path / "astronaut.png"


def brightness(rgb: np.ndarray, box: object = None) -> float:
    return float(rgb.mean()) / 255


class Signs:
    """Scores every sign by the brightness of its crop."""

    def predict(self, identity: str, crops: dict[str, np.ndarray]) -> dict[str, float]:
        return {sign: brightness(crop) for sign, crop in crops.items()}

    def quality(self) -> dict[str, dict[str, float]]:
        return {sign: {"r": 0.75, "error": 0.0625} for sign in unit_atlas().signs}


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Puts stand-ins in the place of the judges; the list says for which split they were loaded."""
    splits: list[str] = []

    def features(rgb: np.ndarray) -> np.ndarray:
        return np.asarray(rgb[::64, ::64].reshape(-1)[:24], np.float32)

    def load(store: object, atlas: object, share: float, split: str, *rest: object) -> Judges:
        splits.append(split)
        identity = SimpleNamespace(embed=lambda rgb, box: features(rgb) / 255)
        ages = {"brightness": SimpleNamespace(age=lambda rgb, box: 100 * brightness(rgb))}
        return Judges(Signs(), identity, ages, {LEADING: features})  # type: ignore[arg-type]

    monkeypatch.setattr(judging, "load_judges", load)
    # Of the generated faces too few are kept for judges.
    monkeypatch.setattr(cross, "check_graded", lambda *_: None)
    return splits
