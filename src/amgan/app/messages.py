"""The lines of text on the page that change."""

from __future__ import annotations

import html

from amgan.app.session import Session

WAITING = "Drop a photo of an adult to begin."


def status(message: str) -> str:
    """A line that a screen reader reads out when it changes."""
    return f'<p role="status" aria-live="polite">{html.escape(message)}</p>'


def links(session: Session | None, model: str = "") -> str:
    """The downloads of a session, and how the command line makes the picture again.

    Args:
        session: The visitor's; None if nothing is changed yet.
        model: Options of the model, as `Studio` has them.
    """
    if session is None:
        return "<p>Move a slider or paint, and picture and recipe can be downloaded here.</p>"
    command = html.escape(f"amgan age PHOTO -o OUT.png --recipe RECIPE.json{model}")
    replay = f"<code>{command}</code> makes the same picture again."
    return f"""<p><a href="/session/{session.token}/picture.png" download>Download picture</a>
<a href="/session/{session.token}/recipe.json" download>Download recipe</a></p><p class="hint">{replay}</p>"""


def progress(done: int, steps: int) -> str:
    """A bar with its text."""
    return f"""<p role="status" aria-live="polite">Picture {done} of {steps}</p>
<progress max="{steps}" value="{done}" aria-label="Pictures of the sweep"></progress>"""


def swept(session: Session, what: str, replay: str | None) -> str:
    """A sweep as it is shown: a strip to scroll, or a clip to play.

    Args:
        session: The visitor's, whose `swept` it is.
        what: Says what it shows.
        replay: The command that makes it again.
    """
    assert session.swept is not None
    # Numbered, so that a browser does not take the last one for it.
    address, said = f"/session/{session.token}/sweep?{session.sweep}", html.escape(what)
    if session.swept.suffix == ".png":
        # Wider than the page, so it must be scrolled: with the keyboard too.
        shown = (
            f'<div class="strip" tabindex="0" role="region" aria-label="Strip"><img src="{address}" alt="{said}"></div>'
        )
        kind = "strip"
    else:
        left, top, right, bottom = session.view.report.region
        shape = f"--shape: {(right - left) / (bottom - top):.4f}"
        playing = "controls loop autoplay muted playsinline"
        shown = f'<video src="{address}" {playing} style="{shape}" aria-label="{said}"></video>'
        kind = "clip"
    hint = "" if replay is None else f'<p class="hint"><code>{html.escape(replay)}</code> makes the same.</p>'
    return f'<p role="status">{said}</p>{shown}<p><a href="{address}" download>Download {kind}</a></p>{hint}'
