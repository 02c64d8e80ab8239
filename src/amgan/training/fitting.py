"""Two sets of sign estimators from one graded set of faces, fitted on different people, and how good they are.

The one gives maps and training their scores. The other is kept for evaluation alone: a generator is only as good as
an estimator says that it was not taught by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import numpy.typing as npt

from amgan.data.store import Store
from amgan.data.table import Row, held_for_judges
from amgan.errors import DatasetError
from amgan.models.estimates import COVERED
from amgan.models.estimator import Progress, SignEstimators, SignLabels, SignReport
from amgan.models.ridge import pearson
from amgan.training.estimating import face_features, fit_estimators, sign_labels

Purpose = Literal["maps", "evaluation"]
PURPOSES: tuple[Purpose, ...] = get_args(Purpose)


@dataclass(frozen=True)
class SplitReport:
    """How well an estimator did on a split.

    Attributes:
        count: Zones that a person graded.
        correlation: Pearson's r; 0 with fewer than two.
        error: Mean absolute error, in units of the score.
        within: Share of those whose error is less than the deviation foretold.
        covered: Zones that a person could not judge.
        covered_found: How many of those the estimator calls covered.
        covered_falsely: How many graded zones it calls covered.
    """

    count: int
    correlation: float
    error: float
    within: float
    covered: int
    covered_found: int
    covered_falsely: int


@dataclass(frozen=True)
class FittedSet:
    """Estimators and what is known of them.

    Attributes:
        estimators: Fitted.
        people: How many they were fitted on, graded or not.
        held_out: Sign, or ``age``, to how it did on held-out people.
        test: The same on the `test` split.
    """

    estimators: SignEstimators
    people: int
    held_out: dict[str, SignReport]
    test: dict[str, SplitReport]


def belongs_to(purpose: Purpose, share: float) -> Callable[[Row], bool]:
    """Whether a row is fitted on for a purpose; by the person, so that nobody is in both sets.

    Args:
        purpose: ``maps`` takes the training people, ``evaluation`` a share of them, which ``maps`` does without, and
            the `val` split.
        share: That share (``TrainConfig.judge_share``).
    """

    def for_maps(row: Row) -> bool:
        return row.split == "train" and not held_for_judges(row, share)

    def for_evaluation(row: Row) -> bool:
        return row.split == "val" or held_for_judges(row, share)

    return for_maps if purpose == "maps" else for_evaluation


def fit_set(
    store: Store,
    estimators: SignEstimators,
    purpose: Purpose,
    share: float,
    progress: Progress = iter,
    fitting: Progress = iter,
) -> FittedSet:
    """Fits and tests the estimators of one purpose, on people's grades alone: estimates would only repeat themselves.

    Args:
        store: Prepared faces.
        estimators: Fitted in place.
        purpose: See `belongs_to`.
        share: See `belongs_to`.
        progress: Shows how far the features are.
        fitting: Shows how far the fit is, where it takes long.

    Raises:
        DatasetError: A sign is scored on too few people.
    """
    rows = store.subset(belongs_to(purpose, share))
    try:
        reports = fit_estimators(store, estimators, rows, progress, fitting, estimated=False)
    except DatasetError as error:
        raise DatasetError(
            f"set {purpose!r}: {error}; grade more people of it, or give another --judge-share"
        ) from error
    people = {store.rows[i].identity for i in rows}
    test = store.subset(lambda row: row.split == "test")
    labels = sign_labels(store, estimators.atlas, face_features(store, estimators), test, estimated=False)
    tested = {name: compare(estimators, name, known) for name, known in labels.items()}
    return FittedSet(estimators, len(people), reports, tested)


def compare(estimators: SignEstimators, name: str, known: SignLabels) -> SplitReport:
    """Compares the estimates of a sign, or of ``age``, with what people say."""
    scored = np.isfinite(known.scores)
    scores, deviations, probability = estimators.predict_sign(name, known.features)
    covered = probability >= COVERED
    errors = np.abs(scores - known.scores)[scored]
    return SplitReport(
        count=int(scored.sum()),
        correlation=pearson(scores[scored], known.scores[scored]) if scored.any() else 0.0,
        error=_mean(errors),
        within=_mean(errors < deviations[scored]),
        covered=int(known.covered.sum()),
        covered_found=int((covered & known.covered).sum()),
        covered_falsely=int((covered & scored).sum()),
    )


def _mean(values: npt.NDArray[np.float64] | npt.NDArray[np.bool_]) -> float:
    return float(values.mean()) if len(values) else float("nan")
