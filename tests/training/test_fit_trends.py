"""Light and shape are measured on the faces that a model learns from, or on none but others'."""

from __future__ import annotations

import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch

from amgan.data.patches import FacePatches
from amgan.models.bundle import packaged_model, read_trends
from amgan.training import fit_trends
from amgan.training.faces import TrainingFaces
from amgan.training.fit_trends import measurable, measure_trends, rows_under


def test_too_few_faces_tell_nothing_and_too_many_no_more(patches: FacePatches, monkeypatch: pytest.MonkeyPatch) -> None:
    store, rows = patches.store, np.arange(len(patches.store.rows))
    assert len(rows) == 12 and not len(measurable(store, rows))
    monkeypatch.setattr(fit_trends, "FEWEST", 5)
    assert np.array_equal(measurable(store, rows), rows)
    unknown = replace(store, rows=[replace(row, age=math.nan) if i < 3 else row for i, row in enumerate(store.rows)])
    assert measurable(unknown, rows).tolist() == list(range(3, 12))
    monkeypatch.setattr(fit_trends, "MOST", 4)
    assert measurable(unknown, rows).tolist() == [3, 5, 8, 11]


def test_photos_under_other_licences_say_nothing(patches: FacePatches) -> None:
    store = patches.store
    every = rows_under(store, 0.2, ())
    assert 3 < len(every) < 10  # those of `val` and of the judges are left out
    mixed = replace(store, rows=[replace(row, licence="mine" if i % 2 else "free") for i, row in enumerate(store.rows)])
    assert rows_under(mixed, 0.2, ["free"]).tolist() == [i for i in every if not i % 2]
    assert rows_under(mixed, 0.2, ["free", "mine"]).tolist() == every.tolist()
    assert not len(rows_under(mixed, 0.2, ["MIT"]))


def of(patches: FacePatches, said: list[str], start: str | None = None) -> TrainingFaces:
    """Faces without what takes long to fit."""
    faces: Any = TrainingFaces.__new__(TrainingFaces)
    count, zones = len(patches.store.rows), len(patches.atlas.zones)
    faces.__dict__ |= {
        "config": SimpleNamespace(start=start),
        "atlas": patches.atlas,
        "store": patches.store,
        "rows": np.arange(count),
        "scores": (torch.linspace(0, 1, count)[:, None].repeat(1, zones), torch.linspace(0, 1, count)),
        "say": said.append,
        "_bar": lambda label: iter,
    }
    return faces  # type: ignore[no-any-return]


def test_a_model_has_the_trends_of_its_own_photos(patches: FacePatches, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fit_trends, "FEWEST", 5)
    said: list[str] = []
    faces = of(patches, said)
    found = faces.trends()
    assert said == ["light and shape are measured on 12 faces of known age"]
    scores, ages = (part.numpy() for part in faces.scores)
    wanted = measure_trends(patches.store, patches.atlas, np.arange(12), scores, ages)
    assert np.array_equal(found.light, wanted.light) and np.array_equal(found.moves, wanted.moves)
    assert found.light.any() and found.moves.shape == (468, 2)


@pytest.mark.parametrize(("start", "named"), [(None, "the model permissive"), ("default", "the model default")])
def test_of_too_few_photos_those_of_a_finished_model_are_taken(
    patches: FacePatches, start: str | None, named: str
) -> None:
    said: list[str] = []
    found = of(patches, said, start).trends()
    assert len(said) == 1 and named in said[0] and "fewer than 100 faces" in said[0]
    assert np.array_equal(found.light, read_trends(packaged_model(start or "permissive")).light)
