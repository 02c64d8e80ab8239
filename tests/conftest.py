"""Shared fixtures: the astronaut, generated faces with known scores, photos, a dataset, a small model, judges."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import skimage.data
from PIL import Image

from amgan.data.curation.limits import Limits, default_limits
from amgan.data.curation.run import curate
from amgan.data.labels import read_labels
from amgan.faces.detect import FaceDetector
from amgan.faces.parsing import FaceParser
from amgan.maps.packing import pack_zones
from amgan.models.bundle import save_bundle
from amgan.models.generator import Generator, GeneratorConfig
from amgan.models.ridge_estimators import RidgeEstimators
from amgan.signs.atlas import unit_atlas
from amgan.signs.zones import rasterise


@pytest.fixture(scope="session")
def astronaut() -> np.ndarray:
    """(512, 512, 3) uint8, NASA, public domain."""
    return np.asarray(skimage.data.astronaut())


@pytest.fixture(scope="session")
def face_set(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray) -> Path:
    """A folder as `amgan train --data` wants it: tinted, mirrored copies of one face with wrinkles that we drew.

    The zones are the atlas's on the face's landmarks; lines in them are as strong as the score in the table.
    """
    folder = tmp_path_factory.mktemp("faces")
    rng = np.random.default_rng(0)
    atlas = unit_atlas()
    with FaceDetector() as detector:
        (face,) = detector.detect(astronaut)
    polygons = [polygon for zone in atlas.zones for polygon in atlas.polygons(zone)]
    zones = rasterise(polygons, face.landmarks, 512, 512)[..., None]
    lines = np.sin(np.arange(512) * 2 * np.pi / 4)[:, None, None]
    with (folder / "faces.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["file", "identity", "split", "age", "license", *atlas.signs])
        writer.writeheader()
        for index in range(12):
            gain = rng.uniform(0.8, 1.1, 3)
            wrinkled = astronaut + 0.08 * index * 80 * zones * lines
            picture = np.clip(wrinkled[:, :: -1 if index % 2 else 1] * gain, 0, 255).astype(np.uint8)
            Image.fromarray(picture).save(folder / f"{index}.png")
            row: dict[str, object] = {"file": f"{index}.png", "identity": f"person-{index}", "license": "CC0 1.0"}
            row |= {"split": "val" if index >= 10 else "train", "age": 20 + 5 * index}
            row |= {sign: 8 * index for sign in atlas.signs}
            row["upper_lip_wrinkles"] = "occluded" if index == 3 else 40
            writer.writerow(row)
    return folder


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


@pytest.fixture(scope="session")
def dataset(face_set: Path, lenient: Limits, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The generated faces but the youngest, curated at 256 px with their labels; to be changed, ask for its `copy`."""
    folder = tmp_path_factory.mktemp("dataset")
    labels = read_labels(face_set / "faces.csv", unit_atlas()).rows
    curate(face_set, folder, lenient.model_copy(update={"min_age": 21.0}), labels, size=256, workers=1)
    return folder


@pytest.fixture
def copy(dataset: Path, tmp_path: Path) -> Path:
    """A dataset that may be changed."""
    return Path(shutil.copytree(dataset, tmp_path / "dataset"))


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a small model with random weights, whose change is large enough to see."""
    import torch

    torch.manual_seed(0)
    atlas = unit_atlas()
    channels = pack_zones(atlas)
    generator = Generator(GeneratorConfig(map_channels=max(channels) + 1, base_channels=8, blocks=1))
    with torch.no_grad():
        generator.output.bias.copy_(torch.tensor([0.5, -0.5, 0.5, 2.0]))
    estimators = RidgeEstimators(atlas)
    estimators.bias.fill_(0.3)
    estimators.deviation_bias.fill_(-2.5)  # 0.08
    return save_bundle(tmp_path_factory.mktemp("model"), generator, estimators, atlas, channels, "for tests", 512, 0.0)


def brightness(rgb: np.ndarray, box: object = None) -> float:
    return float(rgb.mean()) / 255


class Signs:
    """Scores every sign by the brightness of its crop."""

    def predict(self, identity: str, crops: dict[str, np.ndarray]) -> dict[str, float]:
        return {sign: brightness(crop) for sign, crop in crops.items()}


@pytest.fixture
def loaded(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Puts stand-ins in the place of the judges, which take minutes; the list says for which split they were loaded."""
    from amgan import processes
    from amgan.evaluation import judging
    from amgan.evaluation.judges import cross
    from amgan.evaluation.judging import Judges
    from amgan.evaluation.networks import INCEPTION, LEADING, load_inception

    splits: list[str] = []

    def features(rgb: np.ndarray) -> np.ndarray:
        return np.asarray(rgb[::64, ::64].reshape(-1)[:24], np.float32)

    def fit(
        store: object, atlas: object, share: float, split: str, faceres: object, inception: str | None, *rest: object
    ) -> SimpleNamespace:
        splits.append(split)
        networks = {LEADING: features}
        if inception is not None:
            networks[INCEPTION] = load_inception(Path(inception))
        identity = SimpleNamespace(embed=lambda rgb, box: features(rgb) / 255)
        ages = {"brightness": SimpleNamespace(age=lambda rgb, box: 100 * brightness(rgb))}
        judges = Judges(Signs(), identity, ages, networks, FaceParser())  # type: ignore[arg-type]
        quality = {sign: {"r": 0.75, "error": 0.0625} for sign in unit_atlas().signs}
        return SimpleNamespace(judges=lambda: judges, quality=lambda: quality)

    monkeypatch.setattr(judging, "fit_bench", fit)
    # Stand-ins stay in this process.
    monkeypatch.setattr(processes, "fitting_workers", lambda size: 1)
    # Of the generated faces too few are kept for judges.
    monkeypatch.setattr(cross, "check_graded", lambda *_: None)
    return splits
