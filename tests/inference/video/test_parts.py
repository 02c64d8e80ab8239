"""Parts of `amgan video` that need no model."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest

from amgan.faces.detect import Face, FaceDetector
from amgan.inference.surroundings import squares_of
from amgan.inference.video.flicker import FlickerMeter
from amgan.inference.video.identity import OTHER, SAME, Gallery, signature
from amgan.inference.video.planes import add_change
from amgan.inference.video.reading import VideoInfo
from amgan.inference.video.steady import SteadyChange
from amgan.inference.video.track import TrackFile, line_weights, read_track, strengths
from amgan.inference.video.tracking import CutFinder, Seen, Tracker
from amgan.models.backbone import pretrained_trunk


def test_flicker_is_that_of_the_change_over_that_of_the_face() -> None:
    rng = np.random.default_rng(0)
    faces = [rng.integers(0, 255, (16, 16, 3)).astype(np.uint8) for _ in range(4)]
    still = [np.full((16, 16, 3), 0.1, np.float32)] * 4
    alike = [face / np.float32(127.5) - np.float32(3) for face in faces]

    def flicker(changes: list[np.ndarray], faces: list[np.ndarray]) -> float | None:
        meter = FlickerMeter()
        for change, face in zip(changes, faces, strict=True):
            meter.add(change, face)
        return meter.flicker

    assert flicker(still, faces) == 0
    assert flicker(alike, faces) == pytest.approx(1, abs=1e-4)
    assert flicker(still, [faces[0]] * 4) is None


def test_a_steady_change_follows_the_skin_and_forgets_at_a_cut(astronaut: np.ndarray) -> None:
    face = np.ascontiguousarray(astronaut[20:276, 96:352])
    moved = np.ascontiguousarray(astronaut[20:276, 92:348])  # 4 px to the right
    change = cv2.GaussianBlur(np.random.default_rng(0).normal(0, 1, (256, 256, 3)).astype(np.float32), (0, 0), 2)
    steady = SteadyChange(kept=0.8)
    np.testing.assert_array_equal(steady(face, change, len(face)), change)
    zero = np.full_like(change, 1e-6)
    kept = steady(moved, zero, len(face))
    inside = (slice(60, 160), slice(80, 180))  # on the head
    expected = 0.8 * np.roll(change, 4, axis=1)
    assert np.corrcoef(kept[inside].ravel(), expected[inside].ravel())[0, 1] > 0.9
    steady.restart()
    np.testing.assert_array_equal(steady(moved, zero, len(face)), zero)
    untouched = zero.copy()
    untouched[:100] = 0
    steady(moved, change, len(face))
    assert (steady(moved, untouched, len(face))[:100] == 0).all()


def test_what_is_another_picture_is_not_smoothed_over(astronaut: np.ndarray) -> None:
    face = np.ascontiguousarray(astronaut[20:276, 96:352])
    change = np.full((256, 256, 3), 0.5, np.float32)
    steady = SteadyChange()
    steady(face, change, len(face))
    assert steady(255 - face, change / 5, len(face)).mean() < 0.15


def test_weights_do_not_delay_what_moves_evenly() -> None:
    for offsets in (np.arange(-4, 5), np.arange(0, 5), np.array([-3, -1, 2]), np.array([0])):
        weights = line_weights(offsets, 2.0)
        assert weights.sum() == pytest.approx(1)
        assert weights @ (7.0 + 3 * offsets) == pytest.approx(7, abs=1e-9)


def test_short_gaps_are_bridged_and_ends_fade_but_not_at_cuts() -> None:
    shots = np.array([0] * 12 + [1] * 8, np.int32)
    found = np.ones(20, bool)
    found[5:7] = False  # a short gap
    found[17:] = False  # lost for good, without a cut
    share = strengths(shots, found)
    assert (share[:13] == 1).all()
    np.testing.assert_allclose(share[13:], [0.8, 0.6, 0.4, 0.2, 0, 0, 0], atol=1e-6)
    long = np.array([True] * 6 + [False] * 6 + [True] * 6)
    share = strengths(np.zeros(18, np.int32), long)
    assert (share[6:12] == 0).all() and share[0] == share[-1] == 1 and share[5] == share[12] == np.float32(0.2)


def test_landmarks_tremble_less_and_stay_in_their_shot(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    base = rng.uniform(0, 100, (478, 2)).astype(np.float32)
    with (tmp_path / "track").open("wb") as file:
        recorder = TrackFile(file)
        for index in range(20):
            noisy = base + 2 * index + rng.normal(0, 1, (478, 2))
            face = Face(noisy.astype(np.float32) + (500 if index >= 10 else 0), {}, 0, 0, 0)
            recorder.add(Seen(int(index >= 10), None if index == 4 else face))
    track = read_track(tmp_path / "track")
    assert track.others(3).shape == (0, 3)
    for index in (4, 5, 9):
        assert np.abs(track.landmarks(index, 2.0) - base - 2 * index).mean() < 0.8  # measured: 0.8, if there at all
    assert np.abs(track.landmarks(10, 2.0) - base - 520).mean() < 0.8
    assert track.strength.min() == 1


@pytest.mark.parametrize("kind", ["yuv420p", "yuv444p", "yuv422p10le"])
@pytest.mark.parametrize("full", [False, True])
def test_a_change_of_rgb_is_added_to_the_planes(kind: str, full: bool) -> None:
    av = pytest.importorskip("av")
    rgb = np.full((48, 64, 3), (120, 100, 90), np.uint8)
    spans = {"dst_colorspace": 1, "dst_color_range": "JPEG" if full else "MPEG"}
    frame = av.VideoFrame.from_ndarray(rgb, "rgb24").reformat(format=kind, **spans)
    change = np.zeros((20, 31, 3), np.float32)
    change[:] = np.array([30, -20, 10]) / 127.5

    def shown() -> np.ndarray:
        read = frame.reformat(format="rgb24", src_colorspace=1, src_color_range=spans["dst_color_range"])
        return read.to_ndarray().astype(int)

    before = shown()
    frame.make_writable()
    add_change(frame, change, (5, 7), 1, full)
    out = shown() - before
    np.testing.assert_allclose(out[10:24, 9:33].reshape(-1, 3).mean(axis=0), [30, -20, 10], atol=2.5)
    assert np.abs(out[:, 40:]).max() == 0 and np.abs(out[30:]).max() == 0


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_upright_coordinates_lead_to_the_stored_pixel(rotation: int) -> None:
    info = VideoInfo(
        Path("x"), 64, 48, "yuv420p", rotation, Fraction(3, 2), Fraction(25), Fraction(1, 25), 1, (1, 1, 1, 1), ()
    )
    stored = np.zeros((48, 64, 3), np.uint8)
    stored[10:14, 40:44] = 255
    upright = info.upright(stored)
    assert upright.shape[:2] == ((96, 48) if rotation % 180 else (48, 96))
    rows, columns = np.nonzero(upright[..., 0] > 127)
    point = info.to_stored[:, :2] @ [columns.mean(), rows.mean()] + info.to_stored[:, 2]
    np.testing.assert_allclose(point, [41.5, 11.5], atol=0.3)


def test_a_cut_is_found_and_a_pan_is_none(astronaut: np.ndarray) -> None:
    finder = CutFinder()
    pan = [np.ascontiguousarray(astronaut[:300, 8 * i : 300 + 8 * i]) for i in range(6)]
    assert [finder(frame) for frame in [*pan, 255 - pan[-1], 255 - pan[-1]]] == [False] * 6 + [True, False]


def test_the_person_is_known_again_after_a_cut_and_another_one_is_not(astronaut: np.ndarray) -> None:
    trunk = pretrained_trunk(deep=True)
    gallery = Gallery()
    blank = np.zeros_like(astronaut)
    darker = np.roll((astronaut * 0.85).astype(np.uint8), 20, axis=1)
    with FaceDetector() as detector:
        (face,) = detector.detect(astronaut)
        gallery.learn(signature(trunk, astronaut, face.landmarks))
        (again,) = detector.detect(darker)
        assert gallery.likeness(signature(trunk, darker, again.landmarks)) > SAME
        tracker = Tracker(detector, lambda rgb, points: signature(trunk, rgb, points))
        frames = [astronaut, *[blank] * 6, astronaut]
        assert [seen.face is not None for seen in map(tracker, frames)] == [True, *[False] * 6, True]

        # Another person: someone whose signature is far from hers.
        stranger = np.zeros(1, np.float32)
        hers = np.ones(1, np.float32)
        people = iter([hers, stranger])
        tracker = Tracker(detector, lambda rgb, points: next(people))
        assert [seen.face is not None for seen in map(tracker, frames)] == [True, *[False] * 7]
    assert OTHER < SAME


def drawn_face(x: float, side: float = 60.0) -> Face:
    """A face whose landmarks are spread over a square."""
    spread = np.random.default_rng(0).uniform(-0.5, 0.5, (478, 2)) * side
    return Face((spread + np.array([x, 100])).astype(np.float32), {}, 0, 0, 0)


def test_who_else_is_there_is_remembered_until_the_whole_frame_is_looked_at_again(tmp_path: Path) -> None:
    person, near, far = drawn_face(100), drawn_face(170), drawn_face(320)
    frame = np.zeros((200, 400, 3), np.uint8)

    class Seeing:
        """Sees all in the whole frame, and in a part of it the person and, one time of two, who is near."""

        there, looks = (person, near, far), 0

        def detect(self, rgb: np.ndarray) -> list[Face]:
            if rgb.shape == frame.shape:
                return list(self.there)
            self.looks += 1
            # A window of 0.75 of the box around it.
            corner = np.array([100, 100]) - (1 + 2 * 0.75) * 30
            seen = self.there[: 1 + self.looks % 2]
            return [replace(face, landmarks=face.landmarks - np.float32(corner.astype(int))) for face in seen]

    seeing = Seeing()
    tracker = Tracker(seeing, lambda rgb, points: np.ones(1, np.float32))  # type: ignore[arg-type]
    seen = [tracker(frame) for _ in range(5)]
    places = [[round(float(face.landmarks.mean(axis=0)[0]) / 10) for face in one.others] for one in seen]
    assert places == [[17, 32]] * 5 and all(one.face is not None for one in seen)
    with (tmp_path / "track").open("wb") as file:
        for one in seen:
            TrackFile(file).add(one)
    assert np.array_equal(read_track(tmp_path / "track").others(0), squares_of([near, far]))
    seeing.there = (person, near)
    assert [len(tracker(frame).others) for _ in range(12)][0::11] == [2, 1]


def test_a_jump_cut_begins_another_shot(astronaut: np.ndarray) -> None:
    with FaceDetector() as detector:
        (face,) = detector.detect(astronaut)
        width = face.box[2] - face.box[0]
        aside = replace(face, landmarks=face.landmarks + np.float32(0.2 * width))

        class Fixed:
            answers = iter([[face], [face], [aside]])

            def detect(self, rgb: np.ndarray) -> list[Face]:
                faces = next(self.answers)
                shift = 0 if rgb.shape == astronaut.shape else self.corner
                return [replace(f, landmarks=f.landmarks - np.float32(shift)) for f in faces]

            corner = np.zeros(2)

        fixed = Fixed()
        left, top, right, bottom = face.box
        margin = 0.75 * max(right - left, bottom - top)
        fixed.corner = np.array([max(int(left - margin), 0), max(int(top - margin), 0)])
        tracker = Tracker(fixed, lambda rgb, points: np.ones(1, np.float32))  # type: ignore[arg-type]
        assert [tracker(astronaut).shot for _ in range(3)] == [0, 0, 1]
