"""Where on the face each sign lies: for the sliders of the page, and to age the top or the bottom alone (figure 9)."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from amgan.maps.packing import reference_landmarks
from amgan.signs.atlas import Atlas
from amgan.signs.zones import polygon_points

Place = Literal["Forehead", "Eyes", "Cheeks", "Mouth and jaw"]
PLACES: tuple[Place, ...] = get_args(Place)
TOP, BOTTOM = PLACES[:2], PLACES[2:]

# MediaPipe landmarks at whose heights, from the top, one place ends and the next begins: the upper eyelid, the end of
# the eye's surroundings, and the middle between the base of the nose and the lip.
_LID, _BELOW_EYE, _NOSE_BASE, _LIP = 159, 119, 2, 0


def signs_by_place(atlas: Atlas) -> dict[Place, list[str]]:
    """Signs of each place in the atlas's order, by the height of their zones on the reference face.

    It is measured, not listed, so that a sign that a user adds to an atlas has its slider too.

    Returns:
        Every place, from the top of the face down; a place may have none.
    """
    face = reference_landmarks()
    edges = [float(face[_LID, 1]), float(face[_BELOW_EYE, 1]), float(face[[_NOSE_BASE, _LIP], 1].mean())]
    places: dict[Place, list[str]] = {place: [] for place in PLACES}
    for sign in atlas.signs:
        polygons = [polygon for zone in atlas.zones_of(sign) for polygon in atlas.polygons(zone)]
        height = np.concatenate([polygon_points(polygon, face) for polygon in polygons])[:, 1].mean()
        places[PLACES[int(np.searchsorted(edges, height))]].append(sign)
    return places
