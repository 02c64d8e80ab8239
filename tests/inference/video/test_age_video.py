"""`age_video` from end to end on small videos with a small model."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from amgan.errors import NoFaceError, OutputError, VideoError, WeightsError
from amgan.inference.ager import Ager, FaceView
from amgan.inference.change import face_change
from amgan.inference.request import Request
from amgan.inference.surroundings import STEP, Surroundings, look_around
from amgan.inference.video import changing
from amgan.inference.video.age import VideoReport, age_video
from amgan.models.bundle import SCHEMA

pytest.importorskip("av")
Frames = Callable[..., list[np.ndarray]]
OLDER = Request(every=0.9)
# Where the frames begin on the astronaut's photo (`conftest`).
HEAD = (96, 0)


def planes(frame: object) -> np.ndarray:
    return frame.to_ndarray(format="yuv420p").astype(int)  # type: ignore[attr-defined]


def test_sound_times_and_colours_stay(ager: Ager, made: SimpleNamespace, head_frames: Frames, tmp_path: Path) -> None:
    times = [0, 1001, 2002, 3003, 4500, 5005, 6006, 7007, 8008, 9009, 11000, 12012]
    source = made.write(tmp_path / "in.mp4", head_frames(12), times)
    report = age_video(ager, source, tmp_path / "new" / "out.mp4", OLDER, quality=0)
    assert (report.frames, report.aged, report.shots) == (12, 12, 1)
    assert made.sound_of(tmp_path / "new" / "out.mp4") == made.sound_of(source)
    before, after = made.read(source), made.read(tmp_path / "new" / "out.mp4")
    assert [f.pts * f.time_base for f in after] == [Fraction(t, 24000) for t in times]
    for frame in after:
        assert (frame.colorspace, frame.color_range, frame.color_primaries, frame.color_trc) == (1, 1, 1, 1)
    change = np.abs(planes(after[3]) - planes(before[3]))[:320]
    assert change.max() > 10  # the face
    assert change[260:].max() == 0 and change[:, :20].max() == 0  # and nothing else
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["out.mp4"]


def test_rotation_and_wide_pixels_stay_and_the_face_is_changed_where_it_is(
    ager: Ager, made: SimpleNamespace, head_frames: Frames, tmp_path: Path
) -> None:
    upright = head_frames(3, noise=0)
    turned = [cv2.resize(np.rot90(frame, -1), (240, 320), interpolation=cv2.INTER_AREA) for frame in upright]
    source = made.write(tmp_path / "in.mov", turned, rotation=90, aspect=Fraction(4, 3), sound=False)
    age_video(ager, source, tmp_path / "out.mov", OLDER, quality=0)
    straight = made.write(tmp_path / "straight.mov", upright, sound=False)
    age_video(ager, straight, tmp_path / "straight-out.mov", OLDER, quality=0)
    after, before = made.read(tmp_path / "out.mov")[1], made.read(source)[1]
    assert after.rotation == 90
    import av

    with av.open(str(tmp_path / "out.mov")) as container:
        assert container.streams.video[0].sample_aspect_ratio == Fraction(4, 3)

    def light(frame: object) -> np.ndarray:
        return planes(frame)[:320].astype(np.float32)

    change = np.rot90(cv2.resize(light(after) - light(before), (320, 320)))
    wanted = light(made.read(tmp_path / "straight-out.mov")[1]) - light(made.read(straight)[1])
    assert np.abs(wanted).max() > 10
    assert np.corrcoef(change.ravel(), wanted.ravel())[0, 1] > 0.9


def test_frames_without_the_face_are_encoded_again_and_no_more(
    ager: Ager, made: SimpleNamespace, head_frames: Frames, plain: np.ndarray, tmp_path: Path
) -> None:
    source = made.write(tmp_path / "in.mkv", [plain] * 3 + head_frames(4) + [plain] * 3)
    report = age_video(ager, source, tmp_path / "out.mkv", OLDER, quality=0)
    assert (report.frames, report.aged, report.shots) == (10, 4, 3)
    changed = [
        bool((planes(a) != planes(b)).any())
        for a, b in zip(made.read(source), made.read(tmp_path / "out.mkv"), strict=True)
    ]
    assert changed == [False] * 3 + [True] * 4 + [False] * 3


def test_smoothing_takes_the_flicker_out(
    ager: Ager, made: SimpleNamespace, head_frames: Frames, tmp_path: Path
) -> None:
    source = made.write(tmp_path / "in.mp4", head_frames(8, noise=8), sound=False)
    report = age_video(ager, source, tmp_path / "steady.mp4", OLDER)
    assert report.flicker is not None and report.flicker_unsmoothed is not None
    assert report.flicker < 0.6 * report.flicker_unsmoothed


def test_one_of_two_people_is_followed(ager: Ager, made: SimpleNamespace, head_frames: Frames, tmp_path: Path) -> None:
    heads = head_frames(4, drift=0)
    pairs = [np.concatenate([frame, cv2.resize(frame, (240, 320))[:, ::-1]], axis=1) for frame in heads]
    source = made.write(tmp_path / "in.mp4", pairs, sound=False)

    def changed_halves(report: VideoReport, name: str) -> tuple[bool, bool]:
        assert report.aged == 4
        difference = np.abs(planes(made.read(tmp_path / name)[2]) - planes(made.read(source)[2]))[:320]
        return bool(difference[:, :320].max() > 5), bool(difference[:, 320:].max() > 5)

    largest = age_video(ager, source, tmp_path / "0.mp4", OLDER, quality=0)
    assert changed_halves(largest, "0.mp4") == (True, False)
    second = age_video(ager, source, tmp_path / "1.mp4", Request(every=0.9, face=1), quality=0)
    assert changed_halves(second, "1.mp4") == (False, True)
    with pytest.raises(NoFaceError, match="the most in one frame are 2"):
        age_video(ager, source, tmp_path / "2.mp4", Request(every=0.9, face=2))


@pytest.fixture
def greying(small_model: Path, tmp_path: Path) -> Iterator[Ager]:
    """The small model with hair that greys."""
    folder = Path(shutil.copytree(small_model, tmp_path / "greying"))
    schema = json.loads((folder / SCHEMA).read_text())
    schema["generator"]["greys"] = True
    (folder / SCHEMA).write_text(json.dumps(schema))
    with Ager(folder) as ager:
        yield ager


def test_hair_beyond_the_square_greys_through_a_whole_shot(
    greying: Ager, made: SimpleNamespace, head_frames: Frames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int | None, int]] = []

    def looked(*known: Any) -> Surroundings:
        found, steps = look_around(*known), known[6] if len(known) > 6 else None
        asked.append((steps, found.cells // STEP))
        return found

    monkeypatch.setattr(changing, "look_around", looked)
    frames = head_frames(4, noise=0)
    source = made.write(tmp_path / "in.mp4", frames, sound=False)
    report = age_video(greying, source, tmp_path / "out.mp4", Request(age=80), quality=0)
    assert (report.aged, report.shots) == (4, 1)
    # Once for the shot, and then as far, and a little farther, all through it.
    assert asked == [(None, 1), *[(2, 2)] * 4]
    hues = []
    for index, frame in enumerate(made.read(tmp_path / "out.mp4")):
        # Above the square, whose upper edge is in row 16.
        left = 205 - HEAD[0] + index
        crown = [part[19:22, left : left + 40] for part in (frame.to_ndarray(format="rgb24"), frames[index])]
        hues.append([float(np.ptp(part.astype(float), axis=2).mean()) for part in crown])
    assert max(after / before for after, before in hues) < 0.75
    # Who is not to be older, or has no hair that greys, is not looked around.
    asked.clear()
    age_video(greying, source, tmp_path / "young.mp4", Request(signs={"forehead_wrinkles": 0.9}), quality=0)
    assert set(asked) == {(0, 0)}


def test_hair_and_skin_of_another_person_are_left_alone(
    greying: Ager, made: SimpleNamespace, head_frames: Frames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others: list[np.ndarray] = []

    def looked(*known: Any) -> Surroundings:
        others.append(known[5])
        return look_around(*known)

    monkeypatch.setattr(changing, "look_around", looked)
    pairs = [np.concatenate([frame[:, 40:200], frame[:, 40:200]], axis=1) for frame in head_frames(3, noise=0)]
    source = made.write(tmp_path / "in.mp4", pairs, sound=False)
    report = age_video(greying, source, tmp_path / "out.mp4", Request(age=80), quality=0)
    assert report.aged == 3 and len(others) == 4
    assert all(squares.shape == (1, 3) for squares in others)
    before, after = (planes(made.read(path)[1])[:320] for path in (source, tmp_path / "out.mp4"))
    changed = np.abs(after - before).max(axis=0)
    assert sorted([changed[:150].max() > 5, changed[170:].max() > 5]) == [False, True]


def test_a_face_of_a_frame_is_told_as_that_of_a_photo(
    ager: Ager, made: SimpleNamespace, head_frames: Frames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    views: list[FaceView] = []

    def changed(bundle: Any, view: FaceView, *wanted: Any, **how: Any) -> np.ndarray:
        views.append(view)
        return face_change(bundle, view, *wanted, **how)

    monkeypatch.setattr(changing, "face_change", changed)
    source = made.write(tmp_path / "in.mp4", head_frames(1), sound=False)
    report = age_video(ager, source, tmp_path / "out.mp4", OLDER)
    (view,) = views
    assert view.report.age == report.age and view.report.scores == report.scores


def test_what_no_map_is_for_is_told_before_the_first_frame(
    ager: Ager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = ager.bundle.generator_config.model_copy(update={"maps": "age"})
    monkeypatch.setattr(ager, "bundle", replace(ager.bundle, generator_config=known))
    with pytest.raises(WeightsError, match="the age alone"):
        age_video(ager, tmp_path / "none.mp4", tmp_path / "out.mp4", Request(signs={"crows_feet": 0.9}))


def test_webm(ager: Ager, made: SimpleNamespace, head_frames: Frames, tmp_path: Path) -> None:
    source = made.write(tmp_path / "in.webm", head_frames(4))
    report = age_video(ager, source, tmp_path / "out.webm", OLDER)
    assert report.aged == report.frames == 4
    assert [p[2] for p in made.sound_of(tmp_path / "out.webm")] == [p[2] for p in made.sound_of(source)]


def test_what_cannot_be_done_is_one_clear_error_and_leaves_nothing(
    ager: Ager, made: SimpleNamespace, head_frames: Frames, plain: np.ndarray, tmp_path: Path
) -> None:
    empty = made.write(tmp_path / "empty.mp4", [plain] * 3)
    with pytest.raises(NoFaceError, match=r"empty\.mp4: no face found"):
        age_video(ager, empty, tmp_path / "out.mp4", OLDER)
    with pytest.raises(OutputError, match="already exists"):
        age_video(ager, empty, empty, OLDER)
    with pytest.raises(OutputError, match="cannot hold sound of kind aac"):
        age_video(ager, empty, tmp_path / "out.webm", OLDER)
    wide = made.write(tmp_path / "wide.mp4", [plain] * 2, aspect=Fraction(4, 3), sound=False)
    with pytest.raises(OutputError, match="WebM cannot say"):
        age_video(ager, wide, tmp_path / "out.webm", OLDER)
    (tmp_path / "text.mp4").write_text("no video")
    with pytest.raises(VideoError, match=r"text\.mp4: cannot read it as a video"):
        age_video(ager, tmp_path / "text.mp4", tmp_path / "out.mp4", OLDER)
    with pytest.raises(VideoError, match=r"none\.mp4: cannot read it"):
        age_video(ager, tmp_path / "none.mp4", tmp_path / "out.mp4", OLDER)
    mirrored = made.write(tmp_path / "mirrored.mp4", [plain] * 2, rotation=90, mirrored=True, sound=False)
    with pytest.raises(VideoError, match=r"mirrored\.mp4: is mirrored by its player"):
        age_video(ager, mirrored, tmp_path / "out.mp4", OLDER)
    # Pictures with numbers in their names are no video.
    for number in range(3):
        Image.fromarray(plain).save(tmp_path / f"shot{number:03d}.jpg")
    for name in ("shot%03d.jpg", ".", "x" * 300):
        with pytest.raises(VideoError, match=r"cannot read it as a video \(no such file that can be seen\)"):
            age_video(ager, tmp_path / name, tmp_path / "out.mp4", OLDER)
    names = {path.name for path in tmp_path.iterdir()}
    assert names == {"empty.mp4", "wide.mp4", "text.mp4", "mirrored.mp4", *(f"shot{n:03d}.jpg" for n in range(3))}


def test_a_name_may_look_like_a_protocol_and_a_face_has_a_number(
    ager: Ager, made: SimpleNamespace, head_frames: Frames, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    made.write(tmp_path / "in.mp4", head_frames(2)).rename("12:30:00.mp4")
    report = age_video(ager, Path("12:30:00.mp4"), Path("old 12:30.mp4"), OLDER)
    assert report.aged == 2 and len(made.read(tmp_path / "old 12:30.mp4")) == 2
    with pytest.raises(NoFaceError, match="no frame has a face -1; the most in one frame are 1"):
        age_video(ager, Path("12:30:00.mp4"), Path("other.mp4"), Request(every=0.9, face=-1))


def test_what_a_player_can_show_of_a_damaged_file_is_kept(
    ager: Ager, made: SimpleNamespace, head_frames: Frames, tmp_path: Path
) -> None:
    source = made.write(tmp_path / "in.mkv", head_frames(4), sound=False)
    whole = source.read_bytes()
    source.write_bytes(whole[: len(whole) // 2])
    report = age_video(ager, source, tmp_path / "out.mkv", OLDER)
    assert 0 < report.frames < 4
    assert len(made.read(tmp_path / "out.mkv")) == report.frames


def test_without_pyav_the_extra_is_named(ager: Ager, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from amgan.errors import MissingExtraError

    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(MissingExtraError, match=r"amgan\[video\]"):
        age_video(ager, tmp_path / "in.mp4", tmp_path / "out.mp4", OLDER)
