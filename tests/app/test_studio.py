import contextlib
import json
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import amgan.app.session
from amgan.app.session import Session, take_photo
from amgan.app.studio import Studio
from amgan.errors import NoFaceError, PhotoError, RequestError
from amgan.faces.photo import Photo, read_photo
from amgan.inference.ager import Ager
from amgan.inference.request import Request
from amgan.inference.views import FaceView
from amgan.models.bundle import SCHEMA, TRENDS, Bundle, default_model
from amgan.models.export import export_onnx

OLDER = Request(signs={"forehead_wrinkles": 0.9}, face=0)


def test_the_upload_is_gone_when_it_is_read(studio: Studio, tmp_path: Path, astronaut: np.ndarray) -> None:
    upload = tmp_path / "me.png"
    Image.fromarray(astronaut).save(upload)
    session = studio.session("visitor")
    studio.open(session, upload)
    assert session.photo is not None and (session.photo.name, session.photo.path) == ("me.png", None)
    assert len(session.views) == 1 and session.before is not None and not upload.exists()


@pytest.mark.parametrize("broken", [False, True])
def test_an_upload_does_not_wait_for_the_model_and_outlives_no_session(
    studio: Studio, tmp_path: Path, astronaut: np.ndarray, broken: bool
) -> None:
    upload = tmp_path / "me.png"
    Image.fromarray(astronaut).save(upload)
    if broken:
        upload.write_bytes(upload.read_bytes()[:1000])
    session = studio.session("visitor")
    with ThreadPoolExecutor() as others:
        with studio.exclusive:
            opening = others.submit(studio.open, session, upload)
            until = time.monotonic() + 30
            while list(tmp_path.glob("*.png")) and time.monotonic() < until:
                time.sleep(0.01)
            assert not list(tmp_path.glob("*.png")) and not opening.done()
            closing = others.submit(studio.close, "visitor")
            while studio.by_token(session.token) is not None:
                time.sleep(0.01)
        opening.result()
        closing.result()
    assert session.photo is None and not session.views and not session.folder.exists()


def test_of_two_photos_the_later_is_opened(studio: Studio, tmp_path: Path, astronaut: np.ndarray) -> None:
    for name in ("one.png", "two.png"):
        Image.fromarray(astronaut).save(tmp_path / name)
    session = studio.session("visitor")
    with ThreadPoolExecutor() as others:
        with studio.exclusive:
            opening = []
            for name in ("one.png", "two.png"):
                opening.append(others.submit(studio.open, session, tmp_path / name))
                while (tmp_path / name).exists():
                    time.sleep(0.01)
        for each in opening:
            each.result()
    assert session.photo is not None and session.photo.name == "two.png"


