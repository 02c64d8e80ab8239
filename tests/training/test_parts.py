"""A batch in parts is learned from as the whole of it is."""

from __future__ import annotations

import copy
import sys
from types import SimpleNamespace
from typing import cast

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from lightning_fabric.plugins import MixedPrecision

from amgan.data.patches import Batch
from amgan.errors import ConfigError, EngineError, MissingExtraError
from amgan.training import parallel
from amgan.training import step as step_module
from amgan.training.config import TrainConfig
from amgan.training.draws import Draws, Part
from amgan.training.networks import Networks
from amgan.training.parallel import Machines, losing_no_process, node_by_node, start_fabric
from amgan.training.run_folder import check_shares
from amgan.training.step import map_head_step, train_step


def changed(config: TrainConfig, critic: str = "features", **stage: object) -> TrainConfig:
    content = config.model_dump()
    content["critic"] |= {"kind": critic, "depth": 3}
    # There is no other critic with a map head of its own.
    alone = {} if critic == "features" else {"map_head_steps": 0}
    content["stages"] = [content["stages"][0] | alone | stage]
    return TrainConfig.model_validate(content)


def moved(config: TrainConfig, batch: Batch, steps: int = 1) -> tuple[dict[str, float], dict[str, torch.Tensor]]:
    """Losses of the last step, and what the networks' weights became."""
    torch.manual_seed(0)
    nets, fabric = Networks(config, 1), start_fabric("fp32")
    nets.set_rates(config.stages[0], 1.0)
    for step in range(steps):
        stats = train_step(fabric, nets, batch, config.stages[0], step)
    return {name: float(value) for name, value in stats.items()}, nets.state_dict()


