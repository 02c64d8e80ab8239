"""What a reader has and the tests have not is stood in for: many faces, a teacher, a model that may be changed."""

from __future__ import annotations

import csv
import shutil
import subprocess
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import amgan.models.bundle
from amgan.data.curation.fit_occlusion import COLUMNS
from amgan.data.curation.limits import load_limits
from amgan.evaluation import shift
from amgan.models.bundle import packaged_model
from amgan.training import fit_trends

from ..conftest import Signs
from ..data.people import write_people

Places = Mapping[str, str]


def stand_in(command: list[str], places: Places, patch: pytest.MonkeyPatch) -> None:
    """Sees to what a command of another program wants, in the reader's folder.

    Args:
        command: As it will be run.
        places: Name to path, of what the tests have at hand.
        patch: Ends with the test.
    """
    if any(word.startswith("benchmarks/") for word in command):
        patch.setattr(amgan.models.bundle, "default_model", lambda: Path(places["model"]))
    for name in _NEEDS.keys() & set(command):
        _NEEDS[name](places, patch)


def _repository(places: Places, patch: pytest.MonkeyPatch) -> None:
    """One of git's."""
    if shutil.which("git") is None:
        pytest.skip("no git on the PATH")
    subprocess.run(["git", "init", "-q"], check=True)


def _people(places: Places, patch: pytest.MonkeyPatch) -> None:
    """Enough of a population."""
    Path("DIR").unlink()
    Path("DIR").mkdir()
    write_people(Path("DIR"))


def _labels(places: Places, patch: pytest.MonkeyPatch) -> None:
    """A few faces of which something is covered."""
    with Path(places["scratch"], "labels.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        columns = [column for group in COLUMNS.values() for column in group]
        writer.writerow(["file", *columns])
        writer.writerows([f"{index}.png", *(int(index % 4 == number) for number in range(4))] for index in range(12))


def _tested(places: Places, patch: pytest.MonkeyPatch) -> None:
    """A few faces of which every other one is for tests, and estimators to compare with."""
    with Path("DATA/faces.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))[:8]
    faces = Path(places["scratch"], "faces")
    faces.mkdir()
    for index, row in enumerate(rows):
        shutil.copy(Path("DATA", row["file"]), faces)
        row["split"] = "test" if index % 2 else "train"
    with (faces / "faces.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0])
        writer.writeheader()
        writer.writerows(rows)
    Path("DATA").unlink()
    Path("DATA").symlink_to(faces)
    Path("OUT").mkdir()
    Path("OUT/maps").symlink_to(places["model"])


def _few_faces(places: Places, patch: pytest.MonkeyPatch) -> None:
    """Light and shape of a few, and a model that follows them and may be written into."""
    patch.setattr(fit_trends, "FEWEST", 3)
    Path("MODEL").unlink()
    shutil.copytree(packaged_model("default"), "MODEL")


def _judge(places: Places, patch: pytest.MonkeyPatch) -> None:
    """A judge that was fitted on nothing, and limits that the generated faces keep to."""
    pytest.importorskip("dlib")
    judge = SimpleNamespace(predict=Signs().predict, correlation=lambda: dict[str, float]())
    patch.setattr(shift, "fit_judge", lambda *_: judge)
    patch.setattr(shift, "FRONTAL", load_limits(Path(places["limits"])))


class _Teacher:
    """Takes what is dark for hair and what is bright for skin."""

    def segment(self, image: Any) -> SimpleNamespace:
        """Shares of the six classes, as MediaPipe gives them."""
        bright = image.numpy_view().mean(axis=2, dtype=np.float32) / 255
        shares = [np.zeros_like(bright), 1 - bright, np.zeros_like(bright), bright, *np.zeros((2, *bright.shape))]
        return SimpleNamespace(confidence_masks=[SimpleNamespace(numpy_view=share.copy) for share in shares])


def _teacher(places: Places, patch: pytest.MonkeyPatch) -> None:
    """What Google's network would be asked."""
    from mediapipe.tasks.python import vision

    Path("selfie_multiclass_256x256.tflite").touch()
    patch.setattr(vision.ImageSegmenter, "create_from_options", lambda options: nullcontext(_Teacher()))


def _prepared(places: Places, patch: pytest.MonkeyPatch) -> None:
    """Faces that were prepared beside the runs."""
    Path("../runs/processes").mkdir()
    Path("../runs/processes/prepared").symlink_to(places["prepared"])


# A word of a command to what it needs.
_NEEDS: Mapping[str, Callable[[Places, pytest.MonkeyPatch], None]] = {
    "pre-commit": _repository,
    "amgan.data.quantiles": _people,
    "amgan.data.curation.fit_occlusion": _labels,
    "amgan.training.fit_trends": _few_faces,
    "amgan.training.fit_parsing": _teacher,
    "amgan.evaluation.shift": _judge,
    "benchmarks/estimators.py": _tested,
    "benchmarks/processes.py": _prepared,
}