def test_one_photo_in_two_pages_is_one_file_that_both_read(
    studio: Studio, tmp_path: Path, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = tmp_path / "me.png"
    Image.fromarray(astronaut).save(upload)
    content = upload.read_bytes()

    def read(path: Path) -> Photo:
        found = read_photo(path)
        upload.write_bytes(content)  # the other page's arrives
        return found

    with monkeypatch.context() as patch:
        patch.setattr(amgan.app.session, "read_photo", read)
        one = take_photo(upload)
    other = take_photo(upload)
    assert one.name == other.name == "me.png" and not list(tmp_path.iterdir())
    with pytest.raises(PhotoError, match=r"^me\.png: did not arrive .* drop it again"):
        take_photo(upload)


def test_the_picture_is_that_of_its_recipe(studio: Studio, session: Session, astronaut: np.ndarray) -> None:
    assert session.ask(OLDER)
    recipe = studio.recipe(session)
    asked = recipe.request
    again = studio.ager.age(Image.fromarray(astronaut), signs=asked.signs, face=asked.face, seed=recipe.seed)
    path, name = studio.picture(session)
    assert path.parent.parent == session.folder and name == "astronaut-aged.png"
    assert np.array_equal(Image.open(path), again.image) and not np.array_equal(Image.open(path), astronaut)
    assert (recipe.face, recipe.seed) == (0, 0)
    # Of two downloads at once, the end of the first does not take the other's file away.
    other, _ = studio.picture(session)
    path.unlink()
    assert np.array_equal(Image.open(other), again.image)


def test_of_a_large_group_every_face_keeps_its_small_picture(
    studio: Studio, session: Session, tmp_path: Path, astronaut: np.ndarray
) -> None:
    session.views *= 30
    small = [Path(path) for path in session.thumbnails()]
    for _ in range(30):
        session.save("preview", astronaut[:8, :8])
    assert len(set(small)) == 30 and all(Image.open(path).size == (192, 192) for path in small)
    # Those of the last photo are gone with it.
    Image.fromarray(astronaut).save(tmp_path / "next.png")
    studio.open(session, tmp_path / "next.png")
    assert not any(path.exists() for path in small)


def test_a_preview_is_as_large_as_the_full_picture_and_stays_in_its_zone(studio: Studio, session: Session) -> None:
    session.ask(OLDER)
    preview = studio.preview(session)
    assert preview is not None and session.before is not None and preview.shape == session.before.shape
    changed = (preview != session.before).any(axis=2)
    assert changed.any() and not changed[-20:].any()
    # What was found on the small face serves the next preview, which is as if it were the first.
    small = session.small
    assert small is not None and small.alignment.size < session.view.alignment.size
    session.revision += 1
    assert np.array_equal(studio.preview(session), preview) and session.small is small
    session.choose(0)
    assert session.small is None


def found_on(view: FaceView) -> set[str]:
    """What is kept with a face."""
    return {"hair", "_places"} & set(vars(view))


@pytest.fixture(scope="module")
def formed(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ager]:
    """The small model with hair, light and shape."""
    model = Path(shutil.copytree(small_model, tmp_path_factory.mktemp("formed") / "model"))
    schema = json.loads((model / SCHEMA).read_text())
    schema["generator"] |= {"sags": True, "shades": True, "greys": True}
    (model / SCHEMA).write_text(json.dumps(schema))
    shutil.copy(default_model() / TRENDS, model)
    with Ager(model) as opened:
        yield opened


@pytest.mark.parametrize("onnx", [False, True], ids=["torch", "onnx"])
def test_the_first_pictures_find_nothing_that_was_prepared(
    formed: Ager, tmp_path: Path, astronaut: np.ndarray, onnx: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(astronaut).save(tmp_path / "me.png")
    with contextlib.ExitStack() as stack:
        ager = formed
        if onnx:
            ager = stack.enter_context(Ager(export_onnx(formed.bundle, tmp_path / "small.onnx").path))
        studio = Studio(ager, tmp_path / "sessions")
        session = studio.session("visitor")
        studio.open(session, tmp_path / "me.png")
        known = session.view.scores.copy()
        studio.prepare(session)
        assert session.small is not None
        assert found_on(session.small) == found_on(session.view) == {"hair", "_places"}
        # Nothing is asked for by that.
        assert session.unchanged and session.finished == session.revision and session.view.scores == known
        for found in ("hair_masks", "face_places"):
            monkeypatch.setattr(f"amgan.inference.views.{found}", None)
        small = session.small
        for request in (Request(age=80, face=0), Request(every=0.1, face=0), Request(signs={"crows_feet.left": 0.9})):
            session.ask(request)
            assert studio.preview(session) is not None and session.small is small
            assert studio.full(session, session.revision) is not None


def test_preparing_is_left_undone_when_something_is_asked_or_nobody_is_there(
    studio: Studio, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    prepared = list[FaceView]()

    def asked_meanwhile(bundle: Bundle, face: FaceView) -> None:
        prepared.append(face)
        # The model is free meanwhile.
        with ThreadPoolExecutor() as others:
            assert others.submit(studio.preview, session).result(60) is not None
        session.ask(OLDER)

    monkeypatch.setattr("amgan.app.studio.prepare", asked_meanwhile)
    studio.prepare(session)
    assert prepared == [session.small]
    # What is asked for finds it.
    session.small = None
    studio.prepare(session)
    assert session.small is None
    # It serves after a picture that is finished as before the first.
    session.finished = session.revision
    session.request = Request()
    studio.prepare(session)
    assert prepared[1:] == [session.small]
    studio.close("visitor")
    studio.prepare(session)
    studio.prepare(studio.session("another"))
    assert len(prepared) == 2 and session.small is None


def test_outdated_work_is_left_undone(studio: Studio, session: Session) -> None:
    session.ask(OLDER)
    revision = session.revision
    assert not session.ask(OLDER) and session.revision == revision
    assert session.ask(Request(age=70, face=0))
    assert studio.full(session, revision) is None
    assert studio.full(session, session.revision) is not None


def test_a_full_picture_is_made_once(studio: Studio, session: Session) -> None:
    session.ask(OLDER)
    assert studio.full(session, session.revision) is studio.full(session, session.revision)


def test_nothing_asked_is_no_recipe(studio: Studio, session: Session) -> None:
    with pytest.raises(RequestError, match="move a slider"):
        studio.recipe(session)


def test_a_closed_session_leaves_nothing(studio: Studio, session: Session) -> None:
    session.ask(OLDER)
    assert Path(session.before_file).is_file()
    studio.close("visitor")
    assert session.photo is None and session.before is None and not session.views
    assert not any(studio.folder.iterdir())
    assert studio.by_token(session.token) is None and studio.session("visitor") is not session
    with pytest.raises(RequestError):
        studio.picture(session)


def test_a_photo_whose_page_is_gone_is_not_opened(
    studio: Studio, session: Session, tmp_path: Path, astronaut: np.ndarray
) -> None:
    Image.fromarray(astronaut).save(tmp_path / "me.png")
    studio.close("visitor")
    studio.open(session, tmp_path / "me.png")
    assert session.photo is None and not session.folder.exists() and not (tmp_path / "me.png").exists()


def test_old_pictures_are_deleted(session: Session) -> None:
    paths = [Path(session.save("after", np.zeros((8, 8, 3), np.uint8))) for _ in range(30)]
    assert paths[-1].is_file() and not paths[0].exists()
    assert len(list(session.folder.iterdir())) <= 25 and Path(session.before_file).is_file()


def test_a_bad_photo_empties_the_session(studio: Studio, session: Session, tmp_path: Path) -> None:
    blank = tmp_path / "blank.png"
    Image.new("RGB", (200, 200), "white").save(blank)
    with pytest.raises(NoFaceError, match=r"^blank\.png: no face"):
        studio.open(session, blank)
    assert session.photo is None and not session.views
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    with pytest.raises(PhotoError, match=r"^broken\.png: ") as caught:
        studio.open(session, broken)
    assert str(tmp_path) not in str(caught.value) and not broken.exists()


def test_other_lines_are_another_picture_and_its_recipe_knows(studio: Studio, session: Session) -> None:
    session.ask(OLDER)
    first = np.asarray(studio.full(session, session.revision).image)
    session.draw_others()
    assert studio.recipe(session).seed == 1
    assert not np.array_equal(first, studio.full(session, session.revision).image)
    session.choose(0)
    assert session.seed == 0
