from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from amgan.data.fit_sagging import fit, moves, to_measure
from amgan.data.store import prepare
from amgan.errors import DatasetError
from amgan.maps.mesh import mean_face
from amgan.signs.atlas import unit_atlas


def test_the_moves_that_were_made_are_found_whatever_else_moves_faces() -> None:
    rng = np.random.default_rng(0)
    mean = (mean_face() + 1) * 512
    truth = np.zeros((468, 2))
    truth[:, 1] = 8 * (mean[:, 1] / 1024) ** 2
    ages = rng.uniform(0, 1, 400)
    older_group = (rng.random(400) < ages).astype(np.float64)
    faces = mean + ages[:, None, None] * truth + rng.normal(0, 2, (400, 468, 2))
    # A group that is older in the mean, and whose faces are wider.
    faces[..., 0] += 0.02 * older_group[:, None] * (mean[:, 0] - 512)
    found = moves(faces, ages, older_group[:, None])
    assert np.abs(found - truth).mean() < 0.35 and np.corrcoef(found[:, 1], truth[:, 1])[0, 1] > 0.95


def test_both_sides_move_alike() -> None:
    rng = np.random.default_rng(1)
    mean = (mean_face() + 1) * 512
    ages = rng.uniform(0, 1, 200)
    faces = mean + rng.normal(0, 2, (200, 468, 2))
    faces[:, 172, 0] -= 10 * ages
    found = moves(faces, ages, np.zeros((200, 0)))
    assert found[172, 0] == pytest.approx(-found[397, 0], rel=0.1) and found[172, 0] < -3


def test_faces_under_other_licences_say_nothing(dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = prepare(dataset, tmp_path, unit_atlas(), size=512)
    with pytest.raises(DatasetError, match="faces of known age; at least 100"):
        fit(store)
    monkeypatch.setattr("amgan.data.fit_sagging.FEWEST", 3)
    every = to_measure(store, 0.2, ())
    free = [index for index in every if index % 2]
    rows = [replace(row, licence="CC0 1.0" if index in free else "mine") for index, row in enumerate(store.rows)]
    mixed = replace(store, rows=rows)
    assert to_measure(mixed, 0.2, ["CC0 1.0"]).tolist() == free
    assert to_measure(mixed, 0.2, ["CC0 1.0", "mine"]).tolist() == every.tolist()
    assert not np.allclose(fit(mixed, licences=["CC0 1.0"]), fit(mixed))
    with pytest.raises(DatasetError, match="0 faces of known age under MIT"):
        fit(mixed, licences=["MIT"])
