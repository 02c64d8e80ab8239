"""What the page does when something on it is touched, without a browser."""

from __future__ import annotations

import queue
import threading
from types import SimpleNamespace
from typing import Any

import pytest

from amgan.app.presets import figure_presets
from amgan.app.session import Session
from amgan.app.studio import Studio
from amgan.app.sweeping import ASKED
from amgan.inference.request import Request
from amgan.inference.sweep import EVERY
from amgan.signs.atlas import AGE

VISITOR: Any = SimpleNamespace(session_hash="visitor")


@pytest.fixture
def touched(studio: Studio) -> Any:
    """The page."""
    pytest.importorskip("gradio")
    from amgan.app.page import Page

    return Page(studio)


def test_a_ready_made_request_without_a_photo_moves_nothing(touched: Any, studio: Studio, session: Session) -> None:
    _, preset = touched.presets[2]
    title = figure_presets(studio.atlas)[0].title
    assert set(touched._preset(preset)(VISITOR)) == {touched.figure, *touched.sliders.values()}
    assert set(touched._figure(title, VISITOR)) == set(touched.sliders.values())
    # As when it is clicked while the photo waits for the model to be taken off the page.
    studio.close("visitor")
    assert touched._preset(preset)(VISITOR) == touched._figure(title, VISITOR) == touched._figure(None, VISITOR)


def test_of_a_model_that_knows_the_age_alone_nothing_is_offered_that_it_cannot_do(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gradio")
    from amgan.app.page import Page

    generator = studio.ager.bundle.generator
    monkeypatch.setattr(generator, "config", generator.config.model_copy(update={"maps": "age"}))
    page = Page(studio)
    assert list(page.sliders) == [AGE] and not page.figure.visible and not page.linked.visible
    assert not any(preset.request.signs for _, preset in page.presets)
    assert [name for _, name in page.views.sweep.ways] == [ASKED, EVERY, AGE]


def test_no_upload_waits_for_another(touched: Any) -> None:
    of_a_photo = [fn for fn in touched.blocks.fns.values() if fn.fn in (touched._open, touched._clear)]
    assert len(of_a_photo) == 2
    # Nor does one that takes a photo off: what came in between would go with it.
    for listener in of_a_photo:
        assert listener.concurrency_limit is None and listener.trigger_mode == "multiple"


def test_a_photo_that_was_taken_off_before_its_turn_is_not_shown(
    touched: Any, studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(studio, "open", lambda session, upload: None)  # passed over
    assert touched._open("me.png", VISITOR) == touched._figure(None, VISITOR)


def test_no_preview_comes_after_the_full_picture(touched: Any, studio: Studio, session: Session) -> None:
    session.ask(Request(every=0.9, face=0))
    assert touched.status in touched._preview(session)
    full = touched._full(session, session.revision)
    assert "Done" in full[touched.status]
    # As when the change before waited for a picture, and found this request.
    assert touched._preview(session) == touched._figure(None, VISITOR)
    session.draw_others()
    assert "Preview" in touched._preview(session)[touched.status]


def test_a_face_that_is_shown_is_prepared(touched: Any) -> None:
    listeners = touched.blocks.fns.values()
    before = {listener._id: listener.fn for listener in listeners}
    preparing = [listener for listener in listeners if listener.fn == touched._prepare]
    assert {before[listener.trigger_after].__name__ for listener in preparing} == {"_open", "_choose"}
    # None waits for another, and nothing of it is seen.
    for listener in preparing:
        assert listener.concurrency_limit is None and listener.trigger_mode == "multiple"
        assert not listener.outputs and listener.show_progress == "hidden"


def test_what_fails_while_a_face_is_prepared_is_told_on_the_terminal_alone(
    touched: Any, studio: Studio, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(bundle: Any, face: Any) -> None:
        raise MemoryError("no room")

    told = queue.Queue[BaseException | None]()
    monkeypatch.setattr(threading, "excepthook", lambda failed: told.put(failed.exc_value))
    monkeypatch.setattr("amgan.app.studio.prepare", fail)
    assert touched._prepare(VISITOR) is None
    assert str(told.get(timeout=60)) == "no room"
    # The face is still there to be changed.
    session.ask(Request(every=0.9, face=0))
    assert studio.preview(session) is not None
