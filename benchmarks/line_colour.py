"""How much each colour changes in lines and folds, to how much light does: on old faces, and in what a model lays.

Each zone's lines are what is between two blurs, in logarithms, on skin; given are the slopes of red, green and blue on
light, medians over zones. A dark line on skin is red: light comes out of it that went through skin.

``.venv/bin/python benchmarks/line_colour.py DATA [--model DIR] [--faces 40]``
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from amgan import Ager
from amgan.data.dataset import read_rows
from amgan.errors import NoFaceError
from amgan.faces.light import DARK, LUMA
from amgan.inference.change import face_change
from amgan.inference.views import FaceView
from amgan.maps.arrays import grown
from amgan.signs.atlas import unit_atlas

Array = npt.NDArray[np.float32]
OLD, YOUNG, ASKED = 55.0, 45.0, 0.9
# Deviations of the two blurs, pixels of a face of 1024.
BANDS = {"lines": (1.5, 8.0), "folds": (8.0, 25.0)}
# Less of a zone than so many pixels is not looked at.
LEAST = 500


def slopes(logs: Array, face: FaceView, zones: list[str]) -> dict[tuple[str, str], Array]:
    """Sign and band to slopes (3,) of one face's colours on light.

    Args:
        logs: (S, S, 3).
        face: Where its skin and zones are.
        zones: Their names.
    """
    side = len(face.rgb)
    skin, *masks = grown(np.concatenate([face.masks.skin[None], face.masks.zones])[None], (side, side))[0]
    skin = np.where(skin > 0.9, np.float32(1), np.float32(0))
    found: dict[tuple[str, str], list[Array]] = defaultdict(list)
    for band, deviations in BANDS.items():
        finer, coarser = (
            cv2.GaussianBlur(logs * skin[..., None], (0, 0), deviation)
            / (cv2.GaussianBlur(skin, (0, 0), deviation)[..., None] + np.float32(1e-3))
            for deviation in deviations
        )
        for zone, mask in zip(zones, masks, strict=True):
            here = (mask > 0.5) & (skin > 0)
            if here.sum() >= LEAST:
                lines = (finer - coarser)[here]
                light = lines @ LUMA
                found[zone.split(".")[0], band].append((light @ lines) / (light @ light))
    return {key: np.mean(each, axis=0) for key, each in found.items()}


def logarithms(picture: Array) -> Array:
    """Of a picture (S, S, 3) in -1..1."""
    return np.asarray(np.log((picture.clip(-1, 1) + 1) / 2 + np.float32(DARK)), np.float32)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--model", type=Path)
    parser.add_argument("--faces", type=int, default=40)
    given = parser.parse_args()
    rows, grade = read_rows(given.data, unit_atlas()), unit_atlas().age.grade
    old = [row for row in rows if row.split == "train" and grade(row.age) >= OLD]
    young = [row for row in rows if row.split == "val" and grade(row.age) < YOUNG]
    found: dict[str, dict[tuple[str, str], list[Array]]] = {}
    with Ager(given.model) as ager:
        zones = list(ager.bundle.atlas.zones)
        for what, chosen in (("of old faces", old), ("laid on young ones", young)):
            found[what] = defaultdict(list)
            for row in chosen[:: max(len(chosen) // given.faces, 1)][: given.faces]:
                try:
                    face = ager.analyze(row.path)[0]
                except NoFaceError:
                    continue
                picture = face.rgb.astype(np.float32) / np.float32(127.5) - 1
                logs = logarithms(picture)
                if chosen is young:
                    change = face.wide.of_face(face_change(ager.bundle, face, dict.fromkeys(face.scores, ASKED)))
                    logs = logarithms(picture + change) - logs
                for key, slope in slopes(logs, face, zones).items():
                    found[what][key].append(slope)
    print(f"| sign | band | {' | '.join(f'{what}: red, green, blue' for what in found)} |\n|---|---|---|---|")
    for sign, band in sorted(found["of old faces"]):
        medians = (np.median(each[sign, band], axis=0) for each in found.values())
        print(f"| {sign} | {band} | {' | '.join(', '.join(f'{v:.2f}' for v in median) for median in medians)} |")


if __name__ == "__main__":
    main()
