from pathlib import Path

import numpy as np
import pytest

from amgan.data.grafts.givers import choose_givers
from amgan.data.grafts.pattern import patterns_of
from amgan.data.store import Store, prepare
from amgan.errors import DatasetError
from amgan.signs.atlas import unit_atlas

ATLAS = unit_atlas()
SIZE = 512


@pytest.fixture(scope="module")
def store(face_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    return prepare(face_set, tmp_path_factory.mktemp("store"), ATLAS, size=SIZE)


def test_those_with_the_most_give_and_nobody_the_same_sign_twice(store: Store) -> None:
    indices = np.arange(len(store.rows))
    scores = np.full((len(indices), len(ATLAS.zones)), 0.3, np.float32)
    scores[2] = 0.9
    found = choose_givers(store, ATLAS, indices, scores, 2)
    assert [set(of_one) for of_one in found] == [{*ATLAS.signs, "rest"}] * 2
    most = store.rows[2].name
    gains = {"nasolabial_fold": (0.62, 1.12), "crows_feet": (0.93, 1.68), "cheek_pigmentation": (0.89, 1.6)}
    for sign, (least, deepest) in gains.items():
        by_face = {of_one[sign].face: of_one[sign].gain for of_one in found}
        assert len(by_face) == 2 and most in by_face
        # Deeper where a face has less to give, up to what noise allows.
        assert by_face.pop(most) == least and [*by_face.values()] == [deepest]
        assert {of_one[sign].what for of_one in found} == {ATLAS.signs[sign].relief}
    assert patterns_of(store, ATLAS, found).shape == (2, 1, SIZE, SIZE, 3)


def test_too_few_old_faces_are_too_few(store: Store) -> None:
    indices = np.arange(len(store.rows))
    with pytest.raises(DatasetError, match="only 0 faces have any forehead_wrinkles"):
        choose_givers(store, ATLAS, indices, np.zeros((len(indices), len(ATLAS.zones)), np.float32), 1)
