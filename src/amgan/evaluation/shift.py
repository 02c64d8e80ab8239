"""How far does a model move the signs, and what does it leave alone: all at 0.9 against all at 0.1.

``python -m amgan.evaluation.shift --data DIR --store DIR [--pictures DIR]`` prints one JSON object about the `test`
split (or ``--split val``), and writes the pictures behind it:

- every sign by an estimator that had no part in training (ResNet features; faces that no generator saw, and not the
  one that is judged),
- the same judge on blurred and sharpened originals, to see what is texture and what is mere sharpness,
- apparent age and identity by packaged judges,
- how far the colour of the skin moves (CIELAB, without the brightness),
- the change inside and outside the forehead for ``forehead_wrinkles=1``.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image
from rich.console import Console
from rich.progress import track

from amgan.data.curation.files import aligned_name
from amgan.data.curation.limits import Limits
from amgan.data.curation.measure import PhotoMeasurer
from amgan.data.store import SIZE, prepare
from amgan.data.table import Row
from amgan.errors import DatasetError, as_tool
from amgan.evaluation.bootstrap import interval
from amgan.evaluation.jsonable import jsonable
from amgan.evaluation.judges.age import AgeAndGenderJudge
from amgan.evaluation.judges.cross import CrossJudge, fit_judge, sign_crops
from amgan.evaluation.judges.identity import SAME_PERSON, IdentityJudge
from amgan.evaluation.judging import judge_splits
from amgan.evaluation.measures.colour import colour_change
from amgan.evaluation.measures.controls import controls
from amgan.evaluation.measures.locality import inside_over_rest, stray
from amgan.evaluation.protocol import FRONTAL
from amgan.faces.photo import Photo, photo_from_image, read_photo
from amgan.inference.ager import Ager, FaceView
from amgan.inference.request import Request
from amgan.signs.atlas import Atlas
from amgan.signs.levels import OLD, YOUNG
from amgan.signs.zones import rasterise, zone_masks

KINDS = ("younger", "original", "older", "blurred", "sharpened")
# The first so many faces are also edited in one sign alone.
FEW_FACES = 20
SHEET_FACES = 24
SHEET = "sheet.png"
Rgb = npt.NDArray[np.uint8]
console = Console(stderr=True)


def _kept_faces(ager: Ager, rows: Iterable[Row], limits: Limits) -> Iterator[tuple[Row, Photo, FaceView]]:
    """The photos whose largest face `limits` keep, and that face."""
    with PhotoMeasurer() as measurer:
        for row in rows:
            photo = read_photo(row.path)
            if not limits.reason(measurer.measure(photo.rgb)[0]):
                yield row, photo, ager.analyze(photo, 0)[0]


def save_strip(faces: dict[str, Rgb], path: Path) -> None:
    """Writes younger, original, older and four times their difference side by side, at full size."""
    difference = faces["older"].astype(np.int16) - faces["younger"]
    magnified = np.clip(128 + 4 * difference, 0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    strip = np.concatenate([faces["younger"], faces["original"], faces["older"], magnified], axis=1)
    Image.fromarray(strip).save(path)


def contact_sheet(folder: Path) -> Image.Image:
    """The strips of a folder at a quarter of their size, the first `SHEET_FACES` of them in two columns."""
    paths = sorted(path for path in folder.glob("*.png") if path.name != SHEET)
    strips = [Image.open(path).reduce(4) for path in paths]
    # Evenly over the folder, so that every source is seen.
    count = min(SHEET_FACES, len(strips))
    shown = [strips[index * len(strips) // count] for index in range(count)]
    width, height = shown[0].size
    sheet = Image.new("RGB", (2 * width, height * -(-len(shown) // 2)))
    for index, strip in enumerate(shown):
        sheet.paste(strip, (index % 2 * width, index // 2 * height))
    return sheet


def _aged(ager: Ager, photo: Photo, view: FaceView, request: Request) -> Rgb:
    """(H, W, 3), the photo with that face as is asked for."""
    targets = request.targets(ager.bundle.atlas, view.scores, None)
    return photo_from_image(ager.age_views(photo, [(view, targets)]).image).rgb


def _rounded(values: npt.NDArray[np.float64], people: Sequence[str]) -> list[float]:
    """Mean of one value a photo, and its 95% interval by bootstrap over people; NaN of one person alone."""
    found = interval(values.tolist(), people)
    return [round(v, 4) for v in (found.value, found.low, found.high)]


def measure(
    ager: Ager, judge: CrossJudge, rows: Iterable[Row], limits: Limits, pictures: Path | None = None
) -> dict[str, Any]:
    """Runs the model over photos and judges the results; `pictures` is a folder for what it made.

    Raises:
        DatasetError: No photo counts.
    """
    identity, years = IdentityJudge(), AgeAndGenderJudge()
    atlas = ager.bundle.atlas
    signs: dict[str, list[npt.NDArray[np.float64]]] = {kind: [] for kind in KINDS}
    ages: dict[str, list[float]] = {kind: [] for kind in KINDS}
    distances: dict[str, list[float]] = {"younger": [], "older": []}
    colours: dict[str, list[float]] = {"younger": [], "older": []}
    forehead: list[float] = []
    people: list[str] = []
    farthest = 0
    for row, photo, view in _kept_faces(ager, rows, limits):
        people.append(row.identity)
        made = {"original": photo.rgb, **controls(photo.rgb, view.alignment.scale * view.alignment.size)}
        for kind, level in (("younger", YOUNG), ("older", OLD)):
            made[kind] = _aged(ager, photo, view, Request(every=level))
        square = view.alignment.resized(SIZE)
        landmarks = square.to_aligned(view.alignment.to_photo(view.landmarks))
        box = view.report.box
        faces = {kind: square.crop(made[kind]) for kind in KINDS}
        for kind in KINDS:
            found = judge.predict(row.identity, sign_crops(atlas, faces[kind], landmarks))
            signs[kind].append(np.array([found[sign] for sign in atlas.signs]))
            ages[kind].append(years.age(made[kind], box))
        skin = zone_masks(atlas, landmarks, SIZE, SIZE).skin
        for kind in distances:
            colours[kind].append(colour_change(faces["original"], faces[kind], skin))
            distances[kind].append(identity.distance(photo.rgb, made[kind], box, box))
        if len(forehead) < FEW_FACES:
            edited = _aged(ager, photo, view, Request(signs={"forehead_wrinkles": 1.0}))
            ratio, outside = _locality(view, atlas, photo.rgb, edited)
            forehead.append(ratio)
            farthest = max(farthest, outside)
        if pictures is not None:
            save_strip(faces, pictures / aligned_name(row.name, "png"))
    if not ages["original"]:
        raise DatasetError("no photo of this split shows a frontal face, mouth closed, of at least 400 px")
    stacked = {kind: np.stack(signs[kind]) for kind in KINDS}
    shift = stacked["older"] - stacked["younger"]
    return {
        "faces": len(shift),
        "mean_shift": _rounded(shift.mean(axis=1), people),
        "right_direction": round(float((shift.mean(axis=1) > 0).mean()), 4),
        "per_sign": {
            sign: {
                "shift": round(float(shift[:, i].mean()), 3),
                "right_direction": round(float((shift[:, i] > 0).mean()), 3),
                **{kind: round(float(stacked[kind][:, i].mean()), 3) for kind in KINDS},
            }
            for i, sign in enumerate(atlas.signs)
        },
        "control_shift": {k: _rounded((stacked[k] - stacked["original"]).mean(axis=1), people) for k in KINDS[3:]},
        "age": {kind: round(float(np.mean(ages[kind])), 2) for kind in KINDS},
        "age_median_older_minus_younger": round(float(np.median(np.subtract(ages["older"], ages["younger"]))), 2),
        "same_person": {k: round(float((np.array(v) < SAME_PERSON).mean()), 4) for k, v in distances.items()},
        "identity_distance": {k: round(float(np.mean(v)), 4) for k, v in distances.items()},
        "colour_change": {k: [round(float(f(v)), 2) for f in (np.mean, np.max)] for k, v in colours.items()},
        "forehead_inside_over_rest": {"least": round(min(forehead), 2), "median": round(float(np.median(forehead)), 2)},
        "forehead_largest_change_outside_face": farthest,
    }


def _locality(view: FaceView, atlas: Atlas, before: Rgb, after: Rgb) -> tuple[float, int]:
    """Mean change inside the forehead over that in the rest of the face, and the largest change off the face."""
    difference = np.abs(after.astype(np.int16) - before).mean(axis=2)
    # Nearest-pixel masks in the photo, so that nothing is averaged away.
    left, top, right, bottom = window = view.report.region
    masks = zone_masks(atlas, view.landmarks, view.alignment.size, view.alignment.size)
    zone = masks.zones[atlas.zones.index("forehead_wrinkles")]
    inside, head = (view.alignment.paste(m, before.shape[:2], window) > 0.5 for m in (zone, masks.head))
    # Pixels that the outline of the head touches count as face, all others as background.
    outline = rasterise(atlas.head, view.landmarks, view.alignment.size, view.alignment.size)
    touched = np.zeros(before.shape[:2], np.bool_)
    touched[top:bottom, left:right] = view.alignment.paste(outline, before.shape[:2], window) > 0
    return inside_over_rest(difference[top:bottom, left:right], inside, head), stray(before, after, touched)


@as_tool
def main() -> None:
    """Command line of this measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with faces.csv and its photos")
    parser.add_argument("--store", type=Path, required=True, help="prepared faces (made if missing)")
    parser.add_argument("--model", type=Path, help="model folder; else the default")
    parser.add_argument("--split", choices=("val", "test"), default="test", help="which photos; tune on val alone")
    parser.add_argument("--pictures", type=Path, help="folder for a strip a face: younger, original, older, difference")
    parser.add_argument("--every", type=int, default=1, help="measure every this-many-th photo alone, to save time")
    options = parser.parse_args()
    if options.every < 1:
        parser.error("--every: 1 at least")
    with Ager(options.model) as ager:
        store = prepare(options.data, options.store, ager.bundle.atlas)
        judge = fit_judge(
            store,
            ager.bundle.atlas,
            ager.bundle.judge_share,
            judge_splits(options.split),
            lambda faces: track(list(faces), "features of the judge", console=console),
        )
        rows = [row for row in store.rows if row.split == options.split][:: options.every]
        result = measure(ager, judge, track(rows, "photos", console=console), FRONTAL, options.pictures)
    result["judge_cross_validated_r"] = judge.correlation()
    # First, for it took long; the sheet can be made again.
    print(json.dumps(jsonable(result), indent=1), flush=True)
    if options.pictures:
        contact_sheet(options.pictures).save(options.pictures / SHEET)


if __name__ == "__main__":
    main()
