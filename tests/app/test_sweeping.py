from __future__ import annotations

import errno
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from amgan.app import sweeping
from amgan.app.session import Session
from amgan.app.studio import Studio
from amgan.app.sweeping import ASKED, Asked, Sweep, command, sweep, ways
from amgan.errors import OutputError, RequestError
from amgan.faces.output import write_image
from amgan.inference.request import Request
from amgan.signs.atlas import AGE


def files(session: Session) -> list[Path]:
    return [path for path in session.folder.rglob("*") if path.is_file() and str(path) != session.before_file]


def test_everything_can_be_swept(studio: Studio) -> None:
    names = [name for _, name in ways(studio.atlas, studio.halves)]
    assert names[:3] == [ASKED, "all", AGE] and len(set(names)) == len(names)
    assert set(names) >= {*studio.atlas.signs, *studio.atlas.zones}


def test_a_strip_goes_from_the_photo_to_what_is_asked_for(studio: Studio, session: Session) -> None:
    session.ask(Request(signs={"nasolabial_fold": 0.9}, face=0))
    wanted = Sweep(ASKED, "strip", 3)
    assert list(sweep(studio, session, wanted)) == [1, 2, 3]
    assert session.swept is not None and files(session) == [session.swept]
    assert session.before is not None
    height, width = session.before.shape[:2]
    row = np.asarray(Image.open(session.swept))[:height]
    assert np.array_equal(row[:, :width], session.before) and row.shape[1] == 3 * width
    assert not np.array_equal(row[:, 2 * width :], session.before)
    said = "amgan sweep PHOTO -o OUT.png --to nasolabial_fold=0.9 --steps 3 --labels"
    assert session.replay == f"{said} --precision {studio.precision} --model 'my model'"


def test_a_clip_is_written(studio: Studio, session: Session) -> None:
    pytest.importorskip("av")
    wanted = Sweep("age", "clip", 2)
    assert list(sweep(studio, session, wanted)) == [1, 2]
    assert session.swept is not None and session.swept.name == "astronaut-age.mp4"
    assert b"ftyp" in session.swept.read_bytes()[:12] and files(session) == [session.swept]
    assert session.replay == (
        f"amgan sweep PHOTO -o OUT.mp4 --along age --steps 2 --precision {studio.precision} --model 'my model'"
    )


def test_the_command_is_of_what_the_sweep_began_with(studio: Studio, session: Session) -> None:
    session.ask(Request(signs={"nasolabial_fold": 0.9}, face=0))
    session.seed = 2
    made = sweep(studio, session, Sweep(ASKED, "strip", 2))
    # The visitor goes on before the sweep gets the model, and then while it is made.
    session.ask(Request(signs={"crows_feet.left": 0.1}, face=0))
    session.seed = 3
    assert next(made) == 1
    session.ask(Request(signs={"forehead_wrinkles": 1.0}, face=0))
    session.seed = 4
    session.paint(Image.new("LA", (512, 512), (255, 255)))
    assert list(made) == [2] and session.replay is not None
    assert " --to crows_feet.left=0.1 " in session.replay and " --seed 3 " in session.replay
    session.unsweep()
    assert session.replay is None


@pytest.mark.parametrize("closed", [False, True])
def test_a_stopped_sweep_leaves_no_file(studio: Studio, session: Session, closed: bool) -> None:
    made = sweep(studio, session, Sweep("age", "strip", 5))
    assert next(made) == 1 and len(files(session)) == 1
    if closed:
        studio.close("visitor")
    else:
        session.sweep += 1
    assert list(made) == [] and session.swept is None
    assert not session.folder.exists() if closed else files(session) == []


@pytest.mark.parametrize("closed", [False, True])
def test_a_sweep_stopped_while_its_file_is_written_leaves_none(
    studio: Studio, session: Session, closed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def written(image: Image.Image, path: Path, **options: Any) -> None:
        write_image(image, path, **options)
        # As when the visitor touches the page now, who is answered at once.
        stop = (lambda: studio.close("visitor")) if closed else session.unsweep
        with ThreadPoolExecutor(1) as other:
            assert other.submit(studio.exclusive.acquire, timeout=5).result()
            other.submit(studio.exclusive.release).result()
            other.submit(stop).result(5)

    monkeypatch.setattr(sweeping, "write_image", written)
    assert list(sweep(studio, session, Sweep("age", "strip", 2))) == [1, 2]
    assert session.swept is None and session.replay is None
    assert not any(studio.folder.iterdir()) if closed else files(session) == []
    assert closed or [path.name for path in studio.folder.iterdir()] == [session.folder.name]


def test_a_painting_cannot_be_told_to_the_command_line(studio: Studio, session: Session) -> None:
    session.paint(Image.new("LA", (512, 512), (255, 255)))
    assert command(studio, Asked.of(session), Sweep(ASKED, "strip", 3)) is None
    assert command(studio, Asked.of(session), Sweep("age", "strip", 3)) is not None


def test_a_full_disk_is_said(studio: Studio, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, picture: np.ndarray) -> None:
        path.write_bytes(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    session.ask(Request(signs={"nasolabial_fold": 0.9}, face=0))
    monkeypatch.setattr("amgan.app.sweeping.np.save", full)
    with pytest.raises(OutputError, match=r"cannot be kept \(No space left on device\); make fewer"):
        list(sweep(studio, session, Sweep(ASKED, "strip", 3)))
    assert files(session) == []


def test_what_cannot_be_swept_is_said(studio: Studio, session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RequestError, match="nothing is changed"):
        next(sweep(studio, session, Sweep(ASKED, "strip", 3)))
    monkeypatch.setattr("amgan.app.sweeping._STRIP_PIXELS", 1000)
    with pytest.raises(RequestError, match="too large for a strip"):
        next(sweep(studio, session, Sweep(AGE, "strip", 3)))
    with pytest.raises(RequestError, match="no photo"):
        next(sweep(studio, studio.session("other"), Sweep(AGE, "strip", 3)))
