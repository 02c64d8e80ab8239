from __future__ import annotations

from pathlib import Path

import pytest
import torch

from amgan.data.patches import Batch
from amgan.training.config import TrainConfig
from amgan.training.dry_run import random_batch


@pytest.fixture(scope="session")
def smallest(face_set: Path) -> TrainConfig:
    """A run of a second, with a line of statistics a step and a checkpoint every other step."""
    stage = {"image_size": 256, "patch": 32, "batch": 4, "steps": 8, "map_head_steps": 2, "map_patch": (32, 32)}
    return TrainConfig.model_validate(
        {
            "data": face_set,
            "judge_share": 0.0,
            "generator": {"base_channels": 8, "blocks": 1},
            "critic": {"base_channels": 8},
            "map_head_every": 2,
            "precision": "fp32",
            "hide_side": True,
            "log_every": 1,
            "checkpoint_every": 2,
            "sheet_every": 1000,
            "stages": [stage | {"rate": 1e-3}],
        }
    )


@pytest.fixture(scope="session")
def run_folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where runs on the generated faces lie side by side, so that these are prepared once."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture
def six(smallest: TrainConfig) -> Batch:
    """Six patches of noise, no two alike."""
    batch = random_batch(smallest.stages[0].model_copy(update={"batch": 6}), 1)
    assert not torch.equal(batch.image[0], batch.image[1])
    return batch
