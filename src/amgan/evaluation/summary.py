"""All figures of a model on one set of faces."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from amgan.evaluation.face import Found
from amgan.evaluation.jsonable import jsonable
from amgan.evaluation.protocol import Plan
from amgan.evaluation.totals.distances import distances
from amgan.evaluation.totals.figure import Faces, Figure
from amgan.evaluation.totals.person import ages, identity
from amgan.evaluation.totals.pictures import pictures
from amgan.evaluation.totals.responses import Matrix, Response, responses, sweeps_of, talk_matrix
from amgan.evaluation.totals.signs import sign_changes, sign_errors
from amgan.signs.atlas import Atlas


@dataclass(frozen=True)
class Summary:
    """All figures of an evaluation.

    Attributes:
        model: Name of the model.
        faces: How many were measured.
        failed: Name to error of those that were not.
        figures: In the order of the report.
        cross_talk: Swept sign to sign to change over the swept sign's own.
        sweeps: Sign to what the judge said at each of `LEVELS`, a face an entry.
        judge: Sign to cross-validated correlation ``r`` and mean absolute ``error`` of the judge on real faces.
        settings: What the evaluation was of; under ``missing`` the kinds of pictures that a folder has in part, and how
            many it lacks.
    """

    model: str
    faces: int
    failed: Mapping[str, str]
    figures: Sequence[Figure]
    cross_talk: Matrix
    sweeps: Mapping[str, Sequence[Response]]
    judge: Mapping[str, Mapping[str, float]]
    settings: Mapping[str, Any]

    @property
    def missing(self) -> list[str]:
        """A line for each kind of picture that is there in part: its figures are of the faces that have one."""
        return [f"{kind}: {lacking}" for kind, lacking in self.settings.get("missing", {}).items()]

    def figure(self, key: str) -> Figure | None:
        """The figure of a key, if it could be measured."""
        return next((figure for figure in self.figures if figure.key == key), None)


def summarise(
    model: str,
    plans: Sequence[Plan],
    found: Sequence[Found],
    atlas: Atlas,
    judge: Mapping[str, Mapping[str, float]],
    settings: Mapping[str, Any],
) -> Summary:
    """All figures.

    Args:
        model: Its name.
        plans: What was asked of each face.
        found: What was found on it.
        atlas: The signs.
        judge: How good the judge of the signs is, for the report.
        settings: For the report.
    """
    failed = {one.name: one.error for one in found if one.error}
    pairs = [(p, f) for p, f in zip(plans, found, strict=True) if not f.error]
    faces = Faces([p for p, _ in pairs], [f for _, f in pairs], atlas)
    families = (distances, sign_errors, responses, identity, ages, sign_changes, pictures)
    figures = [figure for family in families for figure in family(faces)] if pairs else []
    return Summary(model, len(pairs), failed, figures, talk_matrix(faces), sweeps_of(faces), judge, settings)


def as_dict(summary: Summary) -> dict[str, Any]:
    """For JSON; what is no finite number becomes null, also the ratio of a worst group that has none of it."""
    content = dataclasses.asdict(summary)
    for entry, figure in zip(content["figures"], summary.figures, strict=True):
        entry |= {"met": figure.met, "worst_group": figure.worst[0], "worst_group_ratio": figure.worst[1]}
    cleaned: dict[str, Any] = jsonable(content)
    return cleaned
