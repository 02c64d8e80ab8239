"""A run of a few steps of small networks, which several tests look at."""

from pathlib import Path

import torch
from torch import nn

from amgan.data.patches import Batch
from amgan.training.config import TrainConfig
from amgan.training.draws import WHOLE, Draws
from amgan.training.networks import Networks
from amgan.training.parallel import start_fabric
from amgan.training.passes import Pass

STAGE = {"image_size": 512, "patch": 64, "batch": 2, "steps": 1, "rate": 1e-3, "map_patch": (48, 64)}


def tiny(data: Path, critic: str = "features", steps: int = 2) -> TrainConfig:
    return TrainConfig.model_validate(
        {
            "data": data,
            "judge_share": 0.0,
            "generator": {"base_channels": 8, "blocks": 1},
            "critic": {"kind": critic, "base_channels": 8, "scales": 1 if critic == "conv" else 2},
            "map_head_every": 1,
            "precision": "fp32",
            "log_every": 1,
            "sheet_every": 3,
            "degraded": 0.5,
            "stages": [STAGE | {"steps": steps, "map_head_steps": 2 if critic == "features" else 0}],
        }
    )


def given(config: TrainConfig, batch: Batch, step: int = 0) -> Pass:
    """A pass over a whole batch with new networks."""
    torch.manual_seed(0)
    draws = Draws(0, 0, len(batch.image))
    return Pass(start_fabric("fp32"), Networks(config, 1), config.stages[0], batch, 3, WHOLE, draws, step)


def gradients(module: nn.Module) -> list[torch.Tensor]:
    """Those of its parameters that have one."""
    return [p.grad.clone() for p in module.parameters() if p.grad is not None]
