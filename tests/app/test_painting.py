from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image

from amgan.app.painting import CANVAS, COLOURS, canvas_size, coloured_map, painting
from amgan.app.session import Session
from amgan.app.studio import Studio
from amgan.errors import RequestError


def drawing(session: Session, rows: slice, score: int) -> bytes:
    """A PNG as the brush sends it, with `score` in these rows and nothing elsewhere."""
    width, height = canvas_size(session.view)
    pixels = np.zeros((height, width, 4), np.uint8)
    pixels[rows] = (score, score, score, 255)
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def test_a_drawing_becomes_a_map_as_large_as_the_photo(session: Session) -> None:
    left, top, right, bottom = session.view.report.region
    square = session.view.alignment.size * session.view.alignment.scale
    # The face has its size, and what hair hangs out of its square comes on top.
    assert canvas_size(session.view) == pytest.approx(np.array([right - left, bottom - top]) * CANVAS / square, abs=1)
    assert session.photo is not None and max(canvas_size(session.view)) > CANVAS
    shape = session.photo.rgb.shape[:2]
    painted = painting(drawing(session, slice(200, 300), 204), session.view, shape)
    assert painted is not None and (painted.mode, painted.size) == ("LA", shape[::-1])
    score, opacity = np.moveaxis(np.asarray(painted), 2, 0)
    rows = np.flatnonzero(opacity.any(axis=1)) - top
    scale = (bottom - top) / canvas_size(session.view)[1]
    # The edges are soft, as a zone's are.
    assert abs(rows[0] / scale - 200) < 25 and abs(rows[-1] / scale - 300) < 25
    middle = top + round(250 * scale)
    assert (opacity[middle, left:right] == 255).all() and not opacity[:, :left].any() and not opacity[:top].any()
    # The black of what is not painted does not bleed in.
    assert set(np.unique(score[opacity > 8])) <= {203, 204, 205}


def test_an_empty_drawing_is_none(session: Session) -> None:
    assert session.photo is not None
    assert painting(drawing(session, slice(0, 0), 0), session.view, session.photo.rgb.shape[:2]) is None


@pytest.mark.parametrize("sent", [b"", b"no picture", b"\x89PNG\r\n\x1a\n"])
def test_what_is_no_drawing_is_refused(session: Session, sent: bytes) -> None:
    with pytest.raises(RequestError, match="not a PNG"):
        painting(sent, session.view, (512, 512))


def test_a_drawing_of_another_kind_is_refused(session: Session) -> None:
    file = io.BytesIO()
    Image.new("L", (10, 10)).save(file, "PNG")
    with pytest.raises(RequestError, match="opacity"):
        painting(file.getvalue(), session.view, (512, 512))


def test_the_coloured_map_has_the_colour_of_the_score_on_the_head(studio: Studio, session: Session) -> None:
    bundle, scores = studio.ager.bundle, dict.fromkeys(session.view.scores, 1.0)
    severe = coloured_map(bundle, session.view, scores)
    assert severe.shape[1::-1] == canvas_size(session.view)
    inside = severe[severe[..., 3] == 255][:, :3]
    yellow = [int(COLOURS[-1][i : i + 2], 16) for i in (1, 3, 5)]
    assert len(inside) > 10_000 and np.abs(inside.astype(int) - yellow).max() <= 2
    assert not severe[0, :, 3].any()


def test_a_painting_is_in_picture_preview_and_recipe(
    studio: Studio, session: Session, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    revision = session.revision
    studio.paint(session, session.chosen, drawing(session, slice(300, 360), 255))
    # It is taken apart once, not for every picture.
    monkeypatch.delattr("amgan.inference.painted.photo_from_image")
    assert session.revision == revision + 1 and not session.unchanged and session.request.empty
    assert session.before is not None
    preview = studio.preview(session)
    recipe = studio.recipe(session)
    made = np.asarray(Image.open(studio.picture(session)[0]))
    monkeypatch.undo()
    again = studio.ager.age(Image.fromarray(astronaut), painted=recipe.painted, face=recipe.face, seed=recipe.seed)
    assert np.array_equal(made, again.image)
    assert preview is not None
    rows = np.flatnonzero((preview != session.before).any(axis=(1, 2))) / len(preview) * CANVAS
    assert len(rows) and rows.min() > 260 and rows.max() < 400
    chosen = session.chosen
    session.choose(0)
    assert session.unchanged
    with pytest.raises(RequestError, match="another face"):
        studio.paint(session, chosen, drawing(session, slice(300, 360), 255))


def test_without_a_photo_nothing_is_painted_on(studio: Studio) -> None:
    with pytest.raises(RequestError, match="no photo"):
        studio.paint(studio.session("other"), "", b"")
