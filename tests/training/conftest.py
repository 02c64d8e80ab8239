from __future__ import annotations

from pathlib import Path

import pytest
import torch

from amgan.data.draw import Draw
from amgan.data.patches import Batch, FacePatches
from amgan.data.store import prepare
from amgan.maps.packing import pack_zones
from amgan.models.ridge_estimators import RidgeEstimators
from amgan.signs.atlas import unit_atlas
from amgan.training.config import TrainConfig
from amgan.training.dry_run import random_batch
from amgan.training.estimating import fit_estimators, zone_scores


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


@pytest.fixture(scope="session")
def patches(face_set: Path, tmp_path_factory: pytest.TempPathFactory) -> FacePatches:
    """Patches of the generated faces at 512 px, with the scores of people and, where those are missing, estimates."""
    atlas = unit_atlas()
    store = prepare(face_set, tmp_path_factory.mktemp("store"), atlas)
    rows = store.subset(lambda row: row.split == "train")
    estimators = RidgeEstimators(atlas)
    fit_estimators(store, estimators, rows)
    scores, ages = zone_scores(store, estimators)
    return FacePatches(store, atlas, rows, Draw(atlas, scores[rows], ages[rows]), pack_zones(atlas), 512, seed=0)
