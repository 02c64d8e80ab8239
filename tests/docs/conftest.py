"""What a reader of the manual has at hand: photos, a graded set, videos, models; made once, laid out anew a page."""

from __future__ import annotations

import csv
import json
import shutil
import tempfile
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image

from amgan.data.curation.limits import Limits
from amgan.data.curation.run import curate
from amgan.data.labels import read_labels
from amgan.signs.atlas import unit_atlas
from manual.blocks import read_blocks
from manual.repository import ROOT

FFHQ = "ffhq/images1024x1024/00000"
# What pages call a set of photos with grades, and one that is curated.
GRADED = ("data", "graded", "DATA", "DIR")
CURATED = ("dataset", "curated", "DATASET")
# So many of the generated faces are there once more, under other names, for the judges of an evaluation.
JUDGED = 6
# What pages call models that somebody has trained.
TRAINED = ("runs/mine", "runs/a", "runs/b", "runs/128", "runs/256")
TRAINED += tuple(f"../runs/{name}" for name in ("mine", "ffhq", "study/patch-128", "study/no-location-maps-128"))


class Inception(torch.nn.Module):
    """What stands in for StyleGAN's: the means of a few places."""

    def forward(self, image: torch.Tensor, return_features: bool) -> torch.Tensor:
        """(1, 3, H, W) uint8 to (1, 48)."""
        assert return_features
        return torch.nn.functional.adaptive_avg_pool2d(image.float(), 4).flatten(1)


@pytest.fixture(scope="session")
def graded(tmp_path_factory: pytest.TempPathFactory, face_set: Path, lenient: Limits) -> Path:
    """``data``, the generated faces, ``curated``, the same curated, and ``few`` of them."""
    folder = tmp_path_factory.mktemp("graded")
    shutil.copytree(face_set, folder / "data")
    with (face_set / "faces.csv").open(newline="") as file:
        rows = [row | {"split": "train"} for row in csv.DictReader(file)]
    for row in rows[:JUDGED]:
        other = {"file": f"other-{row['file']}", "identity": f"other-{row['identity']}", "split": "val"}
        shutil.copy(face_set / row["file"], folder / "data" / other["file"])
        rows.append(row | other)
    with (folder / "data" / "faces.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    labels = read_labels(folder / "data" / "faces.csv", unit_atlas()).rows
    curate(folder / "data", folder / "curated", lenient, labels, size=256, workers=1)
    (folder / "two").mkdir()
    for name in ("0.png", "1.png"):
        shutil.copy(face_set / name, folder / "two")
    curate(folder / "two", folder / "few", lenient, labels, size=256, workers=1)
    return folder


@pytest.fixture(scope="session")
def desk(tmp_path_factory: pytest.TempPathFactory, astronaut: np.ndarray, face_set: Path, lenient: Limits) -> Path:
    """The files in the folder that a reader is in."""
    folder = tmp_path_factory.mktemp("desk")
    for part in ("photos", "clinic", FFHQ):
        (folder / part).mkdir(parents=True)
    photo = Image.fromarray(astronaut)
    photo.save(folder / "me.jpg", quality=95)
    photo.save(folder / "me.png")
    Image.new("RGB", (300, 200), "white").save(folder / "blank.png")
    painted = np.zeros((*astronaut.shape[:2], 4), np.uint8)
    painted[80:140, 180:260] = 255
    Image.fromarray(painted).save(folder / "map.png")
    for name in ("one.png", "two.png"):
        photo.save(folder / "photos" / name)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # StyleGAN's is in this format
        torch.jit.script(Inception()).save(str(folder / "inception-2015-12-05.pt"))
    _write_tables(folder, face_set)
    for name in ("me-recipe.json", "recipe.json"):
        (folder / name).write_text('{"signs": {"nasolabial_fold.left": 0.6}, "face": 0, "seed": 0}')
    (folder / "mine.yaml").write_text(yaml.safe_dump(lenient.model_dump()))
    _write_videos(folder, astronaut)
    return folder


def _write_tables(folder: Path, face_set: Path) -> None:
    """Photos with grades of a clinic, and FFHQ's with its JSON, two kinds of tables, ages and recipes."""
    with (face_set / "faces.csv").open(newline="") as file:
        first = list(csv.DictReader(file))
    # Twice, as of twice as many people: some are kept for judges.
    again = [row | {"file": f"other-{row['file']}", "identity": f"other-{row['identity']}"} for row in first]
    rows = [row | {"forehead_pigmentation": str(index % 9)} for index, row in enumerate(first + again)]
    with (folder / "grades.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    about = {"license_url": "https://creativecommons.org/licenses/by/2.0/", "author": "NASA", "license": "CC BY"}
    entries, ages = {}, ["file,age"]
    for index in range(12):
        for name in (f"{index}.png", f"other-{index}.png"):
            shutil.copy(face_set / f"{index}.png", folder / "clinic" / name)
        if index >= 8:
            continue
        shutil.copy(face_set / f"{index}.png", folder / FFHQ / f"{index:05d}.png")
        image = {"file_path": f"images1024x1024/00000/{index:05d}.png"}
        entries[str(index)] = {"category": "training", "metadata": about, "image": image, "in_the_wild": image}
        ages.append(f"00000/{index:05d}.png,{20 + 5 * index}")
    for name in ("grades.csv", "faces.csv"):
        shutil.copy(folder / "grades.csv", folder / "clinic" / name)
    # Other pages mean these by their names.
    for page in ("train-on-clinic-data.md", "train-on-ffhq.md"):
        for block in read_blocks((ROOT / "docs/howto" / page).read_text("utf-8"), page):
            if block.title is not None:
                (folder / block.title).write_text(block.text)
    (folder / "patients.yaml").write_text("extends: white\nname: patients\n")
    for place in (folder, folder / "ffhq"):
        (place / "ffhq-dataset-v2.json").write_text(json.dumps(entries))
    shutil.copytree(folder / FFHQ, folder / "images1024x1024" / "00000")
    (folder / "ages.csv").write_text("\n".join(ages))
    (folder / "people.csv").write_text("file,age,identity\none.png,40,eileen\ntwo.png,40,eileen\n")
    (folder / "recipes.csv").write_text("photo,all,out\nphotos/one.png,0.9,a.png\nphotos/two.png,0.1,b.png\n")


def _write_videos(folder: Path, astronaut: np.ndarray) -> None:
    """Two frames each of one face, of two, and as a telephone writes it."""
    av = pytest.importorskip("av")
    head = np.ascontiguousarray(astronaut[:320, 96:416])
    for name, picture in {"me.mp4": head, "phone.mov": head, "talk.mkv": np.hstack([head, head[:, ::-1]])}.items():
        with av.open(str(folder / name), "w") as container:
            stream = container.add_stream("libx264", rate=25)
            stream.height, stream.width = picture.shape[:2]
            for _ in range(2):
                container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), "rgb24")))
            container.mux(stream.encode(None))


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory, small_model: Path) -> Path:
    """The small model as ONNX."""
    from amgan.models.bundle import load_bundle
    from amgan.models.export import export_onnx

    return export_onnx(load_bundle(small_model), tmp_path_factory.mktemp("exported") / "mine.onnx").path


