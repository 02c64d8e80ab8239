"""Ready-made requests of the page: younger, older, and the maps of the paper's figures 7 and 9."""

from __future__ import annotations

from dataclasses import dataclass

from amgan.inference.figure9 import figure_9
from amgan.inference.request import Request
from amgan.signs.atlas import Atlas
from amgan.signs.levels import OLD, YOUNG

_TITLES = {
    "a": "as it is",
    "b": "younger, but for three signs on the right",
    "c": "older at the bottom",
    "d": "older at the top",
    "e": "older under the eyes",
    "f": "right eye and left fold",
}


@dataclass(frozen=True)
class Preset:
    """A request with the name it has on the page."""

    title: str
    request: Request


def common_presets(atlas: Atlas, signs: bool = True) -> list[Preset]:
    """What most people ask for; all signs without the age is the paper's figure 7, for a model that knows `signs`."""
    presets = [
        Preset("As it is", Request()),
        Preset("Younger", Request(every=YOUNG)),
        Preset("Older", Request(every=OLD)),
    ]
    if signs:
        presets.append(Preset("All but the hair", Request(signs=dict.fromkeys(atlas.signs, OLD))))
    return presets


def figure_presets(atlas: Atlas) -> list[Preset]:
    """The aging maps of the paper's figure 9, as far as the atlas has their signs."""
    return [Preset(f"{letter}: {_TITLES[letter]}", asked) for letter, asked in figure_9(atlas, YOUNG, OLD).items()]
