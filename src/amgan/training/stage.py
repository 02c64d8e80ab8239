"""A stage of training: sizes, steps and rates."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from amgan.data.patches import MASK_SIZE


class Frozen(BaseModel):
    """A part of a config: never changed, unknown keys refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Stage(Frozen):
    """A stretch of training at one resolution; both learning rates fall linearly to zero over it.

    Attributes:
        image_size: Faces are shrunk to this side, pixels; they are prepared as large as the largest stage wants them.
        patch: Side of a patch, pixels.
        batch: Patches a step, on however many processes.
        accumulate: Equal parts in which each process goes through its patches, one after the other, for less memory;
            the gradients are those of all of them.
        steps: Steps of this stage.
        rate: Learning rate of both networks at its start, unless `critic_rate` is given.
        critic_rate: Learning rate of the critic, if another.
        map_head_steps: Steps at its start in which the map head learns alone ("features" only); they come on top.
        map_patch: Least and most side to which patches are shrunk for the critic's map head, another in each step, so
            that no pattern of one scale passes for a sign; in the first stage this is the scale it learns.
        critic_alone: Steps at its start, of `steps`, in which the critic learns and the generator stands still; for a
            generator that knows more than its critic (`TrainConfig.start`). They take about half of a step's time.
        unjudged: Steps at its start in which the critic stands still and what grafts want is all that the generator
            learns from ("change" only): until it changes something there is nothing to judge.
        stem: The generator's stem in this stage, if it is to be larger than before; the generator is then grown
            (`amgan.models.grow`), so that it goes on at twice the size with what it knows.
        half_every: Every this-many-th step is made on faces and patches of half the size and four times as many of
            them, so that the generator serves small faces too; 0 for never.
    """

    image_size: int = Field(ge=MASK_SIZE, le=4096, multiple_of=MASK_SIZE)
    patch: int = Field(ge=32, multiple_of=16)
    batch: int = Field(ge=1)
    accumulate: int = Field(default=1, ge=1)
    steps: int = Field(ge=1)
    rate: float = Field(gt=0)
    critic_rate: float | None = Field(default=None, gt=0)
    map_head_steps: int = Field(default=0, ge=0)
    map_patch: tuple[int, int] = (112, 144)
    critic_alone: int = Field(default=0, ge=0)
    unjudged: int = Field(default=0, ge=0)
    stem: Literal[2, 4, 8] | None = None
    half_every: int = Field(default=0, ge=0)

    @property
    def rate_of_critic(self) -> float:
        """Learning rate of the critic at the stage's start."""
        return self.rate if self.critic_rate is None else self.critic_rate

    def at(self, step: int) -> Stage:
        """Sizes of one step of this stage."""
        if not self.half_every or step % self.half_every != self.half_every - 1:
            return self
        half = {"image_size": self.image_size // 2, "patch": self.patch // 2, "batch": 4 * self.batch}
        return self.model_copy(update=half)
