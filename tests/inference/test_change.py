"""What is added to one aligned face, and in which window it is made."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from amgan.faces.photo import photo_from_image
from amgan.inference import change
from amgan.inference.ager import Ager
from amgan.inference.change import face_change, prepare
from amgan.inference.facemaps import location_of, rise_of
from amgan.inference.views import FaceView
from amgan.maps.arrays import grown
from amgan.models.bundle import load_bundle


@pytest.fixture(scope="module")
def face(ager: Ager, astronaut: np.ndarray) -> FaceView:
    (face,) = ager.analyze(astronaut)
    return face.resized(astronaut, 512)


class Drawn:
    """A generator that adds what it is told, and remembers what it was shown."""

    def __init__(self, ager: Ager, added: Any) -> None:
        self.config, self.added, self.shown = ager.bundle.generator.config, added, list[tuple[int, ...]]()
        self.asked = list[np.ndarray]()

    def aged(self, image: np.ndarray, aging_map: np.ndarray, location: np.ndarray, bf16: bool) -> np.ndarray:
        self.shown.append(image.shape[-2:])
        self.asked.append(aging_map)
        return np.asarray(image + self.added(image, location), np.float32)


def with_generator(ager: Ager, generator: Any) -> Any:
    bundle = ager.bundle
    trends = load_bundle().trends if generator.config.follows_trends else None
    known = {name: getattr(bundle, name) for name in ("atlas", "channels", "path")}
    return SimpleNamespace(generator=generator, trends=trends, **known)


def test_one_sign_is_made_in_a_window_as_in_the_whole_face(ager: Ager, face: FaceView, monkeypatch: Any) -> None:
    targets = {**face.scores, "forehead_wrinkles": 1.0}
    found = face.wide.of_face(face_change(ager.bundle, face, targets))
    generator = Drawn(ager, lambda image, location: 0 * image)
    face_change(with_generator(ager, generator), face, targets)
    assert all(height * width < 0.7 * 512**2 for height, width in generator.shown)
    monkeypatch.setattr("amgan.inference.change.MARGIN", 512)
    whole = face.wide.of_face(face_change(ager.bundle, face, targets))
    assert np.abs(found).max() > 0.1 and np.abs(found - whole).max() < 1 / 127.5


def test_a_model_whose_statistics_are_of_the_whole_picture_sees_all_of_it(ager: Ager, face: FaceView) -> None:
    generator = Drawn(ager, lambda image, location: 0 * image)
    generator.config = generator.config.model_copy(update={"norm": "instance"})
    face_change(with_generator(ager, generator), face, {**face.scores, "forehead_wrinkles": 1.0})
    assert generator.shown == [(512, 512)]


def test_a_face_is_changed_by_what_one_pass_adds(ager: Ager, face: FaceView) -> None:
    generator = Drawn(ager, lambda image, location: 0.1 + 0.1 * location[:, 1:])
    found = face.wide.of_face(face_change(with_generator(ager, generator), face, dict.fromkeys(face.scores, 0.9)))
    assert len(generator.shown) == 1
    rows = (np.arange(512) + 0.5) / 512 * 2 - 1
    inside = (found > 0.9 * found.max(axis=1, keepdims=True)) & (found > 0.05)
    wanted = np.broadcast_to((0.1 + 0.1 * rows)[:, None, None], found.shape)
    assert (np.abs(found - wanted)[inside] < 1e-3).mean() > 0.25 and (found <= wanted + 1e-5).all()


@pytest.mark.parametrize("greys", [True, False])
def test_where_two_faces_touch_each_changes_its_own(ager: Ager, astronaut: np.ndarray, greys: bool) -> None:
    (alone,) = ager.analyze(astronaut)
    left, _, right, _ = (round(edge) for edge in alone.report.box)
    pair = np.tile(astronaut[:, left:right], (1, 2, 1))
    views = sorted(ager.analyze(pair), key=lambda view: view.report.box[0])
    assert len(views) == 2 and views[1].report.box[0] - views[0].report.box[2] < 5
    generator = Drawn(ager, lambda image, location: 0 * image + np.float32(0.1))
    generator.config = generator.config.model_copy(update={"sags": True, "shades": True, "greys": greys})
    bundle, (height, width) = with_generator(ager, generator), pair.shape[:2]
    pasted = []
    for view in views:
        change = face_change(bundle, view, dict.fromkeys(view.scores, 0.9))
        pasted.append(np.abs(view.wide.alignment.paste(change, (height, width), (0, 0, width, height))).max(axis=2))
    middle = width // 2
    first, second = pasted
    assert first[:, middle - 12 : middle - 4].max() > 0.05 and second[:, middle + 4 : middle + 12].max() > 0.05
    assert not first[:, middle + 4 :].any() and not second[:, : middle - 4].any()


def test_where_nothing_is_asked_the_generator_is_not_asked_either(ager: Ager, face: FaceView) -> None:
    generator = Drawn(ager, lambda image, location: 0 * image + 1)
    assert not face_change(with_generator(ager, generator), face, face.scores).any()
    assert generator.shown == []


def test_a_face_at_the_edge_of_its_square_is_changed_to_the_edge(ager: Ager, face: FaceView) -> None:
    everywhere = np.ones_like(face.masks.skin)
    masks = replace(face.masks, head=everywhere, editable=everywhere, skin=everywhere)
    generator = Drawn(ager, lambda image, location: 0 * image + np.float32(0.1))
    targets = dict.fromkeys(face.scores, 0.9)
    change = face_change(with_generator(ager, generator), replace(face, masks=masks), targets)
    found = face.wide.of_face(change)
    assert found[[0, 0, -1, -1], [0, -1, 0, -1]].min() > 0.04
    assert all(side % generator.config.multiple == 0 and side >= 512 for shape in generator.shown for side in shape)


def test_a_seed_gives_a_face_other_lines_and_no_other_size_or_picture_does(ager: Ager, face: FaceView) -> None:
    generator = Drawn(ager, lambda image, location: 0 * image)
    shape = {"asks": "change", "places": "face", "lines": 32, "patterns": 3}
    generator.config = generator.config.model_copy(update=shape)
    bundle = with_generator(ager, generator)
    first, again, other = (location_of(bundle, face, seed) for seed in (0, 0, 1))
    assert first is not None and again is not None and other is not None
    assert first.shape == (1, 3, 512, 512) and np.array_equal(first, again)
    assert not np.array_equal(first[:, 2], other[:, 2])
    # Another face has its own.
    scores = {zone: score / 2 for zone, score in face.scores.items()}
    theirs = location_of(bundle, replace(face, scores=scores), 0)
    assert theirs is not None and not np.array_equal(first, theirs)


def test_a_face_that_grows_older_sags_and_its_eyes_stay(ager: Ager, face: FaceView) -> None:
    generator = Drawn(ager, lambda image, location: 0 * image)
    generator.config = generator.config.model_copy(update={"sags": True})
    bundle = with_generator(ager, generator)
    older, younger = (
        face.wide.of_face(face_change(bundle, face, dict.fromkeys(face.scores, score))) for score in (0.9, 0.0)
    )
    x, y = face.landmarks[0].astype(int)
    lips = slice(y - 12, y + 12), slice(x - 30, x + 30)
    assert np.abs(older[lips]).mean() > 0.02 and np.abs(younger[lips]).max() > 0.001
    for pupil in (468, 473):
        x, y = face.landmarks[pupil].astype(int)
        assert not older[y, x].any()
    assert not face_change(bundle, face, face.scores).any()


def test_one_sign_moves_its_own_place_alone(ager: Ager, face: FaceView) -> None:
    generator = Drawn(ager, lambda image, location: 0 * image)
    generator.config = generator.config.model_copy(update={"sags": True})
    change = face_change(with_generator(ager, generator), face, {**face.scores, "lower_face_ptosis": 1.0})
    found = face.wide.of_face(change)
    rows = np.flatnonzero(np.abs(found).max(axis=(1, 2)) > 0)
    assert rows.min() > face.landmarks[33, 1] and np.abs(found).max() > 0.05


def test_light_falls_on_a_face_as_on_one_of_that_age(
    ager: Ager, face: FaceView, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = Drawn(ager, lambda image, location: 0 * image)
    generator.config = generator.config.model_copy(update={"shades": True})
    bundle = with_generator(ager, generator)
    older, younger = (
        face.wide.of_face(face_change(bundle, face, dict.fromkeys(face.scores, score))) for score in (0.9, 0.0)
    )
    # Beside the nose, where the fold begins.
    x, y = face.landmarks[[205, 36, 203]].mean(axis=0).astype(int)
    fold = slice(y - 5, y + 5), slice(x - 5, x + 5)
    assert older[fold].mean() < -0.02 and younger[fold].mean() > 0
    monkeypatch.setattr(change, "RISE", 1.0)
    less = face.wide.of_face(face_change(bundle, face, dict.fromkeys(face.scores, 0.9)))
    assert older[fold].mean() < 1.05 * less[fold].mean() < 0
    # For each score of light that comes less goes: a face's own shade goes with its folds.
    risen, fallen = (abs(score - face.scores["age"]) for score in (0.9, 0.0))
    assert younger[fold].mean() / fallen < -0.6 * older[fold].mean() / risen
    for pupil in (468, 473):
        x, y = face.landmarks[pupil].astype(int)
        assert not older[y, x].any()
    assert not face_change(bundle, face, face.scores).any()
    # One side alone.
    left = face.wide.of_face(face_change(bundle, face, {**face.scores, "nasolabial_fold.left": 1.0}))
    columns = np.flatnonzero(np.abs(left).max(axis=(0, 2)) > 0)
    assert np.abs(left).max() > 0.05 and columns.max() < face.landmarks[4, 0] + 10


def test_the_shade_of_a_nose_is_asked_to_stay(ager: Ager, face: FaceView) -> None:
    generator = Drawn(ager, lambda image, location: 0 * image)
    generator.config = generator.config.model_copy(update={"asks": "change"})
    # A window of the whole square, so that places are the face's.
    masks = replace(face.masks, head=np.ones_like(face.masks.head), editable=np.ones_like(face.masks.skin))
    whole, bundle = replace(face, masks=masks), with_generator(ager, generator)
    for score in (0.0, 1.0):
        face_change(bundle, whole, dict.fromkeys(face.scores, score))
    younger, older = generator.asked[0][0].min(axis=0), generator.asked[1][0].max(axis=0)
    (x, y), (beside_x, beside_y) = (face.landmarks[index].astype(int) for index in (4, 50))
    assert younger.shape == face.rgb.shape[:2]
    assert younger[beside_y, beside_x] < -0.9 and -0.3 < younger[y, x] < -0.15
    assert older[y, x] > 0.5


def greying(ager: Ager) -> Any:
    """A bundle whose generator adds the same light everywhere and whose hair greys."""
    generator = Drawn(ager, lambda image, location: 0 * image + np.float32(0.1))
    generator.config = generator.config.model_copy(update={"greys": True})
    return with_generator(ager, generator)


def test_hair_greys_with_age_and_with_no_sign(ager: Ager, face: FaceView) -> None:
    hair, skin = grown(np.stack([face.parts.hair, face.parts.skin])[None], (512, 512))[0]
    hair = (hair > 0.7) & (skin == 0)
    background = grown((face.parts.hair + face.parts.skin)[None, None], (512, 512))[0, 0] == 0
    bundle, own = greying(ager), {**face.scores, "age": 0.2}
    view = replace(face, scores=own)
    older = face.wide.of_face(face_change(bundle, view, {**own, "age": 0.9}))
    assert older[hair].mean() > 0.1
    # Far from the person, nothing: the model changes skin, not what is behind.
    far = cv2.erode(background.astype(np.uint8), np.ones((13, 13), np.uint8)) > 0
    assert far.any() and not older[far].any()
    for targets in ({**own, "age": 0.1}, {**own, "forehead_wrinkles": 0.9}):
        assert not face.wide.of_face(face_change(bundle, view, targets))[hair].any()
    # At an age between the hundredths, and where hair is greying already, too.
    odd = {**own, "age": 0.45678}
    found = face_change(bundle, replace(face, scores=odd), {**odd, "forehead_wrinkles": 0.9})
    assert not face.wide.of_face(found)[hair].any()


def test_beside_skin_strands_are_mixed(ager: Ager, face: FaceView) -> None:
    own = {**face.scores, "age": 0.2}
    older = face.wide.of_face(face_change(greying(ager), replace(face, scores=own), {**own, "age": 1.0}))
    hair = grown(face.parts.hair[None, None], (512, 512))[0, 0] > 0.95
    skin = grown(face.parts.skin[None, None], (512, 512))[0, 0]
    far = cv2.distanceTransform((skin < 0.3).astype(np.uint8), cv2.DIST_L2, 5)
    # Hue goes with grey, however light a strand was.
    gone = np.ptp(older, axis=2)
    near, middle, inner = (gone[hair & (far >= low) & (far < high)] for low, high in ((3, 8), (12, 20), (30, 60)))
    assert 0 < near.mean() < 0.8 * inner.mean() and near.mean() < middle.mean() < 1.1 * inner.mean()
    # Mixed, and not all of them half grey.
    assert near.std() / near.mean() > 1.3 * inner.std() / inner.mean()


def test_hair_greys_where_age_is_painted(ager: Ager, face: FaceView, astronaut: np.ndarray) -> None:
    paint = np.zeros((512, 512, 4), np.uint8)
    middle = int(face.report.box[0] + face.report.box[2]) // 2
    paint[:, :middle] = 255
    bundle = greying(ager)
    bundle.generator.config = bundle.generator.config.model_copy(update={"maps": "zones"})
    own = {**face.scores, "age": 0.2}
    found = face.wide.of_face(
        face_change(bundle, replace(face, scores=own), own, photo_from_image(Image.fromarray(paint, "RGBA")))
    )
    hair = grown(face.parts.hair[None, None], (512, 512))[0, 0] > 0.7
    left, right = np.flatnonzero((np.abs(found).max(axis=2) * hair).any(axis=0))[[0, -1]]
    assert left < face.landmarks[10, 0] - 20 and right < face.landmarks[10, 0] + 30


def test_light_and_shape_follow_a_sign_as_far_as_the_atlas_says(ager: Ager, face: FaceView) -> None:
    bundle = ager.bundle
    signs = bundle.atlas.signs
    plain = bundle.atlas.model_copy(
        update={"signs": {name: sign.model_copy(update={"light": 1.0, "shape": 1.0}) for name, sign in signs.items()}}
    )

    def with_one(name: str, **update: float) -> Any:
        return plain.model_copy(update={"signs": {**plain.signs, name: plain.signs[name].model_copy(update=update)}})

    other, farther = with_one("forehead_wrinkles", light=0.0), with_one("crows_feet", shape=3.0)

    def rise(atlas: Any, follows: Any, paint: Any = None, **wanted: float) -> np.ndarray:
        known = {name: getattr(bundle, name) for name in ("channels", "path", "generator")}
        given: Any = SimpleNamespace(atlas=atlas, **known)
        return rise_of(given, face, {**face.scores, **wanted}, paint, follows)

    forehead = {"forehead_wrinkles": 1.0}
    assert np.abs(rise(plain, "light", **forehead)).max() > 0.3 and not rise(other, "light", **forehead).any()
    assert np.array_equal(rise(plain, "shape", **forehead), rise(other, "shape", **forehead))
    # What does not follow its sign follows the age.
    assert np.abs(rise(other, "light", age=1.0)).max(axis=(0, 1)).sum() > np.abs(rise(plain, "light", age=1.0)).sum()
    eyes = {"crows_feet.left": 1.0}
    assert np.allclose(rise(farther, "shape", **eyes), 3 * rise(plain, "shape", **eyes), atol=1e-5)
    # Paint lies over all of that.
    size = rise(plain, "light").shape[-1]
    paint = (np.full((size, size), 0.75, np.float32), np.ones((size, size), np.float32))
    assert np.allclose(rise(plain, "light", paint, **forehead), rise(other, "light", paint, **forehead), atol=1e-6)


@pytest.mark.parametrize("wanted", ["older", "younger", "one side"])
def test_what_was_prepared_is_not_found_again(
    ager: Ager, astronaut: np.ndarray, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = Drawn(ager, lambda image, location: 0.1 * location[:, 1:])
    forming = {"sags": True, "shades": True, "greys": True, "places": "face"}
    generator.config = generator.config.model_copy(update=forming)
    bundle = with_generator(ager, generator)
    (known,) = ager.analyze(astronaut)
    face = known.resized(astronaut, 512)
    # Grey enough that hair turns either way.
    face.scores["age"] = 0.6
    targets = dict.fromkeys(face.scores, {"older": 0.95, "younger": 0.05}.get(wanted, 0.6))
    if wanted == "one side":
        targets = {**face.scores, "nasolabial_fold.left": 1.0}
    fresh = face_change(bundle, replace(face), targets)
    prepare(bundle, face)
    for found in ("amgan.inference.views.hair_masks", "amgan.inference.views.face_places"):
        monkeypatch.setattr(found, None)
    for found in ("amgan.maps.trends.as_made", "amgan.maps.trends.field_of"):
        monkeypatch.setattr(found, None)
    assert np.array_equal(face_change(bundle, face, targets), fresh) and fresh.any()


def test_nothing_is_prepared_that_a_model_does_not_want(ager: Ager, face: FaceView) -> None:
    generator = Drawn(ager, lambda image, location: 0 * image)
    alone = replace(face)
    generator.config = generator.config.model_copy(update={"maps": "age"})
    prepare(with_generator(ager, generator), alone)
    assert not {"hair", "_places"} & set(vars(alone))
    # Half of a zone is told by the place on the face.
    prepare(ager.bundle, alone)
    assert "_places" in vars(alone) and "hair" not in vars(alone)
