"""Hair of a face that turns grey, and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from amgan.faces.light import LUMA
from amgan.faces.outlines import EYES
from amgan.inference.ager import Ager
from amgan.inference.facemaps import greying_of
from amgan.inference.hair import Turning, turned, turning
from amgan.inference.views import FaceView

SIZE = 512


@pytest.fixture(scope="module")
def face(ager: Ager, astronaut: np.ndarray) -> FaceView:
    (face,) = ager.analyze(astronaut)
    return face.resized(astronaut, SIZE)


def light(picture: np.ndarray) -> float:
    return float(((picture + 1) / 2 @ LUMA).mean())


def strands(level: float) -> np.ndarray:
    """(64, 64, 3) in -1..1, hair of one light in all colours."""
    lights = level * np.random.default_rng(0).uniform(0.8, 1.2, (1, 64, 1))
    return np.asarray(2 * np.broadcast_to(lights, (64, 64, 3)) - 1, np.float32)


def of_head(share: float) -> Turning:
    everywhere = np.ones((64, 64), np.float32)
    return Turning(everywhere, np.float32(share) * everywhere, 0 * everywhere, 0 * everywhere)


def test_how_much_turns_goes_with_the_age_and_its_sign_with_the_way(ager: Ager, face: FaceView) -> None:
    def share(now: float, then: float) -> np.ndarray:
        old = replace(face, scores={**face.scores, "age": now})
        return greying_of(ager.bundle, old, {**face.scores, "age": then}, None)

    assert (share(0.2, 0.9) > 0.5).all() and (share(0.9, 0.2) < -0.5).all()
    assert not share(0.9, 0.9).any() and not share(0.2, 0.1).any()


def test_hair_of_the_head_turns_and_the_face_does_not(face: FaceView) -> None:
    for grey in (0.8, -0.8):
        hair, share, beard, _ = turning(face, np.full(face.wide.hair.shape, grey, np.float32))
        assert hair.shape == share.shape == face.wide.rgb.shape[:2] and hair.max() > 0.9
        assert (np.sign(share[hair > 0.5]) == np.sign(grey)).all() and np.abs(share).max() <= 0.8 + 1e-6
        x, y = face.landmarks[1].astype(int) + face.wide.pad
        assert max(part[y - 10 : y + 10, x - 10 : x + 10].max() for part in (hair, beard)) == 0
    found = turning(face, np.zeros_like(face.wide.hair))
    assert not found.hair.any() and not found.beard.any()


def test_an_eye_is_no_hair_whatever_the_parser_says(face: FaceView) -> None:
    wide = replace(face.wide, hair=np.ones_like(face.wide.hair), skin=np.zeros_like(face.wide.skin))
    head = wide.of_face(replace(face, wide=wide).hair.head)
    assert head.mean() > 0.5
    for eye in EYES:
        x, y = face.landmarks[list(eye)].mean(axis=0).round().astype(int)
        assert head[y - 2 : y + 3, x - 4 : x + 5].max() < 0.05


def test_a_share_above_nothing_greys_and_one_below_darkens(face: FaceView) -> None:
    dark, grey = strands(0.15), strands(0.55)
    assert light(turned(dark, of_head(0.9), (0, 0), face)) > 2 * light(dark)
    assert light(turned(grey, of_head(-0.9), (0, 0), face)) < 0.7 * light(grey)
    assert np.array_equal(turned(grey, of_head(0), (0, 0), face), grey)


def test_a_beard_turns_hair_by_hair(face: FaceView) -> None:
    everywhere = np.ones((64, 64), np.float32)
    dark = strands(0.15)
    for share in (0.9, -0.9):
        beard = Turning(0 * everywhere, 0 * everywhere, everywhere, share * everywhere)
        found = turned(dark, beard, (0, 0), face)
        assert (light(found) > 1.5 * light(dark)) == (share > 0)
        assert np.isfinite(found).all()


def test_black_hair_stays_black_and_a_grey_photo_tells_nothing_of_hair(face: FaceView) -> None:
    black = strands(0.1)
    assert np.array_equal(turned(black, of_head(-0.9), (0, 0), face), black)
    flat: Any = np.repeat((face.rgb @ LUMA).astype(np.uint8)[..., None], 3, axis=2)
    grey = strands(0.55)
    assert np.array_equal(turned(grey, of_head(-1), (0, 0), replace(face, rgb=flat)), grey)