def test_patches_of_all_parts_are_the_batch_and_the_first_ones_are_shared_out(six: Batch) -> None:
    parts = [Part(index, 3).of(six, torch.device("cpu")) for index in range(3)]
    assert all(len(part.image) == 2 for part in parts)
    for index in range(6):
        assert torch.equal(parts[index % 3].image[index // 3], six.image[index])
    assert parts[0].image.is_contiguous(memory_format=torch.channels_last)
    assert [Part(index, 2).among_first(3) for index in range(2)] == [2, 1]
    assert [Part(index, 4).among_first(2) for index in range(4)] == [1, 1, 0, 0]


def test_a_patch_draws_the_same_in_every_part() -> None:
    like = torch.empty(6, 3, 4, 4)
    whole = Draws(1, 5, batch=6)
    noise, chance, size = whole.normal(like), whole.uniform(), whole.integer(0, 1000)
    for index in range(2):
        part = Draws(1, 5, batch=6, part=Part(index, 2))
        assert torch.equal(part.normal(like[index::2]), noise[index::2])
        assert torch.equal(part.uniform(), chance[index::2]) and part.integer(0, 1000) == size
    assert not torch.equal(Draws(1, 6, batch=6).normal(like), noise)
    assert not torch.equal(Draws(2, 5, batch=6).normal(like), noise)
    assert len({float(value) for value in chance}) == 6 and 0 <= chance.min() and chance.max() < 1
    # What is drawn for the step is drawn for none of its patches.
    alone = Draws(1, 5, batch=6)
    of_step = float(torch.rand(1, generator=alone._step))
    assert of_step not in {float(value) for value in alone.uniform()}


# Of six patches three are cycled, which two parts cannot share evenly, and one is, which two of three parts have not.
@pytest.mark.parametrize(("critic", "parts", "cycled"), [("features", 2, 0.5), ("features", 3, 0.1), ("conv", 3, 1.0)])
def test_gradients_of_the_parts_are_those_of_the_batch(
    smallest: TrainConfig, six: Batch, critic: str, parts: int, cycled: float
) -> None:
    config = changed(smallest, critic, batch=6).model_copy(update={"cycle_share": cycled})
    in_parts = changed(config, critic, batch=6, accumulate=parts)
    (one, before), (many, after) = moved(config, six), moved(in_parts, six)
    assert one.keys() == many.keys() and one["g_cycle"] > 0
    assert many == pytest.approx(one, rel=1e-4, abs=1e-6)
    # Adam's first step is as long for the smallest gradient as for the largest, so that where there is none but noise
    # the order of summing decides.
    apart = torch.cat([(after[name] - before[name]).abs().flatten() for name in before])
    assert (apart > 1e-5).float().mean() < 0.01


@pytest.mark.parametrize("critic", ["features", "conv"])
def test_two_passes_leave_the_gradients_of_two_processes_to_the_bit(
    smallest: TrainConfig, six: Batch, critic: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A critic with a penalty goes backward twice in every pass.
    fabric, together, found = start_fabric("fp32"), changed(smallest, critic, batch=6, accumulate=2), []

    def leave(fabric: Fabric, optimisers: list[torch.optim.Optimizer]) -> None:
        found.append([each.grad for one in optimisers for group in one.param_groups for each in group["params"]])

    monkeypatch.setattr(step_module, "average_gradients", leave)
    monkeypatch.setattr(step_module, "step_all", lambda *_: None)
    passes = [(together, six, Part(0, 1))]
    apart = changed(smallest, critic, batch=6)
    passes += [(apart, Part(rank, 2).of(six, torch.device("cpu")), Part(rank, 2)) for rank in (0, 1)]
    for config, batch, part in passes:
        torch.manual_seed(0)
        machines = SimpleNamespace(
            world_size=part.count,
            global_rank=part.index,
            device=fabric.device,
            autocast=fabric.autocast,
            backward=fabric.backward,
        )
        train_step(cast(Fabric, machines), Networks(config, 1), batch, config.stages[0], 0)
    both, first, second = found
    for whole, one, other in zip(both, first, second, strict=True):
        assert (whole is None) == (one is None) == (other is None)
        assert whole is None or torch.equal(whole, (one + other) / 2)


def test_the_map_head_alone_learns_in_parts_too(smallest: TrainConfig, six: Batch) -> None:
    found = []
    for parts in (1, 2):
        config = changed(smallest, batch=6, accumulate=parts)
        torch.manual_seed(0)
        nets = Networks(config, 1)
        before = copy.deepcopy(nets.generator.state_dict())
        found.append(float(map_head_step(start_fabric("fp32"), nets, six, config.stages[0], 0, 1.0)["d_age"]))
        assert all(torch.equal(before[name], value) for name, value in nets.generator.state_dict().items())
    assert found[0] == pytest.approx(found[1], rel=1e-5)


def test_a_batch_that_cannot_be_shared_is_refused_with_one_that_can(smallest: TrainConfig) -> None:
    check_shares(changed(smallest, batch=6, accumulate=3), 2)
    with pytest.raises(ConfigError, match=r"batch of 6 .* 4 processes in 1 passes each; take 4 or 8: --set stages.0.b"):
        check_shares(changed(smallest, batch=6), 4)
    with pytest.raises(ConfigError, match="take 8:"):
        check_shares(changed(smallest, batch=4), 8)
    with pytest.raises(ValueError, match="not divisible by accumulate"):
        changed(smallest, batch=6, accumulate=4)


def test_half_precision_scales_gradients_and_an_overflow_moves_nothing(smallest: TrainConfig, six: Batch) -> None:
    scaler = torch.amp.GradScaler("cpu", init_scale=2.0**10)
    fabric = Fabric(accelerator="cpu", devices=1, plugins=MixedPrecision("16-mixed", "cpu", scaler))
    config = changed(smallest, batch=6)
    torch.manual_seed(0)
    nets = Networks(config, 1)
    nets.set_rates(config.stages[0], 1.0)
    stats = train_step(fabric, nets, six, config.stages[0], 0)
    assert all(value.isfinite() for value in stats.values())
    expected, _ = moved(config, six)
    assert float(stats["g_age"]) == pytest.approx(expected["g_age"], rel=0.05)
    before = {name: value.clone() for name, value in nets.state_dict().items()}
    # None of the three optimisers makes a step whose gradients overflow, and the scale is halved once.
    scaler.load_state_dict(scaler.state_dict() | {"scale": 3e38})
    train_step(fabric, nets, six, config.stages[0], 2)
    moved_parts = {name for name, value in nets.state_dict().items() if not torch.equal(value, before[name])}
    assert all(name.startswith("ema.") for name in moved_parts)
    assert scaler.get_scale() == pytest.approx(1.5e38, rel=1e-3)


def test_what_cannot_be_had_here_is_refused_in_a_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(ConfigError, match="fp16 is for GPUs"):
        start_fabric("fp16", Machines("cpu"))
    with pytest.raises(ConfigError, match="PyTorch sees none here"):
        start_fabric("fp32", Machines("gpu"))
    with monkeypatch.context() as without:
        without.setitem(sys.modules, "lightning_fabric", None)
        with pytest.raises(MissingExtraError, match=r"pip install 'amgan\[train\]'"):
            start_fabric("fp32")
    monkeypatch.setattr(torch.distributed, "is_torchelastic_launched", lambda: True)
    monkeypatch.setenv("WORLD_SIZE", "5")
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "2")
    with pytest.raises(ConfigError, match="2 processes here of 5"):
        _ = Machines().processes
    monkeypatch.setenv("WORLD_SIZE", "6")
    assert Machines(devices=1).processes == 6


def test_each_machine_prepares_in_turn() -> None:
    done = []
    for rank in range(4):  # two machines of two
        fabric = SimpleNamespace(
            world_size=4,
            node_rank=rank // 2,
            local_rank=rank % 2,
            strategy=SimpleNamespace(num_processes=2),
            barrier=lambda rank=rank: done.append((rank, "waits")),
        )
        node_by_node(fabric, lambda rank=rank: done.append((rank, "works")))
    assert done == [
        *[(0, "works"), (0, "waits"), (0, "waits")],
        *[(1, "waits"), (1, "waits"), (1, "works")],
        *[(2, "waits"), (2, "works"), (2, "waits")],
        *[(3, "waits"), (3, "waits"), (3, "works")],
    ]


def test_a_lost_process_is_one_line_and_a_fault_of_ours_is_none() -> None:
    two, one = SimpleNamespace(world_size=2), SimpleNamespace(world_size=1)
    gone = RuntimeError("[/pytorch/third_party/gloo/gloo/transport/tcp/pair.cc:537] Connection closed by peer\nmore")
    with (
        pytest.raises(EngineError, match=r"is gone \(.*closed by peer\); add --resume"),
        losing_no_process(two, lambda: "add --resume"),
    ):
        raise gone
    for fabric, fault in ((one, gone), (two, RuntimeError("mat1 and mat2 shapes"))):
        with pytest.raises(RuntimeError), losing_no_process(fabric, lambda: ""):
            raise fault


def test_means_over_processes_keep_their_names() -> None:
    found = parallel.mean_over_processes(start_fabric("fp32"), {"a": torch.tensor(1.0), "b": torch.tensor(2.5)})
    assert found == {"a": 1.0, "b": 2.5} and isinstance(found["a"], float) and np.isfinite(found["b"])
