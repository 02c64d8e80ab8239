"""The part of the page that shows the chosen face: compared, painted on, what changed, its zones and its map."""

from __future__ import annotations

from typing import Any

import gradio as gr

from amgan.app.painting import coloured_map
from amgan.app.pictures import Rgb, map_picture, zones_picture
from amgan.app.session import Session
from amgan.app.studio import Studio
from amgan.app.sweep_panel import SweepPanel, Updates
from amgan.app.widgets import compared, painted_on, widget
from amgan.inference.views import GAIN, difference


class ViewsPanel:
    """Its tabs, within the `Blocks` where it is made.

    Args:
        studio: Does the work.

    Attributes:
        tabs: All of it.
        painter: The brush; its event `input` says that another drawing was sent.
        sweep: The tab that makes strips and clips.
        at_once: What changes with a preview too.
        pictures: What changes with the full picture.
    """

    def __init__(self, studio: Studio) -> None:
        self.studio = studio
        # A model whose maps have no places cannot be told where.
        paints = studio.ager.bundle.generator.config.knows_places
        with gr.Tabs(visible=False, elem_id="views") as self.tabs:
            with gr.Tab("Compare", elem_id="tab-compare"):
                self.compare = widget("compare")
            # Kept on the page while another tab is open, and what is painted with it.
            with gr.Tab("Paint", elem_id="tab-paint", render_children=True, visible=paints):
                self.painter = widget("painter")
            with gr.Tab("Difference", elem_id="tab-difference"):
                self.difference = _picture(f"What changed, {GAIN} times as strong; grey is unchanged.", "difference")
            with gr.Tab("Map", elem_id="tab-map"):
                self.zones = _picture("The zone of each sign, with the score aimed at.", "zones")
                self.map = _picture("The aging map that is aimed at; white is 1.", "map")
            with gr.Tab("Sweep", elem_id="tab-sweep", render_children=True):
                self.sweep = SweepPanel(studio)
        self.at_once: list[Any] = [self.compare, self.painter]
        self.pictures: list[Any] = [*self.at_once, self.difference, self.zones, self.map]

    def listen(self, quiet: dict[str, Any]) -> None:
        """Has its parts act; `quiet` are Gradio's options of every listener."""
        # On a telephone a tall tab does not stay in sight while one scrolls, so it is brought there when it is opened.
        self.tabs.select(None, js=f"() => {{ {_INTO_SIGHT} }}", **quiet)
        self.sweep.listen(quiet)

    @property
    def everything(self) -> list[Any]:
        """All that another face changes."""
        return [self.tabs, *self.pictures, *self.sweep.empty()]

    def empty(self) -> Updates:
        """Without a face."""
        return {self.tabs: gr.update(visible=False), **dict.fromkeys(self.pictures), **self.sweep.empty()}

    def fresh(self, session: Session) -> Updates:
        """Of a face that was just chosen."""
        assert session.before is not None
        pictures = self.full(session, session.before_file, session.before)
        return {self.tabs: gr.update(visible=True), **pictures, **self.sweep.empty()}

    def preview(self, session: Session, path: str) -> Updates:
        """With another picture of the face, which `path` is."""
        coloured = coloured_map(self.studio.ager.bundle, session.view, self.studio.targets(session))
        painter = painted_on(session, path, session.save("coloured", coloured))
        return {self.compare: compared(session, path), self.painter: painter}

    def full(self, session: Session, path: str, after: Rgb) -> Updates:
        """As `preview`, and with all that is made of the picture, whose pixels `after` are."""
        assert session.before is not None
        bundle, targets = self.studio.ager.bundle, self.studio.targets(session)
        return {
            **self.preview(session, path),
            self.difference: session.save("difference", difference(session.before, after)),
            self.zones: session.save("zones", zones_picture(bundle, session.before, session.view, targets)),
            self.map: session.save("map", map_picture(bundle, session.view, targets, session.laid)),
        }


_INTO_SIGHT = """setTimeout(() => {
    const views = document.getElementById('views');
    if (views.getBoundingClientRect().top < 0) views.scrollIntoView();
}, 50);"""


def _picture(caption: str, name: str) -> gr.Image:
    """A picture under its caption, which is also what a screen reader says."""
    gr.HTML(f"<p>{caption}</p>", elem_classes="caption")
    return gr.Image(
        label=caption, show_label=False, interactive=False, buttons=["fullscreen"], elem_id=name, alt_text=caption
    )
