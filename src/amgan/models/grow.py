"""Growing a generator: what it learned on small faces goes on at twice the size, with a finer output to learn.

Training coarse first is fast, but a network that draws wrinkles at 512 px draws them half as wide at 1024. So the
stem is doubled: it folds twice as many pixels, the trunk sees just what it saw before, and the head gets one more
step up, in which the fine detail is learned.
"""

from __future__ import annotations

import torch

from amgan.models.blocks import SLOPE
from amgan.models.generator import Generator

# The least `base_channels` that can grow: what came out before passes the new step as itself and as its negative.
GROWS = 8


@torch.no_grad()
def grow(small: Generator, seed: int) -> Generator:
    """A generator of twice the stem that does at twice the size what `small` does.

    Only the last convolution is taken over approximately: its 3x3 taps fall on pixels of half the width.

    Args:
        small: A generator with a stem of 2 or 4, whose head ends in at least `GROWS` channels.
        seed: Of what is new in it; a generator and its average are to get the same.

    Returns:
        A new generator; `small` is left as it is.
    """
    config = small.config
    # On the processor and apart from all other draws, so that a run that goes on grows as one that never stopped.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        large = Generator(config.model_copy(update={"stem": 2 * config.stem}))
    state = small.state_dict()
    # Averaging 2x2 pixels and folding s x s is folding 2s x 2s with every weight repeated and quartered.
    weight = state["stem.weight"].unflatten(1, (3, config.stem, config.stem))
    for axis in (2, 3):
        weight = weight.repeat_interleave(2, dim=axis) / 2
    state["stem.weight"] = weight.flatten(1, 3)

    last_weight, last_bias = state.pop("output.weight"), state.pop("output.bias")
    outputs, width = last_weight.shape[:2]
    fresh = large.state_dict()
    step = f"head.{len(small.head)}"
    fine_weight, fine_bias = fresh[f"{step}.weight"].clone(), fresh[f"{step}.bias"].clone()
    for rows, sign in ((slice(0, outputs), 1), (slice(outputs, 2 * outputs), -1)):
        fine_weight[rows, :width], fine_weight[rows, width:], fine_bias[rows] = sign * last_weight, 0, sign * last_bias
    # Each output passes the nonlinearity as itself and as its negative, which together undo it.
    out_weight = torch.zeros_like(fresh["output.weight"])
    for index in range(outputs):
        out_weight[index, index, 1, 1] = 1 / (1 + SLOPE)
        out_weight[index, outputs + index, 1, 1] = -1 / (1 + SLOPE)
    state |= {f"{step}.weight": fine_weight, f"{step}.bias": fine_bias}
    state |= {"output.weight": out_weight, "output.bias": torch.zeros_like(last_bias)}
    large.load_state_dict(state)
    return large
