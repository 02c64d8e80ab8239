"""Whether the recipes learn at all: four faces, whose maps the critics have to know by heart."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from amgan.data.draw import Draw
from amgan.data.grafts.graft import Grafts
from amgan.data.patches import Batch, FacePatches
from amgan.data.store import prepare
from amgan.maps.packing import pack_zones
from amgan.models.critic import MAP_SIZE
from amgan.models.ridge_estimators import RidgeEstimators
from amgan.signs.atlas import unit_atlas
from amgan.training.config import Stage, TrainConfig
from amgan.training.config_file import config_path, load_config
from amgan.training.estimating import fit_estimators, zone_scores
from amgan.training.networks import Networks
from amgan.training.parallel import start_fabric
from amgan.training.step import map_head_step, train_step

ATLAS = unit_atlas()
FACES, STEPS = 4, 120


def four_faces(config: TrainConfig, face_set: Path, folder: Path, grafted: bool) -> tuple[Stage, Batch]:
    """A stage of small patches, and a batch of one of each of four faces that are spread over the scores.

    So knowing their mean is not enough.
    """
    store = prepare(face_set, folder / "prepared", ATLAS)
    rows = store.subset(lambda row: row.split == "train")
    estimators = RidgeEstimators(ATLAS)
    fit_estimators(store, estimators, rows)
    scores, ages = zone_scores(store, estimators)
    four = rows[np.linspace(0, len(rows) - 1, FACES).round().astype(int)]
    draw = Draw(ATLAS, scores[four], ages[four], config.alone, config.even, config.balance_ages)
    grafts = Grafts(store, ATLAS, four, draw, 2**28, hair=False) if grafted else None
    on_face = config.generator.places == "face"
    patches = FacePatches(store, ATLAS, four, draw, pack_zones(ATLAS), 256, config.seed, on_face=on_face, grafts=grafts)
    stage = config.stages[0].model_copy(update={"image_size": 256, "patch": 64, "batch": FACES})
    return stage, patches.batch(0, stage.batch, stage.patch)


@pytest.mark.slow
def test_the_critic_of_default_learns_the_maps_of_four_faces(face_set: Path, run_folders: Path) -> None:
    # Without a memory of lines, which the critic does not see.
    small = ["precision=fp32", "generator.base_channels=8", "generator.lines=0", "generator.patterns=1"]
    config = load_config(config_path("default"), small, face_set)
    stage, batch = four_faces(config, face_set, run_folders, grafted=True)
    torch.manual_seed(0)
    fabric, nets = start_fabric("fp32"), Networks(config, 1)
    errors = []
    for step in range(STEPS):
        # Falling as over a stage: at the full rate the error wavers by twice itself.
        nets.set_rates(stage, 1 - step / STEPS)
        errors.append(float(train_step(fabric, nets, batch, stage, 0, critic_alone=True)["d_age"]))
    of_silence = float(F.adaptive_avg_pool2d(batch.target, MAP_SIZE).pow(2).mean())
    assert np.mean(errors[-10:]) < 0.1 * min(of_silence, np.mean(errors[:3]))


@pytest.mark.slow
def test_the_critic_of_photos_learns_the_maps_of_four_faces(face_set: Path, run_folders: Path) -> None:
    config = load_config(config_path("photos"), ["precision=fp32", "critic.texture=0"], face_set)
    stage, batch = four_faces(config, face_set, run_folders, grafted=False)
    torch.manual_seed(0)
    fabric, nets = start_fabric("fp32"), Networks(config, 1)
    errors = [
        float(map_head_step(fabric, nets, batch, stage, step, 1.0 if step < 0.7 * STEPS else 0.1)["d_age"])
        for step in range(STEPS)
    ]
    # The first errors are those of weights that nobody taught; a head that says 0 everywhere does better.
    of_silence = float(F.adaptive_avg_pool2d(batch.source, MAP_SIZE).pow(2).mean())
    assert np.mean(errors[-10:]) < 0.1 * min(of_silence, np.mean(errors[:3]))
