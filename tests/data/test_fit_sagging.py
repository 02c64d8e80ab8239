from pathlib import Path

import numpy as np
import pytest

from amgan.data.fit_sagging import groups, moves
from amgan.data.table import Row
from amgan.maps.mesh import mean_face


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


def rows_in(*folders: str) -> list[Row]:
    kinds: tuple[str, ...] = ("female", "male")
    return [
        Row(Path(f), f"{f}{n}.jpg", f"{f}{n}", "train", 0.5, {}, "", sex=kinds[n % 2]) for n, f in enumerate(folders)
    ]


def test_folders_are_sources_unless_each_photo_has_its_own_or_none() -> None:
    sexes = groups(rows_in("", ""))
    assert sexes.tolist() == [[1, 0], [0, 1]]
    assert groups(rows_in(*[""] * 60)).shape == (60, 2)
    assert groups(rows_in(*(f"{n}/" for n in range(60)))).shape == (60, 2)
    two = groups(rows_in(*["a/"] * 40, *["b/"] * 30, "c/"))
    assert two.shape == (71, 4) and two.sum(axis=0).tolist() == [36, 35, 40, 30]
    assert groups(rows_in(*(f"{n % 40}/" for n in range(1000)))).shape == (1000, 2)
