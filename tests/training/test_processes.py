"""Real processes: what the manual says of two of them and of two machines by torchrun, and one that is killed."""

from __future__ import annotations

import itertools
import json
import os
import random
import shutil
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
from amgan.training.config_file import config_path, load_config
from amgan.training.loop import train
from amgan.training.run_folder import check_shares
from manual.elsewhere import commands_for
from manual.pages import words

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


def start(command: list[str], folder: Path) -> subprocess.Popen[str]:
    source = str(Path(amgan.__file__).parents[1])
    env = os.environ | {"PYTHONPATH": source, "OMP_NUM_THREADS": str(torch.get_num_threads())}
    return subprocess.Popen(
        [sys.executable, *command], cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def losses(folder: Path) -> list[dict[str, float]]:
    lines = [json.loads(line) for line in (folder / "stats.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds_per_step"} for line in lines]


def check_same(alone: Path, out: Path) -> None:
    """The same losses in every step and, at the end, the same networks and optimisers as one process, bit for bit."""
    assert len(losses(alone)) == 10 and losses(alone) == losses(out)
    one, other = read_checkpoint(alone), read_checkpoint(out)
    assert one["step"] == other["step"] == 10
    assert one["networks"].keys() == other["networks"].keys()
    assert all(torch.equal(value, other["networks"][key]) for key, value in one["networks"].items())
    assert one["optimisers"].keys() == {"generator_optimiser", "critic_optimiser", "map_optimiser"}
    for kind, optimiser in one["optimisers"].items():
        for number, state in optimiser["state"].items():
            assert all(torch.equal(state[key], other["optimisers"][kind]["state"][number][key]) for key in state)
    assert (out / "model" / "model.json").is_file()


def desk(runs: Path, folder: Path) -> Path:
    """A reader's folder, with what ``one`` has prepared."""
    for place in (folder / "here", folder / "runs"):
        place.mkdir()
        (place / "prepared").symlink_to(runs / "prepared")
    return folder / "here"


def in_the_small(line: list[str], config: TrainConfig, port: int) -> list[list[str]]:
    """What is started for a line: two processes, in place of as many as the preset must allow."""
    values = dict(itertools.pairwise(line))
    preset = line[line.index("train") + 1]
    asked = int(values.get("--devices", 1)) * int(values.get("--nnodes", 1)) * int(values.get("--nproc-per-node", 1))
    check_shares(load_config(config_path(preset)), asked)
    small = {"--nproc-per-node": "1", "--master-port": str(port), "--rdzv-endpoint": f"127.0.0.1:{port}"}
    small |= {"--data": str(config.data), "--devices": "2"}
    given = [small.get(before, word) for before, word in zip(["", *line], line, strict=False)]
    for key, value in config.model_dump(mode="json", exclude={"data"}).items():
        given += ["--set", f"{key}={json.dumps(value)}"]
    given += ["--accelerator", "cpu", *ONE_PASS]
    if given[0] == "amgan":
        return [["-m", *given]]
    machines = [["-m", "torch.distributed.run", *given[1:]] for _ in range(2)]
    for rank, machine in enumerate(machines):
        if "--node-rank" in machine:
            machine[machine.index("--node-rank") + 1] = str(rank)
    return machines


@pytest.mark.parametrize("line", commands_for(__file__), ids=lambda line: line[:80])
def test_two_processes_by_the_manual_learn_what_one_does(
    line: str, runs: Path, two_passes: TrainConfig, tmp_path: Path
) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    here, command = desk(runs, tmp_path), words(line)
    out = here / command[command.index("--out") + 1]
    if "--resume" in command:  # what one process has begun
        shutil.copytree(runs / "one", out)
        (out / PREVIOUS).replace(out / NAME)
        assert read_checkpoint(out)["step"] < 10
    started = [start(machine, here) for machine in in_the_small(command, two_passes, port)]
    texts = [process.communicate(timeout=300) for process in started]
    assert not any(process.returncode for process in started), texts
    said = "".join(out for out, _ in texts)
    # One process alone prints and writes.
    assert said.count("model written to") == said.count("step 10/10") == 1 and "2 processes, on cpu" in said
    check_same(runs / "one", out)


def test_killed_at_any_moment_and_resumed_the_weights_are_the_same_to_the_bit(
    runs: Path, two_passes: TrainConfig
) -> None:
    out = runs / "killed"
    process = start(["-m", "amgan", "train", "run.yaml", "--out", "killed"], runs)
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
    check_same(runs / "one", out)
    assert (out / PREVIOUS).is_file() and not (out / f"{NAME}.part").exists()
