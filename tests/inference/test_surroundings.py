"""How far hair is followed out of the square of a face, on a photo whose hair is red."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from amgan.faces.align import LEFT_EYE, MOUTH_LEFT, MOUTH_RIGHT, RIGHT_EYE, Alignment, align_face
from amgan.faces.detect import Face
from amgan.faces.parsing import SIDE, Parts
from amgan.inference.ager import Ager
from amgan.inference.surroundings import STEP, Surroundings, look_around, seen_from, squares_of

RED = (255, 0, 0)


def like(rgb: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """(SIDE, SIDE), 1 where a photo is of a colour, given as the signs of red, green and blue."""
    at = ((np.arange(SIDE) + 0.5) * len(rgb) / SIDE).astype(int)
    return (rgb[np.ix_(at, at)].astype(int) @ colour > 100).astype(np.float32)


class RedIsHair:
    """Sees what the network of hair would have to learn."""

    def __init__(self) -> None:
        self.asked = 0

    def parse(self, rgb: np.ndarray) -> Parts:
        self.asked += 1
        hair = like(rgb, (1, -1, -1))
        return Parts(hair, np.zeros_like(hair))


def landmarks(x: float, y: float, eyes: float) -> np.ndarray:
    """An upright face whose eyes are so far apart around a point; its square is 4 times as wide as that."""
    found = np.full((478, 2), (x, y), np.float32)
    found[list(LEFT_EYE)] -= (eyes / 2, 0)
    found[list(RIGHT_EYE)] += (eyes / 2, 0)
    found[[MOUTH_LEFT, MOUTH_RIGHT]] += (0, eyes)
    return found


def face(x: float, y: float, eyes: float) -> Face:
    return Face(landmarks(x, y, eyes), {}, 0.0, 0.0, 0.0)


@pytest.fixture
def photo() -> np.ndarray:
    """(800, 800, 3), grey, with a cap of red hair on a face whose square is that of `SQUARE`."""
    rgb = np.full((800, 800, 3), 120, np.uint8)
    rgb[330:380, 340:460] = RED
    return rgb


SQUARE = align_face(landmarks(400, 400, 64), 256)


def followed(photo: np.ndarray, square: Alignment = SQUARE, others: Sequence[Face] = (), **how: Any) -> Surroundings:
    parser = RedIsHair()
    own = square.crop(photo)
    others = seen_from(square, squares_of(others))
    found = look_around(parser, photo, square, own, parser.parse(own), others, **how)
    assert np.abs(found.face.astype(int) - own).mean() < (0 if square is SQUARE else 0.5) + 1e-9
    return found


def test_the_square_of_these_tests_lies_where_they_say() -> None:
    corners = SQUARE.to_photo(np.array([(-0.5, -0.5), (255.5, 255.5)], np.float32))
    assert corners == pytest.approx(np.array([(272, 278.4), (528, 534.4)]), abs=0.01)


def test_hair_within_the_square_is_not_followed(photo: np.ndarray) -> None:
    found = followed(photo)
    assert (
        found.pad == 0 and found.hair.shape == (SIDE, SIDE) and found.window(photo.shape) == SQUARE.window((800, 800))
    )
    assert found.hair.max() == 1


def test_long_hair_is_followed_to_its_ends(photo: np.ndarray) -> None:
    photo[340:600, 340:360] = RED  # the square ends at about 535
    found = followed(photo)
    assert found.pad == 80 and found.cells == 80 and found.hair.shape == (SIDE + 160, SIDE + 160)
    assert found.alignment.crop(photo).shape == found.rgb.shape
    seen = found.alignment.paste(found.hair, (800, 800), (0, 0, 800, 800))
    assert seen[360:598, 345:355].min() > 0.9 and seen[606:].max() < 0.1 and seen[:, 366:].max() == seen[330:380].max()
    *others, bottom = found.window(photo.shape)
    assert others == list(SQUARE.window((800, 800))[:3]) and 600 <= bottom < 620


def test_what_does_not_hang_together_with_it_is_none_of_its_hair(photo: np.ndarray) -> None:
    photo[340:545, 340:360] = RED
    photo[570:640, 340:360] = RED  # somebody's red sleeve
    found = followed(photo)
    seen = found.alignment.paste(found.hair, (800, 800), (0, 0, 800, 800))
    assert seen[400:535, 345:355].min() > 0.9 and seen[560:].max() == 0


class GreenIsSkin(RedIsHair):
    """Sees skin too."""

    def parse(self, rgb: np.ndarray) -> Parts:
        return Parts(super().parse(rgb).hair, like(rgb, (-1, 1, -1)))


def test_what_is_taken_for_hair_behind_a_head_is_none_of_its_hair(photo: np.ndarray) -> None:
    photo[480:510, 300:330] = RED  # a seat
    photo[480:510, 470:500] = RED  # a lock before the neck
    apart = SQUARE.paste(followed(photo).hair, (800, 800), (0, 0, 800, 800))
    assert apart[340:370, 350:450].min() > 0.9 and apart[470:].max() == 0
    photo[450:495, 390:475] = (0, 255, 0)
    own, parser = SQUARE.crop(photo), GreenIsSkin()
    found = look_around(parser, photo, SQUARE, own, parser.parse(own))
    joined = SQUARE.paste(found.hair, (800, 800), (0, 0, 800, 800))
    assert joined[497:505, 478:495].min() > 0.9 and joined[470:, :350].max() == 0


def test_hair_that_the_border_of_a_photo_cuts_has_no_edge_there(photo: np.ndarray) -> None:
    cut = photo[:560]
    cut[340:, 340:360] = RED
    found = followed(cut)
    # Beyond the border, where the photo is mirrored, it goes on as it is there; and no more is looked at for that.
    assert found.pad == 32
    cells = found.alignment.resized(len(found.hair))
    at = round(float(cells.to_aligned(np.array([(350.0, 500.0)]))[0, 0]))
    steps = np.arange(cells.size)
    rows, column = cells.to_photo(np.stack([np.full_like(steps, at), steps], axis=1))[:, 1], found.hair[:, at]
    assert column[(rows > 540) & (rows < 558)].min() > 0.9 and column[rows > 562].min() > 0.8
    assert found.window(cut.shape)[3] == 560
    # It ends where the photo does, so it does not fade out before.
    seen = found.alignment.paste(found.hair, (560, 800), (0, 0, 800, 560))
    assert seen[545:555, 345:355].min() > 0.9
    # How far the photo goes on changes little by little how hair fades out at the edge of what is looked at.
    photo[340:, 340:360] = RED
    faded = [followed(photo[: 580 + more], steps=3).hair[:345, 126] for more in range(0, 16, 2)]
    assert 0 < max(np.abs(one - two).max() for one, two in itertools.pairwise(faded)) < 0.35
    assert faded[0].sum() > faded[-1].sum() + 0.5


@pytest.mark.parametrize("more", [1, 3, 6])
def test_what_little_there_is_of_a_photo_behind_an_edge_is_as_what_lies_there(photo: np.ndarray, more: int) -> None:
    cut = photo[: 535 + more]
    cut[340:, 340:360] = RED
    found = followed(cut)
    seen = found.alignment.paste(found.hair, cut.shape[:2], (0, 0, 800, len(cut)))
    assert seen[500 : 535 + more - 1, 346:354].min() > 0.9


def test_hair_is_followed_at_a_corner_of_a_tilted_square(photo: np.ndarray) -> None:
    turned = landmarks(400, 400, 64)
    angle = np.radians(25)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    turned = ((turned - 400) @ turn + 400).astype(np.float32)
    square = align_face(turned, 256)
    middle, corner = square.to_photo(np.array([(127.5, 255), (0, 255)], np.float32))
    cut = photo[: int(max(middle[1], corner[1])) + 40]
    x, y = corner.astype(int)
    cut[350 : y + 30, x + 2 : x + 30] = RED
    cut[360:375, x + 2 : 345] = RED
    found = followed(cut, square)
    assert found.pad > 0 and found.hair.max() == 1


def test_hair_that_goes_on_fades_out_where_it_is_no_longer_looked_at(photo: np.ndarray) -> None:
    photo[340:, 340:360] = RED
    found = followed(photo)
    assert found.pad == 128
    seen = found.alignment.paste(found.hair, (800, 800), (0, 0, 800, 800))[:, 350]
    assert seen[620] > 0.9 and 0.3 < seen[650] < 0.7 and seen[662] < 0.1 and seen[670:].max() == 0
    # A photo that goes on beyond the square, of a model that does not look there.
    near = followed(photo, steps=0)
    assert near.pad == 0 and near.hair[-1].max() < 0.1 and near.hair[200].max() == 1


def test_so_many_steps_are_looked_at_if_it_is_asked(photo: np.ndarray) -> None:
    found = followed(photo, steps=3)
    assert found.cells == 3 * STEP and found.pad == 48
    assert not found.hair[:40].any() and found.hair[48 + 60 : 48 + 90].any()


def test_hair_of_two_belongs_to_the_nearer_one(photo: np.ndarray) -> None:
    photo[340:370, 340:700] = RED
    other = face(640, 400, 64)
    seen = [
        one.alignment.paste(one.hair, (800, 800), (0, 0, 800, 800))[355]
        for one in (
            followed(photo, others=[other]),
            followed(photo, align_face(other.landmarks, 256), others=[face(400, 400, 64)]),
        )
    ]
    assert seen[0][350:510].min() > 0.9 and seen[0][530:].max() == 0
    assert seen[1][530:690].min() > 0.9 and seen[1][:510].max() == 0
    # All that is there, as well as hair.
    near = followed(photo, others=[face(480, 400, 64)]).whose
    assert near.shape == (SIDE, SIDE) and near[:, :160].min() == 1 and near[:, 175:].max() == 0
    assert followed(photo).whose.min() == 1
    # Larger faces are nearer to the camera, and so is their hair.
    large = followed(photo, others=[face(640, 400, 32)])
    assert large.alignment.paste(large.hair, (800, 800), (0, 0, 800, 800))[355, 520:550].min() > 0.9


def test_it_is_the_same_around_a_square_of_another_size(photo: np.ndarray) -> None:
    photo[340:600, 340:360] = RED
    found = followed(photo)
    large = found.resized(photo, SQUARE.resized(512))
    assert large.pad == 160 and large.rgb.shape == (832, 832, 3) and np.array_equal(large.hair, found.hair)
    assert large.window(photo.shape) == found.window(photo.shape)
    assert np.abs(large.face[::2, ::2].astype(int) - SQUARE.crop(photo)).mean() < 2


def test_the_parser_is_asked_once_where_no_hair_leaves_the_square(photo: np.ndarray) -> None:
    counts = []
    for bottom in (380, 600):
        photo[340:bottom, 340:360] = RED
        parser = RedIsHair()
        look_around(parser, photo, SQUARE, SQUARE.crop(photo), parser.parse(SQUARE.crop(photo)))
        counts.append(parser.asked)
    assert counts == [1, 2]


def test_a_crown_at_the_edge_of_its_square_greys(astronaut: np.ndarray) -> None:
    with Ager(precision="fp32") as ager:
        (view,) = ager.analyze(astronaut)
        square, (left, top, right, bottom) = view.alignment.window((512, 512)), view.report.region
        assert top < square[1] - 5 and left <= square[0] and right >= square[2] and bottom <= square[3] + 5
        aged = np.asarray(ager.age(astronaut, age=80).image).astype(int)
    crown = slice(square[1] + 2, square[1] + 8), slice(square[0] + 80, square[2] - 80)
    before, after = (part[crown].astype(float) for part in (astronaut, aged))
    hue = [np.ptp(part, axis=2).mean() for part in (before, after)]
    assert hue[1] < 0.5 * hue[0] and after.mean() > before.mean() + 10
    outside = np.ones((512, 512), np.bool_)
    outside[top:bottom, left:right] = False
    assert np.array_equal(aged[outside], astronaut[outside])
