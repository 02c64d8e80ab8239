"""What an evaluation asks of any model: of which faces, and what of each."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from amgan.data.curation.limits import Limits
from amgan.data.store import Store
from amgan.errors import DatasetError
from amgan.evaluation.protocol import Plan, faces_that_count, make_plans
from amgan.evaluation.run import Progress
from amgan.signs.atlas import Atlas


@dataclass(frozen=True)
class Settings:
    """What decides which faces are evaluated and how.

    Attributes:
        split: ``train``, ``val`` or ``test``.
        every: Only each so-many-th photo of the split.
        seed: Of all draws.
        sweeps: Faces each sign is swept on.
        controlled: Faces with blur and sharpen controls.
    """

    split: str = "test"
    every: int = 1
    seed: int = 0
    sweeps: int = 8
    controlled: int = 40


@dataclass(frozen=True)
class Inquiry:
    """What is asked, the same of all models.

    Attributes:
        store: Prepared faces.
        judged: Prepared faces whose grades the judge of the signs is fitted on.
        settings: What decides which faces are asked for and how.
        limits: Which faces count.
        plans: What is asked of each that counts.
        left_out: How many others were left out for which reason.
        sources: Which judges a user has added, ``inception`` and ``faceres``: a URL, or the digest of a file.
    """

    store: Store
    judged: Store
    settings: Settings
    limits: Limits
    plans: Sequence[Plan]
    left_out: Mapping[str, int]
    sources: Mapping[str, str | None]


def make_inquiry(
    store: Store,
    settings: Settings,
    limits: Limits,
    atlas: Atlas,
    progress: Progress[Any],
    judged: Store | None = None,
    inception: str | None = None,
    faceres: str | None = None,
) -> Inquiry:
    """Looks which faces of a split count, and draws what is asked of each.

    Args:
        store: Prepared faces.
        settings: See `Inquiry`, as are limits.
        limits: As above.
        atlas: The signs.
        progress: Wraps the faces.
        judged: Prepared faces whose grades the judge of the signs is fitted on; else `store`.
        inception: Where StyleGAN's Inception comes from, if FID is measured.
        faceres: Where a second judge of age comes from.

    Raises:
        DatasetError: Too few are left to compare two halves.
    """
    of_split = [(index, row) for index, row in enumerate(store.rows) if row.split == settings.split]
    rows = of_split[:: settings.every]
    faces, left_out = faces_that_count(progress(rows, "which faces count", len(rows)), limits, atlas)
    if len({row.identity for _, row in faces}) < 4:
        raise DatasetError(
            f"{len(faces)} faces of the split {settings.split} count, of {len(rows)}; 4 people at least are wanted: "
            "take another --split, a lower --every, or wider --limits"
        )
    donors = [row for _, row in of_split]
    plans = make_plans(faces, donors, atlas, settings.seed, settings.sweeps, settings.controlled)
    sources = {"inception": _content(inception), "faceres": _content(faceres)}
    return Inquiry(store, store if judged is None else judged, settings, limits, plans, left_out, sources)


def _content(source: str | None) -> str | None:
    """A URL as it is, and of a file a digest of it and of the weights beside it; its name where none is there."""
    if source is None or "://" in source or not Path(source).is_file():
        return source
    found = hashlib.sha256()
    for path in sorted({Path(source), Path(source).with_suffix(".bin")}):
        if path.is_file():
            found.update(path.read_bytes())
    return found.hexdigest()
