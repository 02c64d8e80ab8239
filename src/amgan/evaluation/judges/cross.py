"""Sign judges that know no one they judge: fitted on faces that no network saw, and not on the person in question."""

from __future__ import annotations

import contextlib
import functools
import hashlib
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
# Fold, sign and digest of a crop to its score.
Known = dict[tuple[int, str, bytes], float]


def sign_crops(
    atlas: Atlas, rgb: Rgb, landmarks: npt.NDArray[np.float32], signs: Iterable[str] | None = None
) -> dict[str, Rgb]:
    """Left or centre crop of each sign from an aligned face of 1024 px, pixel for pixel: fine lines are judged.

    Args:
        atlas: Signs and zones.
        rgb: (1024, 1024, 3) uint8, aligned.
        landmarks: (478, 2) in it.
        signs: Which of them; else all.
    """
    chosen = atlas.signs if signs is None else signs
    return {sign: _crop(atlas, atlas.zones_of(sign)[0], rgb, landmarks) for sign in chosen}


def _crop(atlas: Atlas, zone: str, rgb: Rgb, landmarks: npt.NDArray[np.float32], mirror: bool = False) -> Rgb:
    left, top, side = (round(v) for v in zone_square(atlas, zone, landmarks))
    return zone_crop(rgb, (left, top, side), side, mirror)


class CrossJudge:
    """Sign judges that were each fitted without a fifth of the people, so that all are judged by one who knows none.

    Args:
        judges: One a fold, see `fold_of`.
        known: What they found before.

    Attributes:
        known: Scores of all crops that were judged: an edit of one sign leaves most crops as they were, to the bit.
    """

    def __init__(self, judges: Sequence[SignJudge], known: Known | None = None) -> None:
        self.judges, self.known = tuple(judges), dict(known or {})

    @classmethod
    def of(cls, fits: Fits, features: Features, known: Known | None = None) -> CrossJudge:
        """A judge that was fitted before, here or in another process.

        Args:
            fits: See `fits`.
            features: What it was fitted with.
            known: What it found then.
        """
        judges = [SignJudge(features) for _ in fits]
        for judge, of_fold in zip(judges, fits, strict=True):
            judge.fits.update(of_fold)
        return cls(judges, known)

    @property
    def fits(self) -> Fits:
        """What was fitted, of each fold and sign; it can be pickled, as networks cannot."""
        return tuple(judge.fits for judge in self.judges)

    def fold_of(self, identity: str) -> int:
        """The fold of a person, the same on any machine."""
        return _fold_of(identity, len(self.judges))

    def predict(self, identity: str, crops: Mapping[str, Rgb]) -> dict[str, float]:
        """Scores a person's crops by the judge that was fitted without them."""
        fold = self.fold_of(identity)
        keys = {sign: (fold, sign, _digest(crop)) for sign, crop in crops.items()}
        new = {sign: [crops[sign]] for sign, key in keys.items() if key not in self.known}
        self.known.update((keys[sign], float(scores[0])) for sign, scores in self.judges[fold].predict(new).items())
        return {sign: self.known[key] for sign, key in keys.items()}

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
    start = functools.partial(_Reader, features)
    with contextlib.closing(LocalEngine(workers).run(start, graded, lambda face: face.name)) as read:
        faces = list(read)
    cross = CrossJudge([SignJudge(extract) for _ in range(FOLDS)])
    for fold, judge in enumerate(cross.judges):
        others = [face for face in faces if cross.fold_of(face.identity) != fold]
        with_sign = {sign: [face for face in others if sign in face.signs] for sign in atlas.signs}
        judge.fit_features(
            {sign: np.stack([face.signs[sign].seen for face in of]) for sign, of in with_sign.items()},
            {sign: [face.signs[sign].score for face in of] for sign, of in with_sign.items()},
            {sign: [face.identity for face in of] for sign, of in with_sign.items()},
        )
    for face in faces:
        fold = cross.fold_of(face.identity)
        for sign, one in face.signs.items():
            (score,) = cross.judges[fold].fits[sign].predict(one.seen[None])
            cross.known[fold, sign, one.digest] = float(score)
    return cross


def _digest(crop: Rgb) -> bytes:
    return hashlib.sha256(crop.tobytes()).digest()


class _Sign(NamedTuple):
    """A graded sign of a face: its crop, or what was read from that, its score, and the digest of the crop."""

    seen: npt.NDArray[Any]
    score: float
    digest: bytes = b""


class _Graded(NamedTuple):
    """A face's signs that are graded."""

    name: str
    identity: str
    signs: dict[str, _Sign]


def _graded(store: Store, place: int, atlas: Atlas) -> _Graded:
    row, face, landmarks = store.rows[place], store.images[place], store.landmarks[place]
    signs: dict[str, _Sign] = {}
    for sign in atlas.signs:
        zones = atlas.zones_of(sign)
        if sign in row.scores:
            signs[sign] = _Sign(_crop(atlas, zones[0], face, landmarks), row.scores[sign])
        elif sign in row.right:
            signs[sign] = _Sign(_crop(atlas, zones[-1], face, landmarks, mirror=True), row.right[sign])
    return _Graded(row.name, row.identity, signs)


class _Reader:
    """Reads the features of a face's crops; see `amgan.engines.base.Worker`."""

    def __init__(self, features: Callable[[], Features]) -> None:
        self._extract = features()

    def run(self, face: _Graded) -> _Graded:
        """The features (D,) of each crop in its place."""
        read = {
            sign: _Sign(self._extract(crop[None])[0], score, _digest(crop))
            for sign, (crop, score, _) in face.signs.items()
        }
        return face._replace(signs=read)

    def close(self) -> None:
        """Nothing is held that has to be freed."""
