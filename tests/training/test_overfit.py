"""Whether the recipe `photos` learns at all: four faces, whose maps its critic has to know by heart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from amgan.data.draw import Draw
from amgan.data.patches import FacePatches
from amgan.data.store import prepare
from amgan.maps.packing import pack_zones
from amgan.models.critic import MAP_SIZE
from amgan.models.ridge_estimators import RidgeEstimators
from amgan.signs.atlas import unit_atlas
from amgan.training.config import config_path, load_config
from amgan.training.estimating import fit_estimators, zone_scores
from amgan.training.networks import Networks
from amgan.training.parallel import start_fabric
from amgan.training.step import map_head_step

ATLAS = unit_atlas()
FACES, STEPS = 4, 120


@pytest.mark.slow
def test_the_default_critic_learns_the_maps_of_four_faces(face_set: Path, run_folders: Path) -> None:
    config = load_config(config_path("photos"), ["precision=fp32", "critic.texture=0"], face_set)
    store = prepare(face_set, run_folders / "prepared", ATLAS)
    rows = store.subset(lambda row: row.split == "train")
    estimators = RidgeEstimators(ATLAS)
    fit_estimators(store, estimators, rows)
    scores, ages = zone_scores(store, estimators)
    # Spread over the scores, so that knowing their mean is not enough.
    four = rows[np.linspace(0, len(rows) - 1, FACES).round().astype(int)]
    draw = Draw(ATLAS, scores[four], ages[four], config.alone, config.balance_ages)
    patches = FacePatches(store, ATLAS, four, draw, pack_zones(ATLAS), 256, config.seed)
    stage = config.stages[0].model_copy(update={"image_size": 256, "patch": 64, "batch": FACES})
    batch = patches.batch(0, stage.batch, stage.patch)
    torch.manual_seed(0)
    fabric, nets = start_fabric("fp32"), Networks(config, 1)
    errors = [
        float(map_head_step(fabric, nets, batch, stage, step, 1.0 if step < 0.7 * STEPS else 0.1)["d_age"])
        for step in range(STEPS)
    ]
    # The first errors are those of weights that nobody taught; a head that says 0 everywhere does better.
    of_silence = float(F.adaptive_avg_pool2d(batch.source, MAP_SIZE).pow(2).mean())
    assert np.mean(errors[-10:]) < 0.1 * min(of_silence, np.mean(errors[:3]))
