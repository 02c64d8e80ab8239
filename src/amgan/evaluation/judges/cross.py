"""Sign judges that know no one they judge: fitted on faces that no network saw, and not on the person in question."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from amgan.data.store import Store
from amgan.data.table import held_for_judges
from amgan.signs.atlas import Atlas
from amgan.signs.zones import zone_crop, zone_square

from .resnet import ResNetFeatures
from .signs import SignJudge

FOLDS = 5
Rgb = npt.NDArray[np.uint8]


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
        return {sign: found["r"] for sign, found in self.quality().items()}

    def quality(self) -> dict[str, dict[str, float]]:
        """Cross-validated ``r`` and mean absolute ``error`` of each sign on real faces, the means of the judges."""
        fits = {sign: [judge.fits[sign] for judge in self.judges] for sign in self.judges[0].fits}
        return {
            sign: {
                "r": round(float(np.mean([fit.correlation for fit in of_sign])), 3),
                "error": round(float(np.mean([fit.error for fit in of_sign])), 4),
            }
            for sign, of_sign in fits.items()
        }


def fit_judge(
    store: Store,
    atlas: Atlas,
    share: float,
    splits: Sequence[str],
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> CrossJudge:
    """Fits the sign judges on faces that no generator or critic saw.

    Args:
        store: Prepared faces.
        atlas: Signs and zones.
        share: Of the training identities that are kept for judges.
        splits: Whose faces are taken beside those: ``val``, or ``val`` and ``test``.
        progress: Wraps the faces, to show a progress bar.
    """
    rows = store.subset(lambda row: bool(row.scores) and (row.split in splits or held_for_judges(row, share)))
    features: dict[str, list[npt.NDArray[np.float32]]] = {sign: [] for sign in atlas.signs}
    scores: dict[str, list[float]] = {sign: [] for sign in atlas.signs}
    people: dict[str, list[str]] = {sign: [] for sign in atlas.signs}
    extract = ResNetFeatures()
    for index in progress(rows.tolist()):
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
