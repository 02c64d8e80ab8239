"""What happens to the pictures themselves: colour, fine detail, lattice, background."""

from __future__ import annotations

from amgan.evaluation.protocol import OLDER, YOUNGER
from amgan.evaluation.totals.figure import Faces, Figure, of_kind

NAN = float("nan")


def pictures(faces: Faces) -> list[Figure]:
    """Colour drift, energy of fine detail beside that of a blur, lattice, bit-exact background."""
    figures: list[Figure] = []
    for kind in (YOUNGER, OLDER):
        figures += faces.figure(
            f"colour.{kind}",
            f"colour change of the skin (CIELAB a*b*), {kind}",
            of_kind("colour", kind),
            1.5,
            "less",
        )
    for kind in (YOUNGER, OLDER, "blurred", "sharpened"):
        figures += faces.figure(
            f"detail.{kind}",
            f"energy of fine detail over the original's, {kind}, median",
            of_kind("detail", kind),
            statistic="median",
        )
    for kind in (YOUNGER, OLDER):
        figures += faces.figure(
            f"grid.{kind}",
            f"lattice in the change (about 1 to 3 without one), {kind}, median",
            of_kind("grid", kind),
            statistic="median",
        )
    return figures + faces.figure(
        "background",
        "share of faces whose background is bit-exact",
        lambda _, f: float(max(f.background.values()) == 0) if f.background else NAN,
        None,
        "more",
    )
