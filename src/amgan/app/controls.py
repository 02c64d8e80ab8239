"""The sliders of the page, by place on the face."""

from __future__ import annotations

import gradio as gr

from amgan.maps.places import signs_by_place
from amgan.signs.atlas import AGE, Atlas

SIDES = ("left", "right")


def age_slider(atlas: Atlas) -> gr.Slider:
    """The slider of the apparent age, in years."""
    low, high = sorted(atlas.age.grades)
    with gr.Group(elem_classes="place"):
        return gr.Slider(
            low,
            high,
            value=low,
            step=1,
            label="Age in years: hair, brows, skin between signs",
            info=" ",
            interactive=False,
            buttons=[],
            elem_id=f"slider-{AGE}",
        )


def place_sliders(atlas: Atlas) -> dict[str, gr.Slider]:
    """One slider a zone, both sides of a sign in one row, under the heading of its place.

    Returns:
        Zone, in the atlas's order, to slider.
    """
    sliders = {}
    for place, signs in signs_by_place(atlas).items():
        if not signs:
            continue
        with gr.Group(elem_classes="place"):
            gr.HTML(f"<h2>{place}</h2>", padding=True)
            for sign in signs:
                with gr.Row(elem_classes="sign"):
                    for zone in atlas.zones_of(sign):
                        sliders[zone] = _score_slider(atlas, zone)
    return {zone: sliders[zone] for zone in atlas.zones}


def _score_slider(atlas: Atlas, zone: str) -> gr.Slider:
    sign, _, side = zone.partition(".")
    label = atlas.signs[sign].label
    return gr.Slider(
        0,
        1,
        value=0,
        step=0.01,
        label=f"{label}, {side}" if side else label,
        info=" ",
        interactive=False,
        buttons=[],
        min_width=130,
        elem_id=f"slider-{zone.replace('.', '-')}",
    )
