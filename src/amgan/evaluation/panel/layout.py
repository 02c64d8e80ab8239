"""The sheets of a study, and what each of their numbers is."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from amgan.data.store import Store
from amgan.data.table import Row
from amgan.errors import DatasetError
from amgan.evaluation.panel import design
from amgan.evaluation.panel.crops import Rgb, Window
from amgan.evaluation.panel.design import Face, Settings
from amgan.evaluation.panel.key import Crop, Pair
from amgan.evaluation.panel.sheets import sheet
from amgan.signs.atlas import Atlas


@dataclass(frozen=True)
class Material:
    """What sheets are made of.

    Attributes:
        store: Prepared faces.
        atlas: The signs.
        settings: Of the study.
        windows: Sign to what is cut out.
        faces: People of the study.
        pictures: Of each of them one a level, (1024, 1024, 3) uint8.
        others: Sign to people outside of the study, to calibrate by or to compare with.
        rng: Draws.
    """

    store: Store
    atlas: Atlas
    settings: Settings
    windows: Mapping[str, Window]
    faces: Sequence[Face]
    pictures: Sequence[Sequence[Rgb]]
    others: Mapping[str, Sequence[Face]]
    rng: np.random.Generator

    def crop(self, sign: str, index: int, picture: Rgb | None = None) -> Rgb:
        """The crop of a sign.

        Args:
            sign: Which.
            index: Place of the face in the store.
            picture: What was made of it; None for itself.
        """
        rgb = self.store.images[index] if picture is None else picture
        return self.windows[sign].cut(rgb, self.store.landmarks[index], self.atlas)

    def grade(self, sign: str, row: Row) -> float:
        """What a person graded the zone that is shown, of 100; NaN if nobody did."""
        return design.grade_of(row, self.windows[sign].zone)

    def label(self, sign: str) -> str:
        """A sign as raters know it."""
        return self.atlas.signs[sign].label


def rating_sheets(material: Material) -> tuple[dict[str, Image.Image], list[Crop]]:
    """File to sheet of originals and made faces, and what their numbers are."""
    settings, faces = material.settings, material.faces
    versions: tuple[float | None, ...] = (None, *settings.levels)
    drawn: dict[str, Image.Image] = {}
    crops: list[Crop] = []
    for sign in settings.signs:
        dealt = design.spread_over_sheets(len(faces), len(versions), settings.per_sheet, material.rng)
        for place, of_sheet in enumerate(dealt, start=1):
            file, tiles, labels = f"{sign}-{place}.png", [], []
            for face, version in of_sheet:
                index, row = faces[face]
                grade = material.grade(sign, row)
                crop = Crop(
                    number=len(crops) + 1,
                    sheet=file,
                    sign=sign,
                    face=row.name,
                    person=row.identity,
                    target=versions[version],
                    grade=None if np.isnan(grade) else round(grade, 2),
                )
                crops.append(crop)
                tiles.append([material.crop(sign, index, material.pictures[face][version - 1] if version else None)])
                labels.append(str(crop.number))
            drawn[file] = sheet(tiles, labels, f"{material.label(sign)}, sheet {place} of {len(dealt)}")
    return drawn, crops


def pair_sheets(material: Material) -> tuple[dict[str, Image.Image], list[Pair]]:
    """File to sheet of pairs, and what their numbers are.

    Raises:
        DatasetError: A sign has no real old skin to compare with.
    """
    settings, rng = material.settings, material.rng
    drawn: dict[str, Image.Image] = {}
    pairs: list[Pair] = []
    for sign in settings.signs:
        zone = material.windows[sign].zone
        order = rng.permutation(len(material.faces)).tolist()
        order = [i for i in order if zone not in material.faces[i][1].occluded]
        others = design.matched([material.faces[i][1] for i in order], material.others[sign], rng)
        if not others:
            raise DatasetError(
                f"{sign}: nobody of {design.OLD_YEARS} years and older with a grade of at least {design.CLEAR} of 100 "
                "to compare with; leave it out by naming others with --sign"
            )
        # As often left as right, so that a rater who always says the same is right half of the time.
        made_left = rng.permutation(np.arange(len(others)) % 2 == 0).tolist()
        count = math.ceil(len(others) / settings.per_sheet)
        for place, of_sheet in enumerate(np.array_split(np.arange(len(others)), count), start=1):
            file, tiles, labels = f"{sign}-{place}.png", [], []
            for i in of_sheet.tolist():
                (index, row), (other, real) = material.faces[order[i]], others[i]
                pair = Pair(
                    number=len(pairs) + 1,
                    sheet=file,
                    sign=sign,
                    made="left" if made_left[i] else "right",
                    face=row.name,
                    person=row.identity,
                    target=settings.levels[0],
                    real=real.name,
                    grade=round(material.grade(sign, real), 2),
                )
                pairs.append(pair)
                both = [material.crop(sign, index, material.pictures[order[i]][0]), material.crop(sign, other)]
                tiles.append(both if made_left[i] else both[::-1])
                labels.append(str(pair.number))
            drawn[file] = sheet(tiles, labels, f"{material.label(sign)}, sheet {place} of {count}")
    return drawn, pairs


def calibration_sheet(material: Material, sign: str) -> Image.Image:
    """Real people outside of the study at known grades, from mild to severe."""
    examples = sorted(material.others[sign], key=lambda face: material.grade(sign, face[1]))
    tiles = [[material.crop(sign, index)] for index, _ in examples]
    labels = [f"{material.grade(sign, row):.0f}" for _, row in examples]
    return sheet(tiles, labels, f"{material.label(sign)}: real people at known severity, of 100")


def name_of(sheets: Iterable[Image.Image]) -> str:
    """A name for the study that says nothing but what the sheets show."""
    digest = hashlib.sha256()
    for picture in sheets:
        digest.update(picture.tobytes())
    return digest.hexdigest()[:8]
