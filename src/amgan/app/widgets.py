"""What Gradio has not: a comparison for mouse, finger and keyboard, and a brush for the aging map."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gradio as gr

from amgan.app.painting import COLOURS, SOFTNESS, canvas_size
from amgan.app.session import Session


def widget(name: str) -> gr.HTML:
    """A component of our own, of the files ``NAME.html`` and ``NAME.js`` beside this one; ``page.css`` has its style.

    The template has no placeholders, so Gradio leaves its elements as they are: the script alone changes them.
    """
    here = Path(__file__)
    template, script = (here.with_name(f"{name}.{kind}").read_text(encoding="utf-8") for kind in ("html", "js"))
    return gr.HTML(html_template=template, js_on_load=script, apply_default_css=False, elem_id=name)


def compared(session: Session, after: str) -> dict[str, Any]:
    """What the comparison shows.

    Args:
        session: The visitor's.
        after: Path of the picture beside the photo.
    """
    assert session.before is not None
    height, width = session.before.shape[:2]
    before = session.address(session.before_file)
    return {"before": before, "after": session.address(after), "width": width, "height": height}


def painted_on(session: Session, picture: str, coloured: str) -> dict[str, Any]:
    """What the brush paints on. Of another photo or face, the strokes are forgotten.

    Args:
        session: The visitor's.
        picture: Path of the picture of the face.
        coloured: Path of the map over it.
    """
    width, height = canvas_size(session.view)
    return {
        "key": session.chosen,
        "address": f"/session/{session.token}/painting/{session.chosen}",
        "picture": session.address(picture),
        "map": session.address(coloured),
        "width": width,
        "height": height,
        "softness": SOFTNESS,
        "colours": COLOURS,
    }
