"""Real processes: two of them, two machines by torchrun, and one that is killed."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

import amgan
from amgan.signs.atlas import unit_atlas
from amgan.training.checkpoint import NAME, PREVIOUS, read_checkpoint
from amgan.training.config import TrainConfig
from amgan.training.loop import train

pytestmark = pytest.mark.slow
ONE_PASS = ("--set", "stages.0.accumulate=1")


@pytest.fixture(scope="module")
def two_passes(smallest: TrainConfig) -> TrainConfig:
    """A process alone goes through each batch in the two parts that two processes share."""
    return smallest.model_copy(update={"stages": [smallest.stages[0].model_copy(update={"accumulate": 2})]})


@pytest.fixture(scope="module")
def runs(two_passes: TrainConfig, run_folders: Path) -> Path:
    """A folder with the config and, in ``one``, what one process makes of it."""
    (run_folders / "run.yaml").write_text(two_passes.model_dump_json())
    train(two_passes, run_folders / "one", resume=False, atlas=unit_atlas())
    return run_folders


def start(command: list[str]) -> subprocess.Popen[str]:
    source = str(Path(amgan.__file__).parents[1])
    env = os.environ | {"PYTHONPATH": source, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    return subprocess.Popen(
        [sys.executable, *command], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def training(runs: Path, name: str, *options: str) -> list[str]:
    return ["-m", "amgan", "train", str(runs / "run.yaml"), "--out", str(runs / name), *options]


def losses(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "stats.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds_per_step"} for line in lines]


def check_same(runs: Path, name: str) -> None:
    """The same losses in every step and, at the end, the same networks and optimisers as ``one``, bit for bit."""
    assert len(losses(runs / "one")) == 10 and losses(runs / "one") == losses(runs / name)
    one, other = read_checkpoint(runs / "one"), read_checkpoint(runs / name)
    assert one["step"] == other["step"] == 10
    assert one["networks"].keys() == other["networks"].keys()
    assert all(torch.equal(value, other["networks"][key]) for key, value in one["networks"].items())
    assert one["optimisers"].keys() == {"generator_optimiser", "critic_optimiser", "map_optimiser"}
    for kind, optimiser in one["optimisers"].items():
        for number, state in optimiser["state"].items():
            assert all(torch.equal(state[key], other["optimisers"][kind]["state"][number][key]) for key in state)
    assert (runs / name / "model" / "model.json").is_file()


def test_two_processes_learn_what_one_does(runs: Path) -> None:
    process = start(training(runs, "two", "--devices", "2", *ONE_PASS))
    out, err = process.communicate(timeout=300)
    assert process.returncode == 0, err
    # The second one neither prints nor writes.
    assert out.count("model written to") == out.count("step 10/10") == 1 and "2 processes, on cpu" in out
    check_same(runs, "two")


def test_two_machines_by_torchrun_learn_what_one_process_does(runs: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    torchrun = ["-m", "torch.distributed.run", "--nnodes", "2", "--nproc-per-node", "1", "--master-addr", "127.0.0.1"]
    command = training(runs, "torchrun", *ONE_PASS)
    machines = [start([*torchrun, "--master-port", port, "--node-rank", rank, *command]) for rank in "01"]
    texts = [machine.communicate(timeout=300) for machine in machines]
    assert [machine.returncode for machine in machines] == [0, 0], texts
    assert "model written to" in texts[0][0] and "step" not in texts[1][0]
    check_same(runs, "torchrun")


def test_killed_at_any_moment_and_resumed_the_weights_are_the_same_to_the_bit(
    runs: Path, two_passes: TrainConfig
) -> None:
    out = runs / "killed"
    process = start(training(runs, "killed"))
    deadline = time.monotonic() + 300
    while not (out / NAME).exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.01)
    pause = random.uniform(0, 0.4)
    time.sleep(pause)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL, "it was done before it was killed"
    begun = read_checkpoint(out)["step"]
    print(f"killed {pause} s after the first checkpoint; going on from {begun}")
    assert 2 <= begun <= 10
    # What a crash of the machine may leave on top of it.
    (out / f"{NAME}.part").write_bytes(b"half a check")
    train(two_passes, out, resume=True, atlas=unit_atlas())
    check_same(runs, "killed")
    assert (out / PREVIOUS).is_file() and not (out / f"{NAME}.part").exists()
