"""A video that was stopped goes on, and becomes what it would have become."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from amgan.errors import OutputError
from amgan.inference.ager import Ager
from amgan.inference.request import Request
from amgan.inference.video import age
from amgan.inference.video.age import VideoReport, age_video
from amgan.inference.video.track import TrackFile
from amgan.inference.video.unfinished import Followed, Unfinished, open_unfinished

pytest.importorskip("av")
OLDER = Request(every=0.9)
COUNT, SEGMENT = 7, 3


@pytest.fixture(scope="module")
def source(
    made: SimpleNamespace, head_frames: Callable[..., list[np.ndarray]], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A face that drifts, in frames of uneven length with a long one where a segment begins, and a tone."""
    lengths = [1001, 1001, 2002, 24024, 24024, 1001, 500]
    times = [0, *np.cumsum(lengths[:-1]).tolist()]
    return made.write(tmp_path_factory.mktemp("resume") / "in.mp4", head_frames(COUNT, noise=8), times)


@pytest.fixture(scope="module")
def whole(ager: Ager, source: Path) -> tuple[Path, VideoReport]:
    """The result of a run that was not stopped."""
    path = source.with_name("whole.mp4")
    return path, age_video(ager, source, path, OLDER, quality=0, segment=SEGMENT)


def stopping(stage: str, after: int) -> Callable[[Iterable[object], str, int | None], Iterator[object]]:
    """A progress bar at which someone presses Ctrl-C behind so many frames of a stage."""

    def bar(frames: Iterable[object], label: str, total: int | None) -> Iterator[object]:
        for index, frame in enumerate(frames):
            if label == stage and index == after:
                raise KeyboardInterrupt
            yield frame

    return bar


def test_what_was_stopped_goes_on_to_the_same_result(
    ager: Ager, source: Path, whole: tuple[Path, VideoReport], tmp_path: Path
) -> None:
    out = tmp_path / "new" / "out.mp4"
    left = out.parent / "out.mp4.part"
    for stage, after, there in (("following", 5, None), ("aging", 2, 0), ("aging", 6, 2)):
        with pytest.raises(KeyboardInterrupt):
            age_video(ager, source, out, OLDER, quality=0, segment=SEGMENT, progress=stopping(stage, after))
        assert left.exists() == (there is not None) and len(list(left.glob("*.packets"))) == (there or 0)
        assert not out.exists()
    with pytest.raises(OutputError, match=r"out\.mp4\.part: is left of a run.*--overwrite"):
        age_video(ager, source, out, Request(every=0.1), quality=0, segment=SEGMENT)
    report = age_video(ager, source, out, OLDER, quality=0, segment=SEGMENT)
    assert report.resumed == 6 and report.frames == COUNT
    assert [path.name for path in out.parent.iterdir()] == ["out.mp4"]
    path, uninterrupted = whole
    assert out.read_bytes() == path.read_bytes()
    for part in ("aged", "shots", "scored", "scores", "targets", "flicker", "flicker_unsmoothed"):
        assert getattr(report, part) == getattr(uninterrupted, part)


def test_segments_are_seen_nowhere(
    ager: Ager, source: Path, whole: tuple[Path, VideoReport], made: SimpleNamespace, tmp_path: Path
) -> None:
    path, report = whole
    one = tmp_path / "one.mp4"
    in_one = age_video(ager, source, one, OLDER, quality=0)
    assert report.flicker == in_one.flicker
    assert made.sound_of(path) == made.sound_of(one) == made.sound_of(source)
    times = [[frame.pts * frame.time_base for frame in made.read(p)] for p in (source, path, one)]
    assert times[0] == times[1] == times[2]
    for mine, other in zip(made.read(path), made.read(one), strict=True):
        assert np.array_equal(mine.to_ndarray(), other.to_ndarray())


