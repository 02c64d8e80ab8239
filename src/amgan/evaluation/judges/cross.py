"""Sign judges that know no one they judge: fitted on faces that no network saw, and not on the person in question."""

from __future__ import annotations

import contextlib
import functools
import zlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from amgan.data.store import Store
from amgan.data.table import Row, held_for_judges
from amgan.engines.local import LocalEngine
from amgan.errors import DatasetError
from amgan.models.ridge import RidgeFit
from amgan.signs.atlas import Atlas
from amgan.signs.zones import zone_crop, zone_square

from .resnet import ResNetFeatures
from .signs import Features, SignJudge

FOLDS = 5
# What is done about too few grades, unless a caller knows more.
GRADE_MORE = "have more of them graded"
Rgb = npt.NDArray[np.uint8]
Fits = tuple[dict[str, RidgeFit], ...]


def sign_crops(atlas: Atlas, rgb: Rgb, landmarks: npt.NDArray[np.float32]) -> dict[str, Rgb]:
    """Left or centre crop of each sign from an aligned face of 1024 px, pixel for pixel: fine lines are judged."""
    return {sign: _crop(atlas, atlas.zones_of(sign)[0], rgb, landmarks) for sign in atlas.signs}


def _crop(atlas: Atlas, zone: str, rgb: Rgb, landmarks: npt.NDArray[np.float32], mirror: bool = False) -> Rgb:
    left, top, side = (round(v) for v in zone_square(atlas, zone, landmarks))
    return zone_crop(rgb, (left, top, side), side, mirror)


class CrossJudge:
    """Sign judges that were each fitted without a fifth of the people, so that all are judged by one who knows none.

    Args:
        judges: One a fold, see `fold_of`.
    """

    def __init__(self, judges: Sequence[SignJudge]) -> None:
        self.judges = tuple(judges)

    @classmethod
    def of(cls, fits: Fits, features: Features) -> CrossJudge:
        """A judge that was fitted before, here or in another process.

        Args:
            fits: See `fits`.
            features: What it was fitted with.
        """
        judges = [SignJudge(features) for _ in fits]
        for judge, of_fold in zip(judges, fits, strict=True):
            judge.fits.update(of_fold)
        return cls(judges)

    @property
    def fits(self) -> Fits:
        """What was fitted, of each fold and sign; it can be pickled, as networks cannot."""
        return tuple(judge.fits for judge in self.judges)

    def fold_of(self, identity: str) -> int:
        """The fold of a person, the same on any machine."""
        return _fold_of(identity, len(self.judges))

    def predict(self, identity: str, crops: Mapping[str, Rgb]) -> dict[str, float]:
        """Scores a person's crops by the judge that was fitted without them."""
        judge = self.judges[self.fold_of(identity)]
        found = judge.predict({sign: [crop] for sign, crop in crops.items()})
        return {sign: float(scores[0]) for sign, scores in found.items()}

    def correlation(self) -> dict[str, float]:
        """Cross-validated r of each sign, the mean of the judges."""
        return {sign: found["r"] for sign, found in quality(self.fits).items()}


def quality(fits: Fits) -> dict[str, dict[str, float]]:
    """Cross-validated ``r`` and mean absolute ``error`` of each sign on real faces, the means of the folds."""
    return {
        sign: {
            "r": round(float(np.mean([of_fold[sign].correlation for of_fold in fits])), 3),
            "error": round(float(np.mean([of_fold[sign].error for of_fold in fits])), 4),
        }
        for sign in fits[0]
    }


def _fold_of(identity: str, folds: int) -> int:
    return zlib.crc32(identity.encode()) % folds


def rows_to_learn_from(store: Store, share: float, splits: Sequence[str]) -> list[int]:
    """Places in the store of the graded faces that the judges are fitted on, see `fit_judge`."""

    def known(row: Row) -> bool:
        return bool(row.scores or row.right) and (row.split in splits or held_for_judges(row, share))

    return [int(index) for index in store.subset(known)]


