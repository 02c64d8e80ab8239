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
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image
from rich.console import Console
from rich.progress import track

from amgan.data.store import SIZE, Store, prepare
from amgan.data.table import Row, held_for_judges
from amgan.errors import DatasetError
from amgan.evaluation.judges.age import AgeAndGenderJudge
from amgan.evaluation.judges.identity import SAME_PERSON, IdentityJudge
from amgan.evaluation.judges.resnet import ResNetFeatures
from amgan.evaluation.judges.signs import SignJudge
from amgan.faces.detect import Face
from amgan.faces.photo import Photo, photo_from_image, read_photo
from amgan.inference.ager import Ager, FaceView
from amgan.signs.atlas import Atlas
from amgan.signs.zones import rasterise, zone_crop, zone_masks, zone_square

YOUNG, OLD = 0.1, 0.9
KINDS = ("younger", "original", "older", "blurred", "sharpened")
# The first so many faces are also edited in one sign alone.
FEW_FACES = 20
FOLDS = 5
SHEET_FACES = 24
Rgb = npt.NDArray[np.uint8]
console = Console(stderr=True)


@dataclass(frozen=True)
class Limits:
    """What curation would keep of the test photos.

    Attributes:
        turn: Largest yaw and pitch, degrees.
        mouth: Largest ``jawOpen``.
        side: Least of the longer side of the face's box, pixels.
    """

    turn: float = 20.0
    mouth: float = 0.15
    side: float = 400.0

    def keep(self, face: Face) -> bool:
        """Whether a face is frontal, its mouth closed and large enough."""
        left, top, right, bottom = face.box
        large = max(right - left, bottom - top) >= self.side
        frontal = abs(face.yaw) <= self.turn and abs(face.pitch) <= self.turn
        return large and frontal and face.blendshapes["jawOpen"] <= self.mouth


def sign_crops(atlas: Atlas, rgb: Rgb, landmarks: npt.NDArray[np.float32]) -> dict[str, Rgb]:
    """Left or centre crop of each sign from an aligned face of 1024 px, pixel for pixel: fine lines are judged."""
    crops = {}
    for sign in atlas.signs:
        left, top, side = (round(v) for v in zone_square(atlas, atlas.zones_of(sign)[0], landmarks))
        crops[sign] = zone_crop(rgb, (left, top, side), side)
    return crops


class CrossJudge:
    """Sign judges that were each fitted without a fifth of the people, so that all are judged by one who knows none.

    Args:
        judges: One a fold, see `fold_of`.
    """

    def __init__(self, judges: Sequence[SignJudge]) -> None:
        self.judges = tuple(judges)

    def fold_of(self, identity: str) -> int:
        """The fold of a person, the same on any machine."""
        return zlib.crc32(identity.encode()) % len(self.judges)

    def predict(self, identity: str, crops: Mapping[str, Rgb]) -> dict[str, float]:
        """Scores a person's crops by the judge that was fitted without them."""
        judge = self.judges[self.fold_of(identity)]
        found = judge.predict({sign: [crop] for sign, crop in crops.items()})
        return {sign: float(scores[0]) for sign, scores in found.items()}

    def correlation(self) -> dict[str, float]:
        """Cross-validated r of each sign, the mean of the judges."""
        return {
            sign: round(float(np.mean([judge.fits[sign].correlation for judge in self.judges])), 3)
            for sign in self.judges[0].fits
        }


def fit_judge(store: Store, atlas: Atlas, share: float, splits: Sequence[str]) -> CrossJudge:
    """Fits the sign judges on faces that no generator or critic saw.

    Args:
        store: Prepared faces.
        atlas: Signs and zones.
        share: Of the training identities that are kept for judges.
        splits: Whose faces are taken beside those: ``val``, or ``val`` and ``test``.
    """
    rows = store.subset(lambda row: bool(row.scores) and (row.split in splits or held_for_judges(row, share)))
    features: dict[str, list[npt.NDArray[np.float32]]] = {sign: [] for sign in atlas.signs}
    scores: dict[str, list[float]] = {sign: [] for sign in atlas.signs}
    people: dict[str, list[str]] = {sign: [] for sign in atlas.signs}
    extract = ResNetFeatures()
    for index in track(rows, "features of the judge", console=console):
        row = store.rows[index]
        for sign, crop in sign_crops(atlas, store.images[index], store.landmarks[index]).items():
            if sign in row.scores:
                features[sign].append(extract(crop[None])[0])
                scores[sign].append(row.scores[sign])
                people[sign].append(row.identity)
    cross = CrossJudge([SignJudge(extract) for _ in range(FOLDS)])
    for fold, judge in enumerate(cross.judges):
        known = {sign: [i for i, who in enumerate(people[sign]) if cross.fold_of(who) != fold] for sign in people}
        judge.fit_features(
            {sign: np.stack([features[sign][i] for i in which]) for sign, which in known.items()},
            {sign: [scores[sign][i] for i in which] for sign, which in known.items()},
            {sign: [people[sign][i] for i in which] for sign, which in known.items()},
        )
    return cross


