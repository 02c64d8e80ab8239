"""The page: its layout, and what happens when something on it is touched."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import gradio as gr

from amgan.app import messages
from amgan.app.controls import age_slider, place_sliders
from amgan.app.presets import Preset, common_presets, figure_presets
from amgan.app.session import Session
from amgan.app.sliders import own_score, slider_request, slider_values
from amgan.app.studio import Studio
from amgan.app.sweep_panel import Updates
from amgan.app.views_panel import ViewsPanel
from amgan.errors import AmganError
from amgan.inference.views import shown
from amgan.maps.sides import sides_of
from amgan.signs.atlas import AGE

TITLE = "AgingMapGAN"
INTRO = f"""<h1>{TITLE}</h1>
<p>Older or younger, sign by sign, from one photo of an adult. Everything stays on this computer.</p>"""
FINE_PRINT = """Adults only, and with their consent. It is not a forecast of how a person will look; say that a picture
was altered when you show it."""

# After the last move, the full picture begins when nothing else has been asked for. Its work cannot be interrupted, so
# it should not begin between two moves.
REST_SECONDS = 0.35

# How often the event that keeps the connection to a page looks whether the page is still there.
STAY_SECONDS = 30


class Page:
    """The page's components and listeners.

    Args:
        studio: Does the work.

    Attributes:
        blocks: The page, for Gradio to serve.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        with gr.Blocks(analytics_enabled=False, title=TITLE) as self.blocks:
            gr.HTML(INTRO, elem_id="intro")
            with gr.Row(elem_id="columns"):
                with gr.Column(scale=5, min_width=300, elem_id="pictures"):
                    self._pictures()
                with gr.Column(scale=4, min_width=300, elem_id="controls"):
                    self._controls()
            gr.HTML(f"<p>{FINE_PRINT}</p>", elem_id="fine-print")
            self._listen()
        self.blocks.unload(self._unload)

    def _pictures(self) -> None:
        self.photo = gr.File(label="Photo", file_types=["image"], height=150, elem_id="photo")
        self.status = gr.HTML(messages.status(messages.WAITING), elem_id="status")
        self.faces = gr.Gallery(
            label="Faces: choose one",
            show_label=False,
            columns=6,
            height="auto",
            object_fit="cover",
            allow_preview=False,
            interactive=False,
            buttons=[],
            visible=False,
            elem_id="faces",
        )
        self.views = ViewsPanel(self.studio)
        self.downloads = gr.HTML("", elem_id="downloads")

    def _controls(self) -> None:
        atlas = self.studio.atlas
        self.presets: list[tuple[gr.Button, Preset]] = []
        with gr.Row(elem_id="presets"):
            for preset in common_presets(atlas, self.studio.signs):
                button = gr.Button(preset.title, size="sm", min_width=60, interactive=False)
                self.presets.append((button, preset))
        self.figure = gr.Dropdown(
            [preset.title for preset in figure_presets(atlas)],
            value=None,
            label="Maps of the paper's figure 9",
            filterable=False,
            visible=self.studio.signs,
            interactive=False,
            elem_id="figure",
        )
        with gr.Row():
            self.linked = gr.Checkbox(
                value=True, label="Move left and right together", visible=self.studio.signs, elem_id="linked"
            )
            # A model of one pattern has no others.
            several = self.studio.ager.bundle.generator.config.patterns > 1
            self.others = gr.Button(
                "Other lines", size="sm", min_width=60, visible=several, interactive=False, elem_id="others"
            )
        self.sliders = {AGE: age_slider(atlas)}
        if self.studio.signs:
            self.sliders |= place_sliders(atlas, self.studio.halves)

    def _listen(self) -> None:
        self.blocks.load(_stay, concurrency_limit=None, show_progress="hidden", **_QUIET)
        sliders = list(self.sliders.values())
        for sign in self.studio.atlas.signs:
            pair = [self.sliders[name] for name in sides_of(sign) if name in self.sliders]
            for moved, other in (pair, pair[::-1]) if pair else ():
                follow = "(moved, other, linked) => linked ? moved : other"
                moved.input(None, [moved, other, self.linked], other, js=follow, show_progress="hidden", **_QUIET)
        for button, preset in self.presets:
            button.click(self._preset(preset), None, [*sliders, self.figure], show_progress="hidden", **_QUIET)
            if preset.request.empty:
                button.click(None, js=f"() => {{ {_UNPAINT} }}", **_QUIET)
        self.figure.input(self._figure, self.figure, sliders, show_progress="hidden", **_QUIET)
        self.figure.input(None, self.figure, js=f"title => {{ if (title?.startsWith('a:')) {_UNPAINT} }}", **_QUIET)

        everything = [self.status, self.faces, *self.views.everything, self.downloads, *self._controls_of_a_face()]
        # None waits for another: a file whose turn has not come would outlive its page.
        taking: dict[str, Any] = {"trigger_mode": "multiple", "concurrency_limit": None}
        opened = self.photo.upload(self._open, self.photo, everything, show_progress_on=self.photo, **taking, **_QUIET)
        self.photo.clear(self._clear, None, everything, show_progress="hidden", **taking, **_QUIET)
        chosen = self.faces.select(self._choose, None, everything, show_progress="hidden", **_QUIET)
        for shown_first in (opened, chosen):
            shown_first.then(self._prepare, None, None, show_progress="hidden", **taking, **_QUIET)
        self.views.listen(_QUIET)
        changes = [slider.change for slider in sliders]
        for triggers, asked, inputs in (
            (changes, self._moved, sliders),
            ([self.views.painter.input], self._painted, None),
            ([self.others.click], self._others, None),
        ):
            gr.on(
                triggers,
                asked,
                inputs,
                [*self.views.at_once, self.status],
                show_progress="hidden",
                trigger_mode="always_last",
                **_QUIET,
            ).then(
                self._finish,
                None,
                [*self.views.pictures, self.downloads, self.status],
                show_progress="hidden",
                trigger_mode="multiple",
                concurrency_limit=8,
                **_QUIET,
            )

    def _session(self, request: gr.Request) -> Session:
        return self.studio.session(str(request.session_hash))

    def _unload(self, request: gr.Request) -> None:
        self.studio.close(str(request.session_hash))

    def _open(self, upload: str, request: gr.Request) -> Any:
        session = self._session(request)
        try:
            self.studio.open(session, Path(upload))
        except AmganError as error:
            return self._empty(str(error))
        with self.studio.exclusive:
            if session.photo is None:  # taken off the page meanwhile
                return gr.skip()
            faces = [(path, f"Face {index}") for index, path in enumerate(session.thumbnails(), start=1)]
            gallery = gr.update(value=faces, visible=len(faces) > 1, selected_index=0)
            return {self.faces: gallery} | self._face(session)

    def _choose(self, event: gr.SelectData, request: gr.Request) -> Updates:
        session = self._session(request)
        with self.studio.exclusive:
            if session.photo is None:
                return {self.status: messages.status(messages.WAITING)}
            session.choose(int(event.index))
            return self._face(session)

    def _prepare(self, request: gr.Request) -> None:
        """Finds, while somebody looks at the face, what its pictures will want.

        A failure of that thread is told on the terminal: on the page nobody asked for the work, and who moves a slider
        is told there, by the picture that fails of the same.
        """
        threading.Thread(target=self.studio.prepare, args=(self._session(request),)).start()

    def _clear(self, request: gr.Request) -> Updates:
        self.studio.close(str(request.session_hash))
        return self._empty(messages.WAITING)

    def _empty(self, message: str) -> Updates:
        nothing = {self.faces: gr.update(value=None, visible=False), self.downloads: None, **self.views.empty()}
        off = {control: gr.update(interactive=False) for control in self._controls_of_a_face()}
        # Nothing of the last person stays.
        fresh = {s: gr.update(value=s.value, info=s.info, interactive=False) for s in self.sliders.values()}
        return {self.status: messages.status(message), **nothing, **off, **fresh}

    def _controls_of_a_face(self) -> list[Any]:
        return [self.figure, self.others, *(button for button, _ in self.presets), *self.sliders.values()]

    def _face(self, session: Session) -> Updates:
        """Everything that depends on which face is changed."""
        view, count = session.view, len(session.views)
        found = "1 face found" if count == 1 else f"{count} faces found; this is face {session.face + 1}"
        values = slider_values(self.studio.atlas, view.scores)
        on = {control: gr.update(interactive=True) for control in self._controls_of_a_face()}
        sliders = {
            slider: gr.update(value=values[zone], info=own_score(self.studio.atlas, view, zone), interactive=True)
            for zone, slider in self.sliders.items()
        }
        return {
            self.status: messages.status(f"{found}. It looks {values[AGE]:.0f} years old."),
            **self.views.fresh(session),
            self.downloads: messages.links(None),
            **on,
            self.figure: gr.update(value=None, interactive=True),
            **sliders,
        }

    def _preset(self, preset: Preset) -> Any:
        def apply(request: gr.Request) -> Any:
            aimed = self._aim(preset, request)
            return {self.figure: None, **aimed} if aimed else gr.skip()

        return apply

    def _figure(self, title: str | None, request: gr.Request) -> Any:
        if title is None:  # as when the keyboard only passes over it
            return gr.skip()
        preset = next(preset for preset in figure_presets(self.studio.atlas) if preset.title == title)
        return self._aim(preset, request) or gr.skip()

    def _aim(self, preset: Preset, request: gr.Request) -> Updates:
        """Where the sliders go; nowhere without a photo, as while one waits for the model to be taken off the page."""
        session = self._session(request)
        if session.photo is None:
            return {}
        targets = self.studio.preset_targets(session, preset.request)
        values = slider_values(self.studio.atlas, targets)
        return {slider: values[zone] for zone, slider in self.sliders.items()}

    def _moved(self, request: gr.Request, *values: float) -> Any:
        session = self._session(request)
        if session.photo is None:
            return gr.skip()
        positions = dict(zip(self.sliders, values, strict=True))
        if not session.ask(slider_request(self.studio.atlas, session.view, positions, session.face)):
            return gr.skip()
        return self._preview(session)

    def _painted(self, request: gr.Request) -> Any:
        """The drawing itself has come by the address of `downloads`."""
        return self._preview(self._session(request))

    def _others(self, request: gr.Request) -> Any:
        session = self._session(request)
        session.draw_others()
        return self._preview(session)

    def _preview(self, session: Session) -> Any:
        with self.studio.exclusive:
            # What an earlier change waited for may have been this one's full picture, and have come before it.
            after = None if session.finished == session.revision else self.studio.preview(session)
            if after is None:
                return gr.skip()
            said = messages.status("Preview; the full picture follows.")
            return {**self.views.preview(session, session.save("preview", after)), self.status: said}

    async def _finish(self, request: gr.Request) -> Any:
        session = self._session(request)
        revision = session.revision
        if session.photo is None or session.finished == revision:
            return gr.skip()
        await asyncio.sleep(REST_SECONDS)
        # In a thread, so that the page goes on answering.
        return await asyncio.to_thread(self._full, session, revision)

    def _full(self, session: Session, revision: int) -> Any:
        with self.studio.exclusive:
            aged = self.studio.full(session, revision)
            if aged is None or session.photo is None or session.finished == revision:
                return gr.skip()
            session.finished = revision
            after = shown(aged.image, session.photo.name, session.view.report.region)
            message = "Nothing is changed." if session.unchanged else "Done: every pixel at full resolution."
            return {
                **self.views.full(session, session.save("after", after), after),
                self.downloads: messages.links(None if session.unchanged else session, self.studio.model),
                self.status: messages.status(message),
            }


# "As it is" means the painting too.
_UNPAINT = "document.dispatchEvent(new Event('amgan-unpaint'))"

# Nothing of this is an interface for programs: that is amgan's Python.
_QUIET: dict[str, Any] = {"api_visibility": "private"}


async def _stay() -> AsyncIterator[None]:
    """Is under way as long as the page is open, so that Gradio keeps its stream of answers to the page open.

    Else it closes the stream whenever nothing is under way, and what the page asks just then is never answered.
    """
    while True:
        yield
        await asyncio.sleep(STAY_SECONDS)
