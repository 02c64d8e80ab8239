"""Ready-made requests of the page: younger, older, and the maps of the paper's figures 7 and 9."""

from __future__ import annotations

from dataclasses import dataclass

from amgan.app.places import BOTTOM, TOP, Place, signs_by_place
from amgan.inference.request import Request
from amgan.signs.atlas import Atlas

# Not 0 and 1: hardly any face of the training photos lies at the very ends.
YOUNG, OLD = 0.1, 0.9

_UNDER_EYE, _FOLD, _CORNER = "under_eye_wrinkles", "nasolabial_fold", "lip_corner_wrinkles"


@dataclass(frozen=True)
class Preset:
    """A request with the name it has on the page."""

    title: str
    request: Request


def common_presets(atlas: Atlas) -> list[Preset]:
    """What most people ask for; all signs without the age is the paper's figure 7."""
    return [
        Preset("As it is", Request()),
        Preset("Younger", Request(every=YOUNG)),
        Preset("Older", Request(every=OLD)),
        Preset("All but the hair", Request(signs=dict.fromkeys(atlas.signs, OLD))),
    ]


def figure_presets(atlas: Atlas) -> list[Preset]:
    """The aging maps of the paper's figure 9, as far as the atlas has their signs."""
    spared = {f"{sign}.right" for sign in (_UNDER_EYE, _FOLD, _CORNER)}
    young = {zone: YOUNG for zone in atlas.zones if zone not in spared}
    presets = [
        Preset("a: as it is", Request()),
        Preset("b: younger, but for three signs on the right", Request(atlas.age.grade(YOUNG), young)),
        Preset("c: older at the bottom", Request(signs=_signs_in(atlas, BOTTOM))),
        Preset("d: older at the top", Request(signs=_signs_in(atlas, TOP))),
        Preset("e: older under the eyes", Request(signs={_UNDER_EYE: OLD})),
        Preset("f: right eye and left fold", Request(signs={f"{_UNDER_EYE}.right": OLD, f"{_FOLD}.left": OLD})),
    ]
    missing = spared - set(atlas.zones)
    return presets if not missing else [p for p in presets if p.title[0] in "acd"]


def _signs_in(atlas: Atlas, places: tuple[Place, ...]) -> dict[str, float]:
    found = signs_by_place(atlas)
    return {sign: OLD for place in places for sign in found[place]}