def check_graded(store: Store, atlas: Atlas, share: float, splits: Sequence[str], remedy: str = GRADE_MORE) -> None:
    """Checks, before any long work, that enough people have grades to fit the judge of every sign.

    Args:
        store: As for `fit_judge`, as are the next three.
        atlas: As above.
        share: As above.
        splits: As above.
        remedy: What the user is told to do.

    Raises:
        DatasetError: A sign has too few: without a fold of the people there must be one a fold of the judge's own.
    """
    rows = [store.rows[place] for place in rows_to_learn_from(store, share, splits)]
    for sign in atlas.signs:
        people = {row.identity for row in rows if sign in row.scores or sign in row.right}
        folds = [_fold_of(who, FOLDS) for who in people]
        if len(people) - max(folds.count(fold) for fold in range(FOLDS)) < FOLDS:
            of = f"{' and '.join(splits)} and the judges' share of train"
            raise DatasetError(
                f"only {len(people)} people of {of} have a grade of {sign}, too few to fit a judge of it; {remedy}"
            )


def fit_judge(
    store: Store,
    atlas: Atlas,
    share: float,
    splits: Sequence[str],
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
    features: Callable[[], Features] = ResNetFeatures,
    workers: int = 1,
) -> CrossJudge:
    """Fits the sign judges on faces that no generator or critic saw.

    Of a sign whose right side alone is graded, that side counts, mirrored: the judges look at the left one.

    Args:
        store: Prepared faces.
        atlas: Signs and zones.
        share: Of the training identities that are kept for judges.
        splits: Whose faces are taken beside those: ``val``, or ``val`` and ``test``.
        progress: Wraps the faces, to show a progress bar.
        features: Makes what turns (B, h, w, 3) uint8 crops into (B, D) features; pickled for other processes.
        workers: Processes that look at the faces.

    Raises:
        DatasetError: Too few people have a grade of a sign, see `check_graded`.
        EngineError: A process died.
        MissingExtraError: The default features are asked for and their packages are not installed.
    """
    check_graded(store, atlas, share, splits)
    extract = features()  # here too, so that a missing package is said before any work
    graded = (_graded(store, place, atlas) for place in progress(rows_to_learn_from(store, share, splits)))
    known: dict[str, list[tuple[npt.NDArray[np.float32], float, str]]] = {sign: [] for sign in atlas.signs}
    start = functools.partial(_Reader, features)
    with contextlib.closing(LocalEngine(workers).run(start, graded, lambda face: face.name)) as read:
        for face in read:
            for sign, (found, score) in face.signs.items():
                known[sign].append((found, score, face.identity))
    cross = CrossJudge([SignJudge(extract) for _ in range(FOLDS)])
    for fold, judge in enumerate(cross.judges):
        others = {sign: [one for one in of if cross.fold_of(one[2]) != fold] for sign, of in known.items()}
        judge.fit_features(
            {sign: np.stack([found for found, _, _ in of]) for sign, of in others.items()},
            {sign: [score for _, score, _ in of] for sign, of in others.items()},
            {sign: [who for _, _, who in of] for sign, of in others.items()},
        )
    return cross


class _Graded(NamedTuple):
    """A face's signs that are graded: the crop of each, or what was read from it, and the score."""

    name: str
    identity: str
    signs: dict[str, tuple[npt.NDArray[Any], float]]


def _graded(store: Store, place: int, atlas: Atlas) -> _Graded:
    row, face, landmarks = store.rows[place], store.images[place], store.landmarks[place]
    signs: dict[str, tuple[npt.NDArray[Any], float]] = {}
    for sign in atlas.signs:
        zones = atlas.zones_of(sign)
        if sign in row.scores:
            signs[sign] = _crop(atlas, zones[0], face, landmarks), row.scores[sign]
        elif sign in row.right:
            signs[sign] = _crop(atlas, zones[-1], face, landmarks, mirror=True), row.right[sign]
    return _Graded(row.name, row.identity, signs)


class _Reader:
    """Reads the features of a face's crops; see `amgan.engines.base.Worker`."""

    def __init__(self, features: Callable[[], Features]) -> None:
        self._extract = features()

    def run(self, face: _Graded) -> _Graded:
        """The features (D,) of each crop in its place."""
        return face._replace(
            signs={s: (self._extract(crop[None])[0], score) for s, (crop, score) in face.signs.items()}
        )

    def close(self) -> None:
        """Nothing is held that has to be freed."""
