"""Makes a study: crops of faces and of what a model made of them, on sheets that do not say which is which."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from amgan.data.curation.limits import Limits
from amgan.data.store import SIZE, Store
from amgan.errors import DatasetError, OutputError, PhotoError, WeightsError
from amgan.evaluation.adapters import Adapter
from amgan.evaluation.panel import design
from amgan.evaluation.panel.crops import Rgb, window_of
from amgan.evaluation.panel.design import Face, Settings
from amgan.evaluation.panel.forms import write_form
from amgan.evaluation.panel.instructions import instructions
from amgan.evaluation.panel.key import KEY, Key, PairKey, RatingKey, write_key
from amgan.evaluation.panel.layout import Material, calibration_sheet, name_of, pair_sheets, rating_sheets
from amgan.evaluation.protocol import OLDER, YOUNGER, Aim, faces_that_count
from amgan.evaluation.run import Progress
from amgan.faces.output import check_output
from amgan.signs.atlas import AGE, Atlas
from amgan.signs.levels import OLD, YOUNG

SHEETS, FORMS, CALIBRATION, README = "sheets", "forms", "calibration", "README.txt"


@dataclass(frozen=True)
class Panel:
    """A study, not written yet.

    Attributes:
        key: What is what.
        sheets: File to picture.
        calibration: As above, of real people at known grades.
        readme: For the raters.
        left_out: People whose photo the model could make nothing of.
    """

    key: Key
    sheets: dict[str, Image.Image]
    calibration: dict[str, Image.Image]
    readme: str
    left_out: list[str]


def aims_of(levels: Sequence[float], atlas: Atlas) -> list[Aim]:
    """All signs and the age at each level; those of `amgan evaluate` are called as there."""
    names = {YOUNG: YOUNGER, OLD: OLDER}
    zones = (*atlas.zones, AGE)
    return [Aim(names.get(level, f"all-{level:g}"), dict.fromkeys(zones, level)) for level in levels]


def check_places(folder: Path, key: Path) -> None:
    """Finds out, before any work, whether a study can be written.

    Raises:
        OutputError: One of the two is there already or cannot be written, or the key would lie among what raters get.
    """
    if key.resolve().is_relative_to(folder.resolve()):
        raise OutputError(f"{key}: lies in {folder}, which raters get; choose another folder for the key")
    if folder.exists() and not (folder.is_dir() and not any(folder.iterdir())):
        raise OutputError(f"{folder}: is there and not empty; choose another DIR")
    if (key / KEY).exists() or (key.exists() and not key.is_dir()):
        raise OutputError(f"{key / KEY if key.is_dir() else key}: is there already; choose another folder for the key")
    for path in (folder / README, key / KEY):
        check_output(path, suffixes=(path.suffix,))


def make_panel(
    store: Store, adapter: Adapter, settings: Settings, limits: Limits, data: Path, progress: Progress[Any]
) -> Panel:
    """Draws the people, has their faces aged, and lays the sheets out.

    Args:
        store: Prepared faces.
        adapter: The model; left open.
        settings: Of the study.
        limits: Which faces count.
        data: Folder of the set, for the key.
        progress: Wraps what takes time.

    Raises:
        DatasetError: Too few people.
        WeightsError: The model did not make a picture that is wanted.
    """
    atlas, rng = adapter.atlas, np.random.default_rng(settings.seed)
    of_split = [(i, row) for i, row in enumerate(store.rows) if row.split == settings.split]
    if settings.pairs:
        of_split = [face for face in of_split if design.is_young(face[1], atlas)]
    counted, _ = faces_that_count(progress(of_split, "which faces count", len(of_split)), limits, atlas)
    people = design.one_photo_a_person(counted, rng)
    wanted = "take another --split, fewer --faces, or wider --limits"
    if len(people) < settings.faces:
        young = f" under {design.OLD_YEARS}" if settings.pairs else ""
        raise DatasetError(
            f"{data}: {len(people)} people{young} of {settings.split} count, not {settings.faces}; {wanted}"
        )
    faces, pictures, left_out = _aged(store, adapter, people, settings, aims_of(settings.levels, atlas), progress)
    if len(faces) < settings.faces:
        raise DatasetError(
            f"{data}: the model found a face on {len(faces)} people only, not {settings.faces}; {wanted}"
        )
    kept_out = frozenset(row.identity for _, row in faces)
    others = _others(store, settings, kept_out, limits, atlas, rng, progress)
    shown = [index for index, _ in [*faces, *(face for of in others.values() for face in of)]]
    windows = {sign: window_of(atlas, sign, (store.landmarks[i] for i in shown), SIZE) for sign in settings.signs}
    material = Material(store, atlas, settings, windows, faces, pictures, others, rng)
    about = {
        "model": adapter.name,
        "fingerprint": adapter.fingerprint,
        "data": str(data),
        "split": settings.split,
        "seed": settings.seed,
    }
    if settings.pairs:
        sheets, pairs = pair_sheets(material)
        key: Key = PairKey(panel=name_of(sheets.values()), **about, pairs=pairs)
        return Panel(key, sheets, {}, instructions(key, settings), left_out)
    sheets, crops = rating_sheets(material)
    calibration = {f"{sign}.png": calibration_sheet(material, sign) for sign in settings.signs if others[sign]}
    key = RatingKey(panel=name_of(sheets.values()), **about, crops=crops)
    return Panel(key, sheets, calibration, instructions(key, settings), left_out)


def write_panel(panel: Panel, folder: Path, key: Path) -> None:
    """Writes what raters get into a folder, and the key into another.

    Raises:
        OutputError: As `check_places`, or the disk is full.
    """
    check_places(folder, key)
    numbers: dict[str, list[int]] = {}
    for one in panel.key.pairs if isinstance(panel.key, PairKey) else panel.key.crops:
        numbers.setdefault(one.sign, []).append(one.number)
    try:
        # First, since sheets without a key are lost work.
        write_key(panel.key, key / KEY)
        for part, pictures in ((SHEETS, panel.sheets), (CALIBRATION, panel.calibration)):
            for name, picture in pictures.items():
                (folder / part).mkdir(parents=True, exist_ok=True)
                picture.save(folder / part / name)
        for sign, of_sign in numbers.items():
            write_form(folder / FORMS / f"{sign}.csv", panel.key.panel, of_sign, isinstance(panel.key, PairKey))
        (folder / README).write_text(panel.readme, encoding="utf-8")
    except OSError as error:
        raise OutputError(f"{folder}: the study cannot be written ({error}); try another place") from error


def _aged(
    store: Store,
    adapter: Adapter,
    people: Sequence[Face],
    settings: Settings,
    aims: Sequence[Aim],
    progress: Progress[Any],
) -> tuple[list[Face], list[list[Rgb]], list[str]]:
    """As many faces as are wanted, with their pictures, one a level; and the photos that the model failed on."""
    faces: list[Face] = []
    pictures: list[list[Rgb]] = []
    left_out: list[str] = []
    waiting = iter(people)
    for _ in progress(range(settings.faces), "faces", settings.faces):
        for index, row in waiting:
            try:
                made = list(adapter.pictures(store.images[index], row.name, aims))
            except PhotoError:
                left_out.append(row.name)
                continue
            there = [picture for picture in made if picture is not None]
            if len(there) < len(aims):
                missing = next(aim.kind for aim, picture in zip(aims, made, strict=True) if picture is None)
                raise WeightsError(
                    f"{adapter.name}: no picture {missing}/ of {row.name}; `amgan evaluate --inputs` says what to make"
                )
            faces.append((index, row))
            pictures.append(there)
            break
    return faces, pictures, left_out


def _others(
    store: Store,
    settings: Settings,
    kept_out: frozenset[str],
    limits: Limits,
    atlas: Atlas,
    rng: np.random.Generator,
    progress: Progress[Any],
) -> dict[str, list[Face]]:
    """Sign to people outside of the study: those of the calibration sheet, or all who may be the real one of a pair."""
    rows = list(enumerate(store.rows))
    zones = {sign: atlas.zones_of(sign)[0] for sign in settings.signs}
    if settings.pairs:
        old = {
            sign: [face for face in rows if face[1].identity not in kept_out and design.is_clear(face[1], zone, atlas)]
            for sign, zone in zones.items()
        }
        usable = _usable([face for of in old.values() for face in of], limits, atlas, progress)
        return {sign: [face for face in of if face[0] in usable] for sign, of in old.items()}
    near = {sign: design.calibration_candidates(rows, zone, kept_out, rng) for sign, zone in zones.items()}
    faces = [face for of_sign in near.values() for of in of_sign.values() for face in of]
    usable = _usable(faces, limits, atlas, progress)
    return {sign: design.chosen_examples(of, usable) for sign, of in near.items()}


def _usable(faces: Iterable[Face], limits: Limits, atlas: Atlas, progress: Progress[Any]) -> frozenset[int]:
    once = list(dict(faces).items())
    counted, _ = faces_that_count(progress(once, "real people to compare with", len(once)), limits, atlas)
    return frozenset(index for index, _ in counted)
