"""Everything that is measured on one face: the pictures a model made of it, before all judges."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from amgan.data.curation.files import aligned_name
from amgan.errors import PhotoError
from amgan.evaluation.adapters import Adapter
from amgan.evaluation.judges.cross import sign_crops
from amgan.evaluation.judging import Judges
from amgan.evaluation.measures.colour import colour_change
from amgan.evaluation.measures.controls import controls
from amgan.evaluation.measures.detail import fine_energy_ratio, grid_strength
from amgan.evaluation.measures.locality import inside_over_rest, stray
from amgan.evaluation.protocol import DRAWN, LEVELS, OLDER, TALK, YOUNGER, Plan, swept
from amgan.faces.align import at_side
from amgan.faces.parsing import FaceParser
from amgan.maps.arrays import grown
from amgan.signs.atlas import Atlas
from amgan.signs.zones import rasterise, zone_masks

Rgb = npt.NDArray[np.uint8]
ORIGINAL = "original"
# Folder of the strips in that of an evaluation.
PICTURES = "pictures"
SHOWN = (YOUNGER, ORIGINAL, OLDER, DRAWN)
# Side of a face on a strip, and of a zone on the strip of a sweep, pixels.
TILE, CROP = 384, 160
# How far around hair and skin the person may reach, pixels of the parser's picture.
AROUND = 3


@dataclass(frozen=True)
class Found:
    """What was found on one face; by kind of picture unless said otherwise. What a model did not make is absent.

    Attributes:
        name: Of the photo.
        error: Why there is nothing, "" if there is.
        signs: To sign to score.
        ages: To judge to years.
        embedding: (128,) of the original, for the identity.
        distance: Of the identity from the original.
        colour: Change of the skin's colour, CIELAB.
        detail: Energy of fine detail over that of the original.
        grid: Strength of a lattice in the change.
        background: Largest change beside the person, grey levels.
        features: To network to its features, base64 of float32.
        sweeps: Sign to ``scores`` (its own at each of `LEVELS`), ``first`` and ``last`` (all signs at `TALK`), and
            ``inside`` (change in its zones over the rest of the head, at the end of `LEVELS` that is farther).
    """

    name: str
    error: str = ""
    signs: dict[str, dict[str, float]] = field(default_factory=dict)
    ages: dict[str, dict[str, float]] = field(default_factory=dict)
    embedding: list[float] = field(default_factory=list)
    distance: dict[str, float] = field(default_factory=dict)
    colour: dict[str, float] = field(default_factory=dict)
    detail: dict[str, float] = field(default_factory=dict)
    grid: dict[str, float] = field(default_factory=dict)
    background: dict[str, int] = field(default_factory=dict)
    features: dict[str, dict[str, str]] = field(default_factory=dict)
    sweeps: dict[str, dict[str, Any]] = field(default_factory=dict)


def decode(features: str) -> npt.NDArray[np.float32]:
    """The features (D,) that `Found.features` holds as text."""
    return np.frombuffer(base64.b64decode(features), "<f4")


def measure_face(
    plan: Plan,
    face: Rgb,
    landmarks: npt.NDArray[np.float32],
    adapter: Adapter,
    judges: Judges,
    atlas: Atlas,
    pictures: Path,
) -> Found:
    """Has one face aged and judged.

    Args:
        plan: What is asked of it.
        face: (1024, 1024, 3) uint8, aligned.
        landmarks: (478, 2) in it.
        adapter: The model.
        judges: All judges.
        atlas: The signs.
        pictures: File to write the strip of the main pictures to, a JPEG.

    Returns:
        What was found; of a face the model cannot make anything of, the error alone.
    """
    aims = plan.aims(atlas)
    try:
        made = {a.kind: p for a, p in zip(aims, adapter.pictures(face, plan.row.name, aims), strict=True)}
    except PhotoError as error:
        return Found(plan.row.name, error=str(error))
    there: dict[str, Rgb] = {kind: picture for kind, picture in made.items() if picture is not None}
    main: dict[str, Rgb] = {ORIGINAL: face} | {k: there[k] for k in (YOUNGER, OLDER, DRAWN) if k in there}
    edited = {kind: rgb for kind, rgb in main.items() if kind != ORIGINAL}
    extra = controls(face, len(face)) if plan.controlled else {}
    size = len(face)
    # Their edges are soft: at half the size they take a sixth of the time.
    masks = zone_masks(atlas, landmarks, size, size // 2)
    skin, head = grown(np.stack([masks.skin, masks.head])[None], (size, size))[0]
    bare, on_head = skin > 0.5, head > 0.5
    outline = person(face, landmarks, atlas, judges.parser)
    (left, top), (right, bottom) = landmarks.min(axis=0).tolist(), landmarks.max(axis=0).tolist()
    box = (left, top, right, bottom)

    def score(rgb: Rgb, signs: Sequence[str] | None = None) -> dict[str, float]:
        return judges.signs.predict(plan.row.identity, sign_crops(atlas, rgb, landmarks, signs))

    judged = {ORIGINAL: face, **({DRAWN: there[DRAWN]} if DRAWN in there else {})}
    judged |= {**main, **extra} if plan.controlled else {}
    embeddings = {kind: judges.identity.embed(rgb, box) for kind, rgb in main.items()}
    sweeps = {}
    for sign in plan.sweeps:
        if any(swept(sign, level) not in there for level in (*LEVELS, *TALK)):
            continue
        rgbs = [there[swept(sign, level)] for level in LEVELS]
        first, last = (score(there[swept(sign, level)]) for level in TALK)
        zones = masks.zones[[atlas.zones.index(zone) for zone in atlas.zones_of(sign)]].max(axis=0)
        within = grown(zones[None, None], (size, size))[0, 0] > 0.5
        changes = [np.abs(rgb.astype(np.int16) - face).mean(axis=2) for rgb in (rgbs[0], rgbs[-1])]
        change = max(changes, key=lambda c: float(c.mean()))
        sweeps[sign] = {
            "scores": [score(rgb, [sign])[sign] for rgb in rgbs],
            "first": first,
            "last": last,
            "inside": inside_over_rest(change, within, on_head),
        }
        crops = [sign_crops(atlas, rgb, landmarks, [sign])[sign] for rgb in rgbs]
        write_strip(crops, pictures.with_name(sweep_name(sign, pictures.name)), CROP)
    write_strip([main.get(kind) for kind in SHOWN], pictures, TILE)
    return Found(
        plan.row.name,
        signs={kind: score(rgb) for kind, rgb in judged.items()},
        ages={
            kind: {name: judge.age(rgb, box) for name, judge in judges.ages.items()}
            for kind, rgb in {**main, **extra}.items()
        },
        embedding=embeddings[ORIGINAL].tolist(),
        distance={kind: float(np.linalg.norm(embeddings[kind] - embeddings[ORIGINAL])) for kind in edited},
        colour={kind: colour_change(face, rgb, skin) for kind, rgb in edited.items()},
        detail={kind: fine_energy_ratio(face, rgb, bare) for kind, rgb in {**edited, **extra}.items()},
        grid={kind: grid_strength(face, rgb) for kind, rgb in edited.items()},
        background={kind: stray(face, rgb, outline) for kind, rgb in edited.items()},
        features={
            kind: {name: _encode(network(main[kind])) for name, network in judges.networks.items()}
            for kind in (ORIGINAL, DRAWN)
            if kind in main
        },
        sweeps=sweeps,
    )


def person(face: Rgb, landmarks: npt.NDArray[np.float32], atlas: Atlas, parser: FaceParser) -> npt.NDArray[np.bool_]:
    """(S, S), what is no background of a face (S, S, 3): its head, and hair, ears and neck, with a little around.

    A neck's upper end moves with the jaw above it.
    """
    size = len(face)
    head = rasterise(atlas.head, landmarks, size, size) > 0
    parts = parser.parse(face)
    seen = cv2.dilate(np.maximum(parts.hair, parts.skin), np.ones((2 * AROUND + 1, 2 * AROUND + 1), np.uint8))
    return head | (cv2.resize(seen, (size, size)) > 0)


def _encode(features: npt.NDArray[np.float32]) -> str:
    return base64.b64encode(features.astype("<f4").tobytes()).decode()


def strip_name(name: str) -> str:
    """Where the strip of a photo lies in the folder of an evaluation."""
    return f"{PICTURES}/{aligned_name(name, 'jpg')}"


def sweep_name(sign: str, strip: str) -> str:
    """What the file with the crops of a sweep is called, beside a face's strip."""
    return f"{sign}-{strip}"


def write_strip(pictures: Sequence[Rgb | None], path: Path, side: int) -> None:
    """Square pictures side by side at a side of so many pixels, as a JPEG; grey where there is none."""
    blank = np.full((side, side, 3), 128, np.uint8)
    tiles = [blank if rgb is None else at_side(rgb, side) for rgb in pictures]
    Image.fromarray(np.concatenate(tiles, axis=1)).save(path, quality=88)
