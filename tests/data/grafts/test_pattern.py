from pathlib import Path

import cv2
import numpy as np
import pytest

from amgan.data.grafts import pattern
from amgan.data.grafts.bare_skin import bare_skin
from amgan.data.grafts.pattern import FULL, Giver, evened, pattern_of
from amgan.data.store import Store, prepare
from amgan.errors import DatasetError
from amgan.maps.mesh import mean_face
from amgan.signs.atlas import unit_atlas
from amgan.signs.zones import rasterise

ATLAS = unit_atlas()
SIZE = 512


@pytest.fixture(scope="module")
def store(face_set: Path, tmp_path_factory: pytest.TempPathFactory) -> Store:
    return prepare(face_set, tmp_path_factory.mktemp("store"), ATLAS, size=SIZE)


def givers(store: Store, gain: float = 1.0, forehead: float | None = None) -> dict[str, Giver]:
    found = {sign: Giver(store.rows[0].name, gain) for sign in (*ATLAS.signs, "rest")}
    if forehead is not None:
        found["forehead_wrinkles"] = Giver(store.rows[0].name, forehead)
    return found


def test_it_has_a_relief_a_channel_that_grows_with_the_gain(store: Store) -> None:
    plain, twice = (pattern_of(store, ATLAS, givers(store, gain)) for gain in (1.0, 2.0))
    assert plain.shape == (1, SIZE, SIZE, 3) and plain.dtype == np.float32 and np.isfinite(plain).all()
    assert np.abs(plain).max() > 0.02 and np.allclose(twice, 2 * plain, atol=1e-6)
    # Of no more of the scale than givers have, so that all of it is more than what they have.
    assert FULL < 1


def test_who_gives_a_sign_gives_it_in_its_zone(store: Store) -> None:
    plain, other = pattern_of(store, ATLAS, givers(store)), pattern_of(store, ATLAS, givers(store, forehead=3.0))
    landmarks = ((mean_face() + 1) * SIZE / 2 - 0.5).astype(np.float32)
    forehead = rasterise(ATLAS.signs["forehead_wrinkles"].zones["centre"], landmarks, SIZE, SIZE)
    moved = np.abs(other - plain).max(axis=(0, 3))
    assert moved[forehead > 0.5].mean() > 20 * moved[: SIZE // 8].mean()
    assert moved[int(0.75 * SIZE) :].max() < 1e-6


def test_a_forehead_fades_where_its_skin_ends_and_nothing_else_does(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def right_half(picture: np.ndarray, landmarks: np.ndarray, shaded: bool) -> np.ndarray:
        skin = np.full_like(bare_skin(picture, landmarks, shaded=shaded), 255)
        skin[:, : skin.shape[1] // 2] = 0  # a fringe
        return skin

    monkeypatch.setattr(pattern, "bare_skin", right_half)
    wrinkled = {sign: Giver(store.rows[9].name) for sign in (*ATLAS.signs, "rest")}
    faded = np.abs(pattern_of(store, ATLAS, wrinkled)).max(axis=(0, 3))
    monkeypatch.setattr(pattern, "_TO_HAIR", "")
    cut = np.abs(pattern_of(store, ATLAS, wrinkled)).max(axis=(0, 3))
    landmarks = ((mean_face() + 1) * SIZE / 2 - 0.5).astype(np.float32)
    forehead = rasterise(ATLAS.signs["forehead_wrinkles"].zones["centre"], landmarks, SIZE, SIZE) > 0.9
    columns = np.arange(SIZE)[None] + 0 * forehead
    edge, inside = (forehead & (columns > first) & (columns < last) for first, last in ((256, 264), (310, 360)))
    assert cut[edge].mean() > 0.005 and faded[edge].mean() < 0.3 * cut[edge].mean()
    assert faded[inside].mean() > 0.95 * cut[inside].mean()
    assert np.array_equal(faded[SIZE // 2 :], cut[SIZE // 2 :])


def test_spots_or_lines_alone_are_less_than_all(store: Store) -> None:
    every, lines, spots = (
        pattern_of(store, ATLAS, {sign: Giver(store.rows[0].name, 1.0, what) for sign in (*ATLAS.signs, "rest")})
        for what in ("all", "lines", "spots")
    )
    assert np.abs(spots).mean() < 0.7 * np.abs(every).mean() and 0 < np.abs(lines).mean() < np.abs(every).mean()
    # Both are dark, but for what is fine beside them.
    assert lines.min() < -0.02 and lines.max() < 0.8 * every.max()
    smooth = cv2.GaussianBlur(spots[0], (0, 0), 8 * SIZE / 1024)
    assert np.abs(spots).max() > 0.01 and smooth.max() < 0.1 * np.abs(spots).max()


def test_givers_are_faces_of_the_data_and_each_sign_has_one(store: Store) -> None:
    with pytest.raises(DatasetError, match=r"givers: nobody gives forehead_wrinkles"):
        pattern_of(store, ATLAS, {})
    with pytest.raises(DatasetError, match=r"givers\.rest: nobody\.jpg: no face of"):
        pattern_of(store, ATLAS, givers(store) | {"rest": Giver("nobody.jpg")})


def test_a_patch_that_one_side_of_one_giver_has_grows_fainter() -> None:
    rng = np.random.default_rng(0)
    patterns = np.repeat(rng.normal(0, 0.1, (3, 1, SIZE, SIZE, 1)), 3, axis=-1).astype(np.float32)
    spotted = patterns.copy()
    spotted[0, :, 100:160, 380:440] *= 4
    found = evened(spotted)
    strength, usual = (np.abs(each[0, 0, 110:150, 390:430]).mean() for each in (found, patterns))
    assert 0.85 * usual < strength < 1.1 * usual
    kept = np.abs(found[:, :, 250:]).mean() / np.abs(patterns[:, :, 250:]).mean()
    assert 0.85 < kept <= 1 and np.abs(found).max() <= np.abs(spotted).max()
    # Of which way round is nothing known: the other way round it comes out the same.
    assert np.allclose(evened(spotted[:, :, :, ::-1])[:, :, :, ::-1], found, atol=1e-5)
