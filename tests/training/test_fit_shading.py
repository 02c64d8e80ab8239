from collections.abc import Iterable, Iterator

import numpy as np
import pytest

from amgan.data.patches import FacePatches
from amgan.maps.mesh import mean_face
from amgan.training.fit_shading import Slopes, even, fit, limited


def test_a_slope_is_found_beside_what_else_differs() -> None:
    rng = np.random.default_rng(0)
    maps = rng.uniform(0, 1, (400, 5)).astype(np.float32)
    others = rng.normal(0, 1, (400, 2)).astype(np.float32)
    # Who is older is turned further.
    others[:, 0] += 2 * maps.mean(axis=1)
    others -= others.mean(axis=0)
    truth = np.array([[0.3], [-0.2], [0.0], [0.5], [0.1]])
    values = maps[..., None] * truth + 0.4 * others[:, :1, None] + rng.normal(0, 0.02, (400, 5, 1))
    weights = np.ones((400, 5), np.float32)
    # What is covered says nothing, whatever it shows.
    weights[::4, 3], values[::4, 3] = 0, -9
    slopes = Slopes(5, 1, 2, penalty=0.1)
    for part in (slice(0, 100), slice(100, 400)):
        slopes.add(values[part].astype(np.float32), weights[part], maps[part], others[part])
    assert slopes.found() == pytest.approx(truth, abs=0.02)


def test_places_that_nobody_shows_have_no_slope() -> None:
    slopes = Slopes(2, 1, 1)
    ones = np.ones((50, 2), np.float32)
    weights = ones * [0, 1]
    slopes.add(ones[..., None], weights.astype(np.float32), ones, np.zeros((50, 1), np.float32))
    assert slopes.found()[0, 0] == 0


def test_light_from_one_side_and_the_hue_of_a_face_are_no_matter_of_places() -> None:
    steps = np.linspace(-1, 1, 32, dtype=np.float32)
    across, down = np.meshgrid(steps, steps)
    logs = np.repeat((0.3 * across - 0.2 * down - 0.7)[..., None], 3, axis=2) + np.array([0.2, 0, -0.1], np.float32)
    found, weight = even(logs, np.ones((32, 32), np.float32))
    assert np.abs(found).max() < 1e-3 and weight.all()
    logs[10:14, 10:14] -= 0.4
    dark, _ = even(logs, weight)
    assert dark[11, 11, 0] < -0.3 and np.abs(dark[..., 1:]).max() < 1e-3


def test_what_is_measured_is_limited_softly_and_fades_where_few_faces_show_it() -> None:
    slopes = np.zeros((1, 4, 4), np.float32)
    slopes[..., 0] = [[-0.1, -3.0, 3.0, -0.1]]
    shown = np.array([[1, 1, 1, 0.05]], np.float32)
    found = limited(slopes, shown)
    assert found[0, 0, 0] == pytest.approx(-0.1, abs=0.01)
    assert -0.41 < found[0, 1, 0] < -0.39 and 0.05 < found[0, 2, 0] < 0.07 and not found[0, 3].any()


def test_faces_are_measured_on_the_mean_face(patches: FacePatches) -> None:
    store = patches.store
    chosen = store.subset(lambda row: row.split == "train")
    gone: list[int] = []

    def watched(numbers: Iterable[int]) -> Iterator[int]:
        for number in numbers:
            gone.append(number)
            yield number

    scores = np.linspace(0, 1, len(chosen), dtype=np.float32)
    zones = np.repeat(scores[:, None], len(patches.atlas.zones), axis=1)
    found = fit(store, patches.atlas, chosen, zones, scores, watched)
    assert found.shape == (256, 256, 3) and gone == list(range(len(gone))) and len(gone) >= 5
    # Both ways round are the same, the nose is shown by all, and beside the face there is nothing.
    assert found == pytest.approx(found[:, ::-1], abs=0.02)
    x, y = ((mean_face()[4] + 1) / 2 * 256).astype(int)
    assert found[y, x].any() and not found[:20].any()
