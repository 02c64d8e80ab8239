"""One step of generator and critic."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from amgan.data.patches import FacePatches
from amgan.training.networks import Networks
from amgan.training.parallel import start_fabric
from amgan.training.step import train_step

from .small import tiny


@pytest.mark.parametrize("critic", ["features", "conv", "change"])
def test_a_step_moves_both_networks(patches: FacePatches, critic: str, face_set: Path) -> None:
    config = tiny(face_set, critic)
    torch.manual_seed(0)
    nets = Networks(config, 1)
    before = {name: value.clone() for name, value in nets.state_dict().items()}
    stage = config.stages[0]
    batch = patches.batch(0, 2, 64)
    stats = train_step(start_fabric("fp32"), nets, replace(batch, wanted=batch.image.flip(0)), stage, 0)
    after = nets.state_dict()
    for part in ("generator.", "ema.", "critic."):
        assert any(not torch.equal(before[k], after[k]) for k in before if k.startswith(part)), part
    assert all(value.isfinite() for value in stats.values())


@pytest.mark.parametrize("critic", ["features", "conv", "change"])
def test_alone_the_critic_learns_what_it_would_beside_a_generator_that_stands_still(
    patches: FacePatches, face_set: Path, critic: str
) -> None:
    config = tiny(face_set, critic=critic)
    stage, fabric, batch = config.stages[0], start_fabric("fp32"), patches.batch(0, 2, 64)
    batch = replace(batch, wanted=batch.image.flip(0))
    found = []
    for alone in (True, False):
        torch.manual_seed(0)
        nets = Networks(config, 1)
        before = {name: value.clone() for name, value in nets.state_dict().items()}
        stats = train_step(fabric, nets, batch, stage, 0, critic_alone=alone)
        moved = {
            name.split(".")[0] for name, value in nets.state_dict().items() if not torch.equal(value, before[name])
        }
        assert moved == ({"critic"} if alone else {"critic", "generator", "ema"})
        assert any(name.startswith("g_") for name in stats) != alone
        found.append(float(stats["d_realness"]))
    # All gradients are made before anyone moves.
    assert found[0] == pytest.approx(found[1], rel=1e-5)


def test_a_cycle_that_weighs_nothing_is_not_made(patches: FacePatches, face_set: Path) -> None:
    passes = {}
    for weight in (0.0, 1.0):
        config = tiny(face_set, critic="conv")
        config = config.model_copy(
            update={"weights": config.weights.model_copy(update={"cycle": 0.0, "cycle_pixel": weight})}
        )
        nets, seen = Networks(config, 1), list[int]()
        nets.generator.register_forward_hook(lambda _, given, __, seen=seen: seen.append(len(given[0])))
        stats = train_step(start_fabric("fp32"), nets, patches.batch(0, 2, 64), config.stages[0], 0)
        passes[weight], cycle = seen, float(stats["g_cycle_pixel"])
        assert (cycle > 0) == (weight > 0)
    assert passes == {0.0: [2], 1.0: [2, 1]}


def test_unjudged_the_generator_learns_from_what_is_wanted_alone(patches: FacePatches, face_set: Path) -> None:
    config = tiny(face_set, critic="change")
    torch.manual_seed(0)
    nets, batch = Networks(config, 1), patches.batch(0, 2, 64)
    before = {name: value.clone() for name, value in nets.state_dict().items()}
    wanted = replace(batch, wanted=batch.image * 0.5)
    stats = train_step(start_fabric("fp32"), nets, wanted, config.stages[0], 0, unjudged=True)
    moved = {name.split(".")[0] for name, value in nets.state_dict().items() if not torch.equal(value, before[name])}
    assert moved == {"generator", "ema"} and set(stats) == {"g_pair_pixel", "g_missing"}