def test_webm_goes_on_too(
    ager: Ager, made: SimpleNamespace, head_frames: Callable[..., list[np.ndarray]], tmp_path: Path
) -> None:
    source = made.write(tmp_path / "in.webm", head_frames(3))
    age_video(ager, source, tmp_path / "whole.webm", OLDER, segment=2)
    with pytest.raises(KeyboardInterrupt):
        age_video(ager, source, tmp_path / "out.webm", OLDER, segment=2, progress=stopping("aging", 2))
    assert age_video(ager, source, tmp_path / "out.webm", OLDER, segment=2).resumed == 2
    for mine, other in zip(made.read(tmp_path / "out.webm"), made.read(tmp_path / "whole.webm"), strict=True):
        assert mine.pts == other.pts and np.array_equal(mine.to_ndarray(), other.to_ndarray())


def full(*_: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_in_the_first_pass_is_said(
    ager: Ager, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out.mp4"
    with monkeypatch.context() as patch:
        patch.setattr(TrackFile, "add", full)
        with pytest.raises(OutputError, match=r"track: cannot be written \(No space.*make room"):
            age_video(ager, source, out, OLDER)
    with open_unfinished(out, "one", False) as work, monkeypatch.context() as patch:
        patch.setattr(work, "_write", full)
        with pytest.raises(OutputError, match=r"followed\.json: cannot be written \(No space.*make room"):
            work.keep_followed(Followed({"age": 0.5}, 3, 0))
    assert not list(tmp_path.iterdir())


def test_what_is_left_of_another_run_is_deleted_when_asked(tmp_path: Path) -> None:
    out = tmp_path / "out.mp4"

    def stop(recipe: str, overwrite: bool) -> None:
        with open_unfinished(out, recipe, overwrite) as work:
            assert work.followed is None
            work.keep_followed(Followed({"age": 0.5}, 3, 0))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        stop("one", False)
    with pytest.raises(OutputError, match="another video, model or options"):
        stop("two", False)
    with pytest.raises(KeyboardInterrupt):
        stop("two", True)
    with open_unfinished(out, "two", False) as work:
        assert work.followed == Followed({"age": 0.5}, 3, 0)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("left", [[], ["job.json.part"]])
def test_what_is_stopped_in_its_first_or_last_instant_goes_on(tmp_path: Path, left: list[str]) -> None:
    out = tmp_path / "out.mp4"
    (tmp_path / "out.mp4.part").mkdir()
    for name in left:
        (tmp_path / "out.mp4.part" / name).write_text("{")
    with open_unfinished(out, "one", False) as work:
        assert work.followed is None
    assert not list(tmp_path.iterdir())


def test_a_stop_while_what_is_left_is_deleted_does_no_harm(
    ager: Ager, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, unlink = tmp_path / "out.mp4", Path.unlink
    with pytest.raises(KeyboardInterrupt):
        age_video(ager, source, out, OLDER, segment=2, progress=stopping("aging", 5))
    gone = list[str]()

    def stopped(path: Path, missing_ok: bool = False) -> None:
        if len(gone) == 2:
            raise KeyboardInterrupt
        gone.append(path.name)
        unlink(path, missing_ok)

    work = Unfinished(tmp_path / "out.mp4.part")
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(Path, "unlink", stopped)
        work.clear()
    assert gone[0] == "followed.json" and len(list(work.folder.iterdir())) > 2
    assert age_video(ager, source, out, OLDER, segment=2).resumed == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_what_a_kill_leaves_while_the_result_is_joined_is_in_the_folder(
    ager: Ager, source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, join = tmp_path / "out.mp4", age._join
    left = list[str]()

    def killed(path: Path, *how: object) -> None:
        join(path, *how)  # type: ignore[arg-type]
        left.extend(entry.name for entry in tmp_path.iterdir())
        raise KeyboardInterrupt

    monkeypatch.setattr(age, "_join", killed)
    with pytest.raises(KeyboardInterrupt):
        age_video(ager, source, out, OLDER)
    monkeypatch.undo()
    assert left == ["out.mp4.part"]
    age_video(ager, source, out, OLDER)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]


def test_a_folder_that_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "out.mp4.part").mkdir()
    (tmp_path / "out.mp4.part" / "diary.txt").write_text("mine")
    for overwrite in (False, True):
        with (
            pytest.raises(OutputError, match=r"not of `amgan video`"),
            open_unfinished(tmp_path / "out.mp4", "one", overwrite),
        ):
            pass
    assert (tmp_path / "out.mp4.part" / "diary.txt").read_text() == "mine"
