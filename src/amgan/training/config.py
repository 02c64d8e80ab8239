"""Everything about a training run: frozen, unknown keys refused; `amgan.training.config_file` reads it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, model_validator

from amgan.data.grafts.pattern import Giver
from amgan.data.images import Keeping
from amgan.data.patches import MASK_SIZE
from amgan.data.store import SIZE
from amgan.models.bundle import PACKAGED, packaged_model
from amgan.models.critic import CriticConfig
from amgan.models.estimator_kinds import Kind
from amgan.models.generator import GeneratorConfig
from amgan.models.grow import GROWS
from amgan.models.precision import TrainingPrecision
from amgan.training.stage import Frozen
from amgan.training.stage import Stage as Stage

Weight = Annotated[float, Field(ge=0)]
Beta = Annotated[float, Field(ge=0, lt=1)]


class Weights(Frozen):
    """Weights of the losses (Eq. 4; those without an equation are ours).

    Attributes:
        realness: L_WGAN with the critic "conv", the hinge loss with "features".
        age: L_Age, of the generator and the critic "conv". The map head of "features" learns with weights of its own
            (`amgan.training.gradients.map_head_gradients`).
        location: L_Loc, of the same two.
        cycle: L_Cyc, the perceptual part.
        cycle_pixel: Mean absolute difference of the cycle.
        penalty: L_GP; used with the critic "conv" alone.
        tint: Mean colours over squares of 1/8 patch.
        moved: The share of the change that is another when the patch is moved by less than the generator's coarsest
            cell, or mirrored too; 0 for not at all, which saves a pass of the generator.
        pair: Of grafts: perceptual distance from what is wanted.
        pair_pixel: Of grafts: mean absolute difference from it.
        skin: Of grafts: where a generator with a memory of lines takes skin to be bare.
        pair_match: Of grafts: difference from it in the critic's features.
    """

    realness: Weight = 1.0
    age: Weight = 100.0
    location: Weight = 10.0
    cycle: Weight = 10.0
    cycle_pixel: Weight = 10.0
    penalty: Weight = 10.0
    tint: Weight = 20.0
    moved: Weight = 0.0
    pair: Weight = 20.0
    pair_pixel: Weight = 10.0
    skin: Weight = 1.0
    pair_match: Weight = 5.0


class TrainConfig(Frozen):
    """A whole training run.

    Attributes:
        data: Folder of `amgan curate`, or of faces.csv and its photos.
        atlas: YAML of signs, zones and grades; None is the `unit` atlas that comes with the package.
        start: A finished model (its folder, or "default" or "permissive" for a shipped one) whose generator is gone on
            with; the critic starts anew. `generator` is then that model's and not given.
        licences: Of the photos that are learned from, as the data names them, such as "CC0 1.0"; with none any licence
            will do. The model's own notice names those that there were.
        judge_share: Share of the training identities kept from every network here, for evaluation's judges.
        estimators: Kind of the sign estimators: "ridge", or the paper's "resnet18" from scratch, which wants thousands
            of scored faces.
        seed: Of everything random.
        generator: The generator.
        critic: The critic.
        betas: Adam's, of generator and critic; the map head of "features" has PyTorch's own, 0.9 and 0.999.
        weights: Of the losses.
        age_outside: What an error of the aging map counts, for the generator, where no sign's zone lies: there age
            alone is asked for, and a full weight draws lines where hardly anyone has them.
        hide_side: Mirrors the X map of every other patch, for the generator and the realness heads alike, so that no
            habit grows on one side of all faces.
        cycle_share: Share of each batch that goes through the cycle, which is half of a step's cost; none does where
            both of its weights are 0.
        penalty_every: L_GP is computed at every this-many-th step and counts so many times as much there ("conv" only);
            more than the paper's 1 saves most of its time.
        map_head_every: Beside the generator the map head learns at every this-many-th step.
        map_head_rate: Factor on its learning rates (2e-4 for the trunk, 1e-3 for the head) beside the generator.
        map_head_fakes: Weight of made patches in those steps. On them the head is taught the map of the photo they
            were made from, so that what fools it is worth nothing and only what real skin shows is; 0 for none.
        degraded: Share of the patches that are made blurred, noisy or JPEG-like, real and made alike, so that the
            generator serves such photos too and sharpness does not pass for age.
        recolour: Whether every patch gets another colour and light, real and made alike, so that no skin colour can
            stand for age.
        balance_ages: Whether faces are drawn evenly over age, as far as a factor of ten allows, since the old are few;
            otherwise every face is drawn alike.
        alone: Share of the targets that ask for one sign, or one side of it, where all else stays as it is; for people
            who move one slider.
        even: Share of the other targets that ask for one score of every sign and of the age, as people do who move one
            slider for all of them. Most other targets are near to what a face has, and change next to nothing that a
            critic could learn from.
        givers: For a memory of lines: in each of its patterns, who of the data gives the lines of each sign to all who
            grow older, and "rest" those elsewhere: a face, a factor and whether all, the "lines" or the "spots" of it
            are given (`amgan.data.grafts.pattern`). With none they are chosen by their scores
            (`amgan.data.grafts.givers`). Without a memory anyone old gives lines to anyone.
        restrained: Whether changes are made in training as in use: less off the skin, and of no other hue
            (`amgan.maps.change`). Without, only the generator's own attention keeps a picture as it is; in use
            `generator.guarded` says what is taken away.
        feature_noise: Standard deviation of the noise on what the frozen ImageNet trunk sees, pictures being -1..1: for
            the realness heads of "features", so that they judge nothing fainter, and in both pictures of the perceptual
            cycle, with either critic, which then keeps nothing fainter.
        clip: Largest norm of the generator's gradients, which are shrunk to it; 0 for no limit. Without norms one odd
            patch can undo what was learned.
        ema_images: Half-life of the generator's moving average, images.
        precision: "bf16", "fp16" (GPUs only, with scaled gradients) or "fp32" for the networks, or "auto": bf16 where
            the processor or GPU is fast with it, else fp32. Losses are always fp32.
        log_every: Steps between lines of statistics; a line has the means over them.
        images: How prepared faces are kept, which changes no batch: "raw", decoded and mapped into memory, or "webp",
            lossless files of about a quarter of that; "auto" is "raw" up to 64 GiB.
        cache_gib: What decoded or shrunk faces and masks may take of the memory, GiB; of each process.
        workers: Threads that prepare the next batches while a step is made; with 0 the patches of each are made when it
            is asked for, as many at once as PyTorch has threads, which is quickest on two cores for grafts, since they
            take long to make. None of these three changes a batch.
        checkpoint_every: Steps.
        sheet_every: Steps.
        stages: One after the other.
    """

    data: Path
    atlas: Path | None = None
    start: Path | Literal["default", "permissive"] | None = None
    licences: list[str] = Field(default_factory=list)
    judge_share: float = Field(default=0.2, ge=0, lt=1)
    estimators: Kind = "ridge"
    seed: int = Field(default=0, ge=0)
    generator: GeneratorConfig = GeneratorConfig()
    critic: CriticConfig = CriticConfig()
    betas: tuple[Beta, Beta] = (0.5, 0.99)
    weights: Weights = Weights()
    age_outside: float = Field(default=1.0, ge=0, le=1)
    hide_side: bool = False
    cycle_share: float = Field(default=0.5, gt=0, le=1)
    penalty_every: int = Field(default=1, ge=1)
    map_head_every: int = Field(default=4, ge=1)
    map_head_rate: float = Field(default=0.1, gt=0)
    map_head_fakes: float = Field(default=0.3, ge=0)
    degraded: float = Field(default=0.0, ge=0, le=1)
    recolour: bool = True
    balance_ages: bool = True
    alone: float = Field(default=0.0, ge=0, le=1)
    even: float = Field(default=0.1, ge=0, le=1)
    givers: list[dict[str, Giver]] = Field(default_factory=list)
    restrained: bool = True
    feature_noise: float = Field(default=0.02, ge=0)
    clip: float = Field(default=0.0, ge=0)
    ema_images: float = Field(default=2000, gt=0)
    precision: TrainingPrecision = "auto"
    log_every: int = Field(default=20, ge=1)
    images: Keeping = "auto"
    cache_gib: float = Field(default=4.0, ge=0)
    workers: int = Field(default=1, ge=0)
    checkpoint_every: int = Field(default=100, ge=1)
    sheet_every: int = Field(default=200, ge=1)
    stages: list[Stage] = Field(min_length=1)

    @model_validator(mode="after")
    def _switches_are_of_the_critic(self) -> TrainConfig:
        if self.critic.kind == "conv" and self.critic.scales > 1:
            raise ValueError('critic: scales is no switch of kind "conv"; leave it out')
        if self.critic.kind != "conv" and self.penalty_every > 1:
            raise ValueError('penalty_every is for the critic of kind "conv"; leave it out')
        if self.critic.kind != "features" and self.critic.texture:
            raise ValueError('critic: texture is a switch of kind "features"; leave it out')
        if self.critic.texture_window and not self.critic.texture:
            raise ValueError("critic: texture_window is a switch of texture; set that, or leave it out")
        if self.critic.kind != "change" and any(stage.unjudged for stage in self.stages):
            raise ValueError('stages: unjudged is for the critic of kind "change"; leave it out')
        if self.critic.kind != "features" and any(stage.map_head_steps for stage in self.stages):
            raise ValueError('stages: map_head_steps are for the critic of kind "features"; leave them out')
        return self

    @model_validator(mode="after")
    def _phases_fit(self) -> TrainConfig:
        for index, stage in enumerate(self.stages):
            if stage.critic_alone and stage.unjudged:
                raise ValueError(f"stages.{index}: critic_alone and unjudged leave nothing to learn; take one of them")
            if max(stage.critic_alone, stage.unjudged) > stage.steps:
                raise ValueError(
                    f"stages.{index}: critic_alone and unjudged are of its steps, {stage.steps}; ask for less"
                )
        return self

    @model_validator(mode="after")
    def _lines_have_a_side(self) -> TrainConfig:
        if self.generator.lines and (self.hide_side or self.weights.moved):
            raise ValueError("generator.lines: they have a left and a right; leave hide_side and weights.moved out")
        if self.givers and (self.critic.kind != "change" or self.generator.places != "face"):
            raise ValueError('givers: want critic.kind "change" and generator.places "face"; leave them out')
        if self.givers and self.start is not None:
            raise ValueError("givers: the lines are those that the model of start remembers; leave givers out")
        if self.givers and not self.generator.lines:
            raise ValueError("givers: give the lines of a memory; set generator.lines, or leave givers out")
        if self.givers and len(self.givers) != self.generator.patterns:
            wanted = self.generator.patterns
            raise ValueError(f"givers: are {len(self.givers)} sets for generator.patterns {wanted}; give one for each")
        return self

    @model_validator(mode="after")
    def _sizes_fit(self) -> TrainConfig:
        stem = self.generator.stem
        for index, stage in enumerate(self.stages):
            if stage.stem is not None and stage.stem not in (stem, 2 * stem):
                raise ValueError(f"stages.{index}: stem {stage.stem} after {stem}; it stays or doubles")
            if self.generator.lines and stage.stem == 2 * stem:
                raise ValueError(f"stages.{index}: stem {stage.stem}: a generator with a memory of lines does not grow")
            if self.generator.base_channels < GROWS and stage.stem == 2 * stem:
                raise ValueError(f"stages.{index}: stem {stage.stem}: growth wants generator.base_channels of {GROWS}")
            least, most = stage.map_patch
            if not 32 <= least <= most or least % 16 or most % 16:
                raise ValueError(f"stages.{index}: map_patch {least} to {most}; two rising multiples of 16 from 32 on")
            if stage.batch % stage.accumulate:
                raise ValueError(
                    f"stages.{index}: batch {stage.batch} is not divisible by accumulate {stage.accumulate}"
                )
            stem = stage.stem or stem
            # Patches are cut out of the masks too, so they end on whole cells of those.
            multiple = math.lcm(
                self.generator.model_copy(update={"stem": stem}).multiple, stage.image_size // MASK_SIZE
            )
            small = stage.at(stage.half_every - 1) if stage.half_every else stage
            if small.image_size % MASK_SIZE:
                raise ValueError(f"stages.{index}: faces of {small.image_size} px; a multiple of {MASK_SIZE} is wanted")
            if small.patch > small.image_size or small.patch % multiple or small.patch < 32:
                side = f"{small.patch} px" + (" (at half the size)" if stage.half_every else "")
                wanted = f"32 to {small.image_size} and divisible by {multiple}"
                raise ValueError(f"stages.{index}: patches of {side}; a side must be {wanted}")
            if self.weights.moved and small.patch < 2 * self.generator.model_copy(update={"stem": stem}).multiple:
                raise ValueError(f"stages.{index}: patches of {small.patch} px are too small for weights.moved")
            coarsest = small.patch >> (self.critic.scales - 1)
            if self.critic.kind == "features" and coarsest < 32:
                raise ValueError(
                    f"stages.{index}: the critic's smallest view is {coarsest} px; 32 at least: fewer scales"
                )
            if self.critic.kind != "features" and not coarsest >> self.critic.depth:
                raise ValueError(
                    f"stages.{index}: {coarsest} px are halved {self.critic.depth} times; less critic.depth"
                )
        return self

    def stage_at(self, step: int) -> tuple[Stage, float]:
        """The stage of a step and what share of it is left: 1 at its start, more while the map head learns alone."""
        for stage in self.stages:
            step -= stage.map_head_steps
            if step < stage.steps:
                return stage, 1 - step / stage.steps
            step -= stage.steps
        raise ValueError("past the last stage")

    @property
    def face_size(self) -> int:
        """Side at which the faces are prepared, pixels: what the largest stage wants, and at least `SIZE`."""
        return max(SIZE, *(stage.image_size for stage in self.stages))

    @property
    def steps(self) -> int:
        """Steps of all stages."""
        return sum(stage.map_head_steps + stage.steps for stage in self.stages)


def start_folder(start: str | Path) -> Path:
    """The folder that `TrainConfig.start` names."""
    return packaged_model(start) if isinstance(start, str) and start in PACKAGED else Path(start)
