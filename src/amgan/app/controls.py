"""The sliders of the page, by place on the face."""

from __future__ import annotations

import gradio as gr

from amgan.maps.places import signs_by_place
from amgan.maps.sides import sides_of
from amgan.signs.atlas import AGE, Atlas


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


def place_sliders(atlas: Atlas, halves: bool) -> dict[str, gr.Slider]:
    """A slider for each side of each sign, both in one row, under the heading of the sign's place.

    Args:
        atlas: Signs of the model.
        halves: Whether the model can change half a zone; else a sign with one zone over both sides has one slider.

    Returns:
        Name of what it sets, as `Atlas.targets_of` knows it, in the atlas's order, to slider.
    """
    sliders = {}
    aimed = {sign: sides_of(sign) if halves else atlas.zones_of(sign) for sign in atlas.signs}
    for place, signs in signs_by_place(atlas).items():
        if not signs:
            continue
        with gr.Group(elem_classes="place"):
            gr.HTML(f"<h2>{place}</h2>", padding=True)
            for sign in signs:
                with gr.Row(elem_classes="sign"):
                    for name in aimed[sign]:
                        sliders[name] = _score_slider(atlas, name)
    return {name: sliders[name] for names in aimed.values() for name in names}


def _score_slider(atlas: Atlas, name: str) -> gr.Slider:
    sign, _, side = name.partition(".")
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
        elem_id=f"slider-{name.replace('.', '-')}",
    )
