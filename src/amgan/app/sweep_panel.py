"""The part of the page that makes strips and clips."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gradio as gr

from amgan.app import messages
from amgan.app.studio import Studio
from amgan.app.sweeping import ASKED, LEAST, MOST, USUAL, Kind, Sweep, sweep, ways
from amgan.errors import AmganError

Updates = dict[Any, Any]

KINDS: list[tuple[str, Kind]] = [("Strip (PNG)", "strip"), ("Clip (MP4), there and back", "clip")]


class SweepPanel:
    """Its components, within the `Blocks` where it is made, and what they do.

    Args:
        studio: Does the work.

    Attributes:
        result: Where progress and result are shown.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        self.ways = ways(studio.atlas, studio.halves, studio.signs)
        # Not a radio, whose group has no name in Gradio 6.31.
        listed: dict[str, Any] = {"filterable": False, "min_width": 240}
        with gr.Row():
            self.along = gr.Dropdown(self.ways, value=ASKED, label="What changes", **listed)
            self.kind = gr.Dropdown(KINDS, value="strip", label="Shown as", **listed)
        self.steps = gr.Slider(LEAST, MOST, value=USUAL["strip"], step=1, label="Pictures", buttons=[])
        with gr.Row(elem_id="sweep-buttons"):
            self.make = gr.Button("Make it", variant="primary", min_width=80)
            self.stop = gr.Button("Stop", min_width=80, interactive=False)
        self.result = gr.HTML("", elem_id="sweep-result")

    def listen(self, quiet: dict[str, Any]) -> None:
        """Attaches what the components do.

        Args:
            quiet: Arguments that all listeners of the page have.
        """
        self.kind.input(lambda kind: USUAL[kind], self.kind, self.steps, show_progress="hidden", **quiet)
        asked = [self.along, self.kind, self.steps]
        shown = [self.result, self.make, self.stop]
        # Sweeps of several pages at once take turns, picture by picture.
        making: dict[str, Any] = {"show_progress": "hidden", "trigger_mode": "once", "concurrency_limit": 8}
        self.make.click(self._make, asked, shown, **making, **quiet)
        self.stop.click(self._stop, None, shown, show_progress="hidden", **quiet)

    def empty(self) -> Updates:
        """Without a result, as of another face."""
        return {self.result: "", self.make: gr.update(interactive=True), self.stop: gr.update(interactive=False)}

    def _make(self, along: str, kind: Kind, steps: float, request: gr.Request) -> Iterator[Updates]:
        session = self.studio.session(str(request.session_hash))
        wanted = Sweep(along, kind, int(steps))
        try:
            yield self._working(0, wanted.steps)
            for done in sweep(self.studio, session, wanted):
                yield self._working(done, wanted.steps)
        except AmganError as error:
            yield {**self.empty(), self.result: messages.status(str(error))}
            return
        if session.swept is None:
            yield self.empty()
            return
        title = next(title for title, name in self.ways if name == along)
        what = f"{title}: {wanted.steps} pictures."
        yield {**self.empty(), self.result: messages.swept(session, what, session.replay)}

    def _working(self, done: int, steps: int) -> Updates:
        off, on = gr.update(interactive=False), gr.update(interactive=True)
        return {self.result: messages.progress(done, steps), self.make: off, self.stop: on}

    def _stop(self, request: gr.Request) -> Updates:
        self.studio.session(str(request.session_hash)).unsweep()
        return self.empty()
