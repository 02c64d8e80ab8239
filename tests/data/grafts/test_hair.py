import cv2
import numpy as np
import pytest

from amgan.data.grafts.bare_skin import bare_skin
from amgan.data.grafts.hair import evenly_greyed, hair_mask, off_background
from amgan.faces.outlines import SIDE
from amgan.signs.atlas import unit_atlas
from amgan.signs.zones import rasterise


def masked(rgb: np.ndarray, landmarks: np.ndarray, bearded: bool = False) -> np.ndarray:
    head = np.round(255 * rasterise(unit_atlas().head, landmarks, rgb.shape[0], SIDE)).astype(np.uint8)
    return hair_mask(rgb, landmarks, bare_skin(rgb, landmarks), head, bearded)


def test_hair_lies_around_the_face_and_fades_before_the_heads_edge(face: tuple[np.ndarray, np.ndarray]) -> None:
    rgb, landmarks = face
    hair = masked(rgb, landmarks)
    assert hair.shape == (SIDE, SIDE) and hair.max() > 200
    assert not hair[bare_skin(rgb, landmarks) > 200].any()
    x, y = landmarks[4]
    assert not hair[int(y) - 40 : int(y) + 100, int(x) - 60 : int(x) + 60].any()
    head = rasterise(unit_atlas().head, landmarks, 512, SIDE)
    edge = (head > 0.5) & (cv2.erode(head, np.ones((9, 9), np.uint8)) < 0.5)
    assert hair[edge].max() < 40 and not hair[head < 0.4].any()


def test_a_head_without_hair_has_none(face: tuple[np.ndarray, np.ndarray]) -> None:
    rgb, landmarks = face
    skin = np.median(rgb[bare_skin(rgb, landmarks) > 200], axis=0).astype(np.uint8)
    bald = np.broadcast_to(skin, rgb.shape).copy()
    assert (masked(bald, landmarks) > 127).mean() < 0.01


def test_what_is_smooth_is_no_hair(face: tuple[np.ndarray, np.ndarray]) -> None:
    rgb, landmarks = face
    hair = masked(rgb, landmarks)
    x, y = (int(v) for v in landmarks[10])
    above = slice(0, y - 30), slice(x - 90, x + 90)
    smooth = rgb.copy()
    smooth[above] = cv2.GaussianBlur(rgb, (0, 0), 15)[above]
    inside = slice(20, y - 60), slice(x - 60, x + 60)
    assert masked(smooth, landmarks)[inside].mean() < 0.3 * hair[inside].mean()


def test_a_beard_is_found_where_there_may_be_one(face: tuple[np.ndarray, np.ndarray]) -> None:
    rgb, landmarks = face
    hairy = masked(rgb, landmarks) > 200
    colour, spread = np.median(rgb[hairy], axis=0), rgb[hairy].std()
    bearded = rgb.astype(np.float32)
    left, right = int(landmarks[172, 0]), int(landmarks[397, 0])
    upper, lower = int(landmarks[17, 1]) + 12, int(landmarks[152, 1])
    strands = np.random.default_rng(0).normal(0, spread, (lower - upper, right - left, 1))
    bearded[upper:lower, left:right] = colour + strands
    photo = bearded.clip(0, 255).astype(np.uint8)
    x, y = (int(v) for v in landmarks[200])
    chin = slice(y - 8, y + 8), slice(x - 15, x + 15)
    assert masked(photo, landmarks, True)[chin].mean() > 100
    assert not masked(photo, landmarks)[chin].any() and not masked(rgb, landmarks, True)[chin].any()


def test_greying_takes_colour_and_gives_light_where_hair_is() -> None:
    rng = np.random.default_rng(0)
    brown = (np.array([90, 60, 40]) * rng.uniform(0.6, 1.4, (64, 64, 1))).astype(np.uint8)
    hair = np.zeros((64, 64), np.float32)
    hair[:, :32] = 1
    before = brown.astype(float)
    means = []
    for amount in (0.0, 0.5, 1.0):
        after = evenly_greyed(brown, hair, amount, 1024).astype(float)
        assert np.abs(after[:, 32:] - before[:, 32:]).max() <= 1
        means.append((after[:, :32].mean(), np.ptp(after[:, :32].mean(axis=(0, 1)))))
    lights, colours = zip(*means, strict=True)
    assert lights[0] == pytest.approx(before[:, :32].mean(), abs=1)
    assert lights[0] < lights[1] < lights[2] and colours[0] > colours[1] > colours[2]
    assert lights[2] > lights[0] + 40 and colours[2] < colours[0] / 2


def test_far_from_the_face_only_what_has_strands_is_changed() -> None:
    skin = np.zeros((64, 64), np.float32)
    skin[24:56, 20:44] = 1
    rgb = np.full((256, 256, 3), 30, np.uint8)
    smooth = off_background(rgb, skin)
    assert smooth[24:56, 18:46].min() == 1 and not smooth[:14].any() and not smooth[:, :10].any()
    rgb[:60, ::2] = 60
    hairy = off_background(rgb, skin)
    assert hairy[2:12, 4:-4].min() > 0.9 and not hairy[:, :10][30:].any()
