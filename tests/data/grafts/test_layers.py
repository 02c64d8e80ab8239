from pathlib import Path

import numpy as np
import pytest

from amgan.data.grafts.layers import FaceLayers
from amgan.data.store import Store, prepare
from amgan.signs.atlas import unit_atlas

ATLAS = unit_atlas()
SIZE = 512
ROWS, COLUMNS = slice(128, 320), slice(160, 416)


@pytest.fixture(scope="module")
def store(face_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    return prepare(face_set, tmp_path_factory.mktemp("store"), ATLAS, size=SIZE)


def layers_of(store: Store, most: int = 2**30, cache_bytes: int = 2**30) -> FaceLayers:
    return FaceLayers(store, ATLAS, np.arange(len(store.rows)), cache_bytes, most)


@pytest.mark.parametrize("part", [(ROWS, COLUMNS), (slice(0, 200), slice(0, SIZE)), (slice(0, 9), slice(0, 9))])
def test_what_is_kept_of_a_whole_face_is_what_a_part_shows(store: Store, part: tuple[slice, slice]) -> None:
    kept, anew = layers_of(store), layers_of(store, most=2**20)
    assert kept.whole and not anew.whole
    picture = store.images[-1]
    pick = len(store.rows) - 1
    for one, other in (
        (kept.lines(pick, picture, *part), anew.lines(pick, picture, *part)),
        (kept.relief(pick, SIZE, *part), anew.relief(pick, SIZE, *part)),
    ):
        assert one.shape == other.shape == (part[0].stop - part[0].start, part[1].stop - part[1].start, 3)
        assert one.dtype == other.dtype == np.float32
        # Half a step of a byte at most, the deepest lines of these faces, which do not fit, and the edges of blurs.
        assert np.abs(one - other).mean() < 0.003


def test_a_face_has_relief_and_lines_to_lose(store: Store) -> None:
    layers, pick = layers_of(store), len(store.rows) - 1
    for found in (layers.lines(pick, store.images[pick], ROWS, COLUMNS), layers.relief(pick, SIZE, ROWS, COLUMNS)):
        assert np.abs(found).max() > 0.05


def test_each_is_found_once(store: Store) -> None:
    layers = layers_of(store)
    for top in (100, 200, 300):
        layers.lines(0, store.images[0], slice(top, top + 64), COLUMNS)
        layers.relief(0, SIZE, slice(top, top + 64), COLUMNS)
    assert layers.kept.made == 4  # and where skin is bare, and in what rectangle that lies


def test_nothing_lies_beyond_bare_skin(store: Store) -> None:
    layers = layers_of(store)
    covered = layers.bare(0, SIZE, slice(0, SIZE), slice(0, SIZE)) == 0
    assert covered.any()
    assert not layers.lines(0, store.images[0], slice(0, SIZE), slice(0, SIZE))[covered].any()


def test_how_much_memory_there_is_changes_nothing_but_the_time(store: Store) -> None:
    roomy, narrow = layers_of(store), layers_of(store, cache_bytes=2**19)
    for pick in (0, 1, 0):
        one, other = (of.lines(pick, store.images[pick], ROWS, COLUMNS) for of in (roomy, narrow))
        assert (one == other).all()
