"""How far does a model move the signs, and what does it leave alone: all at 0.9 against all at 0.1.

``python -m amgan.evaluation.shift --data DIR --store DIR`` prints one JSON object about the `test` split:

- every sign by an estimator that had no part in training (VGG16 features, faces of the judges' fold and of `val`),
- the same judge on blurred and sharpened originals, to see what is texture and what is mere sharpness,
- apparent age and identity by packaged judges,
- the change inside and outside the forehead for ``forehead_wrinkles=1``.
"""

from __future__ import annotations

import argparse
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track

from amgan.data.store import Store, prepare
from amgan.data.table import Row, held_for_judges
from amgan.evaluation.judges.age import AgeAndGenderJudge
from amgan.evaluation.judges.identity import SAME_PERSON, IdentityJudge
from amgan.evaluation.judges.signs import SignJudge
from amgan.faces.detect import Face
from amgan.faces.photo import read_photo
from amgan.inference.ager import Ager, FaceView
from amgan.signs.atlas import Atlas
from amgan.signs.zones import zone_crop, zone_masks, zone_square

YOUNG, OLD = 0.1, 0.9
CROP = 256
Rgb = npt.NDArray[np.uint8]
console = Console(stderr=True)


@dataclass(frozen=True)
class Limits:
    """What curation would keep of the test photos.

    Attributes:
        turn: Largest yaw and pitch, degrees.
        mouth: Largest ``jawOpen``.
        side: Smallest side of the face's box, pixels.
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
    """Left or centre crop of each sign from an aligned face, as the photos were scored."""
    return {sign: zone_crop(rgb, zone_square(atlas, atlas.zones_of(sign)[0], landmarks), CROP) for sign in atlas.signs}


def fit_judge(store: Store, atlas: Atlas, share: float) -> SignJudge:
    """Fits the sign judge on faces that no generator or critic saw."""
    rows = store.subset(lambda row: row.split == "val" or held_for_judges(row, share))
    crops: dict[str, list[Rgb]] = {sign: [] for sign in atlas.signs}
    scores: dict[str, list[float]] = {sign: [] for sign in atlas.signs}
    people: dict[str, list[object]] = {sign: [] for sign in atlas.signs}
    for index in rows:
        row = store.rows[index]
        for sign, crop in sign_crops(atlas, store.images[index], store.landmarks[index]).items():
            if not math.isnan(row.scores.get(sign, math.nan)):
                crops[sign].append(crop)
                scores[sign].append(row.scores[sign])
                people[sign].append(row.identity)
    judge = SignJudge()
    features = {
        sign: judge.extract(np.stack(crops[sign])) for sign in track(crops, "features of the judge", console=console)
    }
    judge.fit_features(features, scores, people)
    return judge


def _controls(rgb: Rgb) -> dict[str, Rgb]:
    """A blurred and a sharpened original, of about the strength that aging changes fine detail."""
    soft = cv2.GaussianBlur(rgb, (0, 0), rgb.shape[0] / 500)
    sharp = cv2.addWeighted(rgb, 2.0, soft, -1.0, 0)
    return {"blurred": np.asarray(soft, np.uint8), "sharpened": np.asarray(sharp, np.uint8)}


def _interval(values: npt.NDArray[np.float64]) -> list[float]:
    """Mean, and its 95% bootstrap interval."""
    rng = np.random.default_rng(0)
    means = rng.choice(values, (2000, len(values))).mean(axis=1)
    return [round(float(v), 4) for v in (values.mean(), *np.percentile(means, [2.5, 97.5]))]


def measure(ager: Ager, judge: SignJudge, rows: Iterable[Row], limits: Limits) -> dict[str, Any]:
    """Runs the model over photos and judges the results."""
    identity, years = IdentityJudge(), AgeAndGenderJudge()
    atlas = ager.bundle.atlas
    kinds = ("younger", "original", "older", "blurred", "sharpened")
    signs: dict[str, list[npt.NDArray[np.float64]]] = {kind: [] for kind in kinds}
    ages: dict[str, list[float]] = {kind: [] for kind in kinds}
    distances: dict[str, list[float]] = {"younger": [], "older": []}
    forehead: list[float] = []
    outside = 0
    for row in rows:
        photo = read_photo(row.path)
        faces = ager.detector.detect(photo.rgb)
        if not faces or not limits.keep(faces[0]):
            continue
        view = ager.analyze(photo)[0]
        pictures = {"original": photo.rgb, **_controls(photo.rgb)}
        for kind, level in (("younger", YOUNG), ("older", OLD)):
            pictures[kind] = np.asarray(ager.age(photo, every=level, face=0).image.convert("RGB"))
        box = view.report.box
        for kind in kinds:
            crops = sign_crops(atlas, view.alignment.crop(pictures[kind]), view.landmarks)
            found = judge.predict({sign: crop[None] for sign, crop in crops.items()})
            signs[kind].append(np.array([found[sign][0] for sign in atlas.signs]))
            ages[kind].append(years.age(pictures[kind], box))
        for kind in distances:
            distances[kind].append(identity.distance(photo.rgb, pictures[kind], box, box))
        if len(forehead) < 20:
            edited = np.asarray(ager.age(photo, signs={"forehead_wrinkles": 1.0}, face=0).image.convert("RGB"))
            ratio, stray = _locality(view, atlas, photo.rgb, edited)
            forehead.append(ratio)
            outside = max(outside, stray)
    stacked = {kind: np.stack(signs[kind]) for kind in kinds}
    shift = stacked["older"] - stacked["younger"]
    return {
        "faces": len(shift),
        "mean_shift": _interval(shift.mean(axis=1)),
        "right_direction": round(float((shift.mean(axis=1) > 0).mean()), 4),
        "per_sign": {
            sign: {
                "shift": round(float(shift[:, i].mean()), 3),
                "right_direction": round(float((shift[:, i] > 0).mean()), 3),
                **{kind: round(float(stacked[kind][:, i].mean()), 3) for kind in kinds},
            }
            for i, sign in enumerate(atlas.signs)
        },
        "control_shift": {k: _interval((stacked[k] - stacked["original"]).mean(axis=1)) for k in kinds[3:]},
        "age": {kind: round(float(np.mean(ages[kind])), 2) for kind in kinds},
        "age_median_older_minus_younger": round(float(np.median(np.subtract(ages["older"], ages["younger"]))), 2),
        "same_person": {k: round(float((np.array(v) < SAME_PERSON).mean()), 4) for k, v in distances.items()},
        "identity_distance": {k: round(float(np.mean(v)), 4) for k, v in distances.items()},
        "forehead_inside_over_rest": [round(v, 2) for v in (min(forehead), float(np.median(forehead)))],
        "forehead_largest_change_outside_face": outside,
    }


def _locality(view: FaceView, atlas: Atlas, before: Rgb, after: Rgb) -> tuple[float, int]:
    """Mean change inside the forehead over that in the rest of the face, and the largest change off the face."""
    difference = np.abs(after.astype(np.int16) - before).mean(axis=2).astype(np.float32)
    # Nearest-pixel masks in the photo, so that nothing is averaged away.
    left, top, right, bottom = window = view.report.region
    masks = zone_masks(atlas, view.landmarks, view.alignment.size, view.alignment.size)
    zone = masks.zones[atlas.zones.index("forehead_wrinkles")]
    inside, head = (view.alignment.paste(m, before.shape[:2], window) > 0.5 for m in (zone, masks.head))
    cut = difference[top:bottom, left:right]
    rest = cut[head & ~inside].mean()
    off = difference.copy()
    off[top:bottom, left:right][view.alignment.paste(masks.head, before.shape[:2], window) > 0] = 0
    return float(cut[inside].mean() / max(rest, 1e-6)), int(off.max())


def main() -> None:
    """Command line of this measure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder with faces.csv and its photos")
    parser.add_argument("--store", type=Path, required=True, help="prepared faces (made if missing)")
    parser.add_argument("--model", type=Path, help="model folder; else the default")
    parser.add_argument("--judge", type=Path, help="file that keeps the fitted judge between calls")
    parser.add_argument("--judge-share", type=float, default=0.2, help="as in the model's training config")
    parser.add_argument("--split", default="test", choices=["val", "test"])
    parser.add_argument("--most", type=int, help="stop after this many photos")
    options = parser.parse_args()
    with Ager(options.model) as ager:
        store = prepare(options.data, options.store, ager.bundle.atlas)
        if options.judge and options.judge.is_file():
            judge = SignJudge.load(options.judge)
        else:
            judge = fit_judge(store, ager.bundle.atlas, options.judge_share)
            if options.judge:
                judge.save(options.judge)
        rows = [row for row in store.rows if row.split == options.split][: options.most]
        result = measure(ager, judge, track(rows, "photos", console=console), Limits())
    result["judge_cross_validated_r"] = {sign: round(float(fit.correlation), 3) for sign, fit in judge.fits.items()}
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
