"""The sizes of a stage's steps."""

import torch
from torch.nn import functional as F

from amgan.data.patches import FacePatches
from amgan.training.config import TrainConfig


def test_every_so_often_a_step_is_made_at_half_the_size(patches: FacePatches) -> None:
    stage = TrainConfig.model_validate(
        {
            "data": ".",
            "stages": [{"image_size": 512, "patch": 64, "batch": 2, "steps": 9, "rate": 1, "half_every": 3}],
        }
    ).stages[0]
    assert [stage.at(step).image_size for step in range(4)] == [512, 512, 256, 512]
    half = patches.at(256)
    small = half.batch(0, stage.at(2).batch, stage.at(2).patch)
    assert small.image.shape == (8, 3, 32, 32) and patches.image_size == 512
    # A patch of half the size shows the same share of the face.
    same = patches.batch(0, 8, 64)
    assert torch.allclose(small.location.mean(dim=(2, 3)), same.location.mean(dim=(2, 3)), atol=1e-5)
    assert torch.allclose(F.avg_pool2d(same.image, 2).mean(), small.image.mean(), atol=0.02)
