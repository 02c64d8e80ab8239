import numpy as np
import pytest

from amgan.data.fit_sagging import moves
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