@pytest.fixture
def lay_out(
    desk: Path, graded: Path, small_model: Path, prepared: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> Callable[[set[str], set[str]], Path]:
    """Lays out the desk; ``made`` is what the page makes itself, ``scored`` the sets that it writes scores into."""

    def lay(made: set[str], scored: set[str]) -> Path:
        place = Path(tempfile.mkdtemp(dir=tmp_path))
        folder = place / "desk"
        shutil.copytree(desk, folder)
        for name in {*GRADED, *CURATED} - made:
            if name in scored:
                shutil.copytree(graded / "few", folder / name)
            else:
                (folder / name).symlink_to(graded / ("data" if name in GRADED else "curated"))
        (place / "shared").symlink_to(graded)
        (folder / "SRC").symlink_to("photos")
        (folder / "MODEL").symlink_to(small_model)
        (folder / "PHOTO").symlink_to("me.jpg")
        if "mine.onnx" not in made:
            (folder / "mine.onnx").symlink_to(request.getfixturevalue("exported"))
        (folder / "R.json").symlink_to("me-recipe.json")
        for run in (run for run in TRAINED if not any(run.startswith(path) for path in made)):
            model = folder / run / "model"
            model.parent.mkdir(parents=True, exist_ok=True)
            model.symlink_to(small_model)
        # Faces are prepared once for all pages that train.
        (place / "runs").mkdir(exist_ok=True)
        (place / "runs" / "prepared").symlink_to(prepared)
        return folder

    return lay


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where faces are prepared."""
    return tmp_path_factory.mktemp("prepared")