def _kept_face(ager: Ager, photo: Photo, limits: Limits) -> FaceView | None:
    """The largest face of a photo, if curation would keep it."""
    faces = ager.detector.detect(photo.rgb)
    return ager.analyze(photo)[0] if faces and limits.keep(faces[0]) else None


def save_strip(faces: dict[str, Rgb], path: Path) -> None:
    """Writes younger, original, older and four times their difference side by side, at full size."""
    difference = faces["older"].astype(np.int16) - faces["younger"]
    magnified = np.clip(128 + 4 * difference, 0, 255).astype(np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    strip = np.concatenate([faces["younger"], faces["original"], faces["older"], magnified], axis=1)
    Image.fromarray(strip).save(path)


def contact_sheet(folder: Path) -> Image.Image:
    """The strips of a folder at a quarter of their size, the first `SHEET_FACES` of them in two columns."""
    strips = [Image.open(path).reduce(4) for path in sorted(folder.glob("*-*.png"))]
    # Evenly over the folder, so that every source is seen.
    count = min(SHEET_FACES, len(strips))
    shown = [strips[index * len(strips) // count] for index in range(count)]
    width, height = shown[0].size
    sheet = Image.new("RGB", (2 * width, height * -(-len(shown) // 2)))
    for index, strip in enumerate(shown):
        sheet.paste(strip, (index % 2 * width, index // 2 * height))
    return sheet


def colour_change(before: Rgb, after: Rgb, skin: npt.NDArray[np.float32]) -> float:
    """Mean distance in the a*b* plane of CIELAB, spots and lines smoothed away.

    Args:
        before: (S, S, 3) aligned face.
        after: The same.
        skin: (S, S) in 0..1, what counts.

    Returns:
        CIELAB units; 2.3 is about the least difference that people notice.
    """

    def smooth(rgb: Rgb) -> npt.NDArray[np.float32]:
        lab = cv2.cvtColor(rgb.astype(np.float32) / 255, cv2.COLOR_RGB2LAB)
        return np.asarray(cv2.GaussianBlur(lab[..., 1:], (0, 0), SIZE / 64), np.float32)

    distance = np.linalg.norm(smooth(after) - smooth(before), axis=2)
    return float((distance * skin).sum() / skin.sum())


def _controls(rgb: Rgb, side: float) -> dict[str, Rgb]:
    """A blurred and a sharpened original (2 px of a 1024 px face), about as strong as aging changes fine detail."""
    soft = cv2.GaussianBlur(rgb, (0, 0), 2 * side / SIZE)
    sharp = cv2.addWeighted(rgb, 2.0, soft, -1.0, 0)
    return {"blurred": np.asarray(soft, np.uint8), "sharpened": np.asarray(sharp, np.uint8)}


def _interval(values: npt.NDArray[np.float64]) -> list[float]:
    """Mean, and its 95% bootstrap interval."""
    rng = np.random.default_rng(0)
    means = rng.choice(values, (2000, len(values))).mean(axis=1)
    return [round(float(v), 4) for v in (values.mean(), *np.percentile(means, [2.5, 97.5]))]


def measure(
    ager: Ager, judge: CrossJudge, rows: Iterable[Row], limits: Limits, pictures: Path | None = None
) -> dict[str, Any]:
    """Runs the model over photos and judges the results; `pictures` is a folder for what it made."""
    identity, years = IdentityJudge(), AgeAndGenderJudge()
    atlas = ager.bundle.atlas
    signs: dict[str, list[npt.NDArray[np.float64]]] = {kind: [] for kind in KINDS}
    ages: dict[str, list[float]] = {kind: [] for kind in KINDS}
    distances: dict[str, list[float]] = {"younger": [], "older": []}
    colours: dict[str, list[float]] = {"younger": [], "older": []}
    forehead: list[float] = []
    outside = 0
    for row in rows:
        photo = read_photo(row.path)
        view = _kept_face(ager, photo, limits)
        if view is None:
            continue
        made = {"original": photo.rgb, **_controls(photo.rgb, view.alignment.scale * view.alignment.size)}
        for kind, level in (("younger", YOUNG), ("older", OLD)):
            made[kind] = photo_from_image(ager.age(photo, every=level, face=0).image).rgb
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
            edited = photo_from_image(ager.age(photo, signs={"forehead_wrinkles": 1.0}, face=0).image).rgb
            ratio, stray = _locality(view, atlas, photo.rgb, edited)
            forehead.append(ratio)
            outside = max(outside, stray)
        if pictures is not None:
            save_strip(faces, pictures / f"{row.name.replace('/', '-').rpartition('.')[0]}.png")
    if not ages["original"]:
        raise DatasetError("no photo of this split shows a frontal face, mouth closed, of at least 400 px")
    stacked = {kind: np.stack(signs[kind]) for kind in KINDS}
    shift = stacked["older"] - stacked["younger"]
    return {
        "faces": len(shift),
        "mean_shift": _interval(shift.mean(axis=1)),
        "right_direction": round(float((shift.mean(axis=1) > 0).mean()), 4),
        "per_sign": {
            sign: {
                "shift": round(float(shift[:, i].mean()), 3),
                "right_direction": round(float((shift[:, i] > 0).mean()), 3),
                **{kind: round(float(stacked[kind][:, i].mean()), 3) for kind in KINDS},
            }
            for i, sign in enumerate(atlas.signs)
        },
        "control_shift": {k: _interval((stacked[k] - stacked["original"]).mean(axis=1)) for k in KINDS[3:]},
        "age": {kind: round(float(np.mean(ages[kind])), 2) for kind in KINDS},
        "age_median_older_minus_younger": round(float(np.median(np.subtract(ages["older"], ages["younger"]))), 2),
        "same_person": {k: round(float((np.array(v) < SAME_PERSON).mean()), 4) for k, v in distances.items()},
        "identity_distance": {k: round(float(np.mean(v)), 4) for k, v in distances.items()},
        "colour_change": {k: [round(float(f(v)), 2) for f in (np.mean, np.max)] for k, v in colours.items()},
        "forehead_inside_over_rest": {"least": round(min(forehead), 2), "median": round(float(np.median(forehead)), 2)},
        "forehead_largest_change_outside_face": outside,
    }


def _locality(view: FaceView, atlas: Atlas, before: Rgb, after: Rgb) -> tuple[float, int]:
    """Mean change inside the forehead over that in the rest of the face, and the largest change off the face."""
    change = np.abs(after.astype(np.int16) - before)
    difference = change.mean(axis=2)
    # Nearest-pixel masks in the photo, so that nothing is averaged away.
    left, top, right, bottom = window = view.report.region
    masks = zone_masks(atlas, view.landmarks, view.alignment.size, view.alignment.size)
    zone = masks.zones[atlas.zones.index("forehead_wrinkles")]
    inside, head = (view.alignment.paste(m, before.shape[:2], window) > 0.5 for m in (zone, masks.head))
    cut = difference[top:bottom, left:right]
    rest = cut[head & ~inside].mean()
    # Pixels that the outline of the head touches count as face, all others as background.
    outline = rasterise(atlas.head, view.landmarks, view.alignment.size, view.alignment.size)
    off = change.max(axis=2)
    off[top:bottom, left:right][view.alignment.paste(outline, before.shape[:2], window) > 0] = 0
    return float(cut[inside].mean() / max(rest, 1e-6)), int(off.max())


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
    with Ager(options.model) as ager:
        store = prepare(options.data, options.store, ager.bundle.atlas)
        splits = ("val", "test") if options.split == "test" else ("val",)
        judge = fit_judge(store, ager.bundle.atlas, ager.bundle.judge_share, splits)
        rows = [row for row in store.rows if row.split == options.split][:: options.every]
        result = measure(ager, judge, track(rows, "photos", console=console), Limits(), options.pictures)
    if options.pictures:
        contact_sheet(options.pictures).save(options.pictures / "sheet.png")
    result["judge_cross_validated_r"] = judge.correlation()
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
