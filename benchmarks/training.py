"""What a training step spends where, how near it comes to the machine's convolutions, and what memory it takes.

Run it with nothing else running, on a processor: ``.venv/bin/python benchmarks/training.py DATA --prepared
../runs/prepared -o FILE.md``. DATA is for the time that loading takes; steps are made on random patches. Seconds are
those of whole steps, unprofiled; the shares come from one profiled step, in which backward operations are traced to
the part of the networks whose forward made them.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import torch
from lightning_fabric import Fabric
from timing import median_seconds
from torch import nn
from torch.profiler import ProfilerActivity, profile, record_function
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from amgan.maps.kinds import count_channels
from amgan.maps.packing import pack_zones
from amgan.memory import keep_freed_memory
from amgan.models.critic import FeatureCritic
from amgan.signs.atlas import unit_atlas
from amgan.training import losses
from amgan.training.config import Stage, TrainConfig
from amgan.training.config_file import config_path, load_config
from amgan.training.dry_run import random_batch
from amgan.training.faces import TrainingFaces
from amgan.training.networks import Networks
from amgan.training.parallel import start_fabric
from amgan.training.step import train_step

PART = "part: "
PENALTY, OPTIMISER, REST = "gradient penalty", "Adam", "losses, noise, moving average"
# What evaluates a node of the graph backward.
BACKWARD = "autograd::engine::evaluate_function"
# Patches whose batch has the pixels of one whole picture, and so many of each size.
SIDES, EQUAL_COUNT = (128, 256, 512, 1024), 2


def peak_gflops(fabric: Fabric, times: int) -> float:
    """Billions of operations a second of a 3x3 convolution of 256 channels, in the run's number format."""
    layer = nn.Conv2d(256, 256, 3, padding=1).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    image = torch.randn(8, 256, 64, 64).contiguous(memory_format=torch.channels_last)
    with torch.no_grad(), fabric.autocast():
        seconds = median_seconds(lambda: layer(image), times)
    return 2 * 9 * 256 * 256 * image[:, 0].numel() / seconds / 1e9


class Operations(TorchDispatchMode):
    """Counts multiplications and additions; PyTorch's own counter fails where a gradient is asked for its gradient."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if count := flop_registry.get(func._overloadpacket):
            self.total += count(*args, **(kwargs or {}), out_val=out)
        return out


def named_parts(nets: Networks) -> dict[str, nn.Module]:
    """The parts of the networks by what the table calls them."""
    parts: dict[str, nn.Module] = {"generator": nets.generator, "frozen trunk (perceptual, realness)": nets._frozen[0]}
    if nets._texture:
        parts["texture trunk"] = nets._texture[0]
    if isinstance(nets.critic, FeatureCritic):
        return parts | {"realness heads": nets.critic.realness, "map head": nets.critic.map_head}
    return parts | {"critic": nets.critic}


@contextmanager
def marked(parts: dict[str, nn.Module]) -> Iterator[None]:
    """Marks, for the profiler, what is done in each part and in the gradient penalty."""
    open_marks: list[record_function] = []

    def enter(name: str) -> None:
        open_marks.append(record_function(PART + name))
        open_marks[-1].__enter__()

    def leave() -> None:
        open_marks.pop().__exit__(None, None, None)

    handles = []
    for name, module in parts.items():
        handles.append(module.register_forward_pre_hook(lambda *_, name=name: enter(name)))
        handles.append(module.register_forward_hook(lambda *_: leave()))
    penalty = losses.gradient_penalty

    def marked_penalty(*arguments: Any) -> torch.Tensor:
        with record_function(PART + PENALTY):
            return penalty(*arguments)

    try:
        with mock.patch.object(losses, "gradient_penalty", marked_penalty):
            yield
    finally:
        for handle in handles:
            handle.remove()


def shares(step: Callable[[], object], parts: dict[str, nn.Module]) -> dict[str, tuple[float, float]]:
    """Share of a step that each part takes, forward and backward."""
    with marked(parts), profile(activities=[ProfilerActivity.CPU]) as found:
        step()
    events = sorted(found.events(), key=lambda event: event.time_range.start)
    made_by: dict[int, str] = {}

    def part_of(event: Any) -> tuple[str, bool]:
        names, backward = [], False
        while event is not None:
            if event.name.startswith(PART):
                names.append(event.name.removeprefix(PART))
            elif event.name.startswith("Optimizer."):
                names.append(OPTIMISER)
            elif event.name.startswith(BACKWARD):
                backward = True
                names.append(made_by.get(event.sequence_nr, REST))
            event = event.cpu_parent
        # The penalty calls the critic, forward and backward, and is a part of its own.
        return PENALTY if PENALTY in names else names[0] if names else REST, backward

    for event in events:
        name, backward = part_of(event)
        # Only what makes a node of the graph has its number last; inside the penalty backward makes nodes too.
        if event.sequence_nr >= 0 and (not backward or name == PENALTY) and not event.name.startswith(BACKWARD):
            made_by[event.sequence_nr] = name
    times: dict[str, list[float]] = defaultdict(lambda: [0.0, 0.0])
    for event in events:
        name, backward = part_of(event)
        times[name][backward] += event.self_cpu_time_total
    total = sum(sum(pair) for pair in times.values())
    return {name: (pair[0] / total, pair[1] / total) for name, pair in times.items()}


def step_tables(config: TrainConfig, name: str, faces: TrainingFaces, times: int) -> Iterator[str]:
    """Tables of each stage of a preset, of steps with a critic and without, and what all of its steps come to."""
    channels = pack_zones(unit_atlas())
    maps = count_channels(config.generator.maps, channels)
    fabric = start_fabric(config.precision)
    nets = Networks(config, maps)
    peak = peak_gflops(fabric, 3 * times)
    patches = whole = 0.0
    for number, stage in enumerate(config.stages):
        nets.grow_to(stage.stem or 1)
        nets.set_rates(stage, 1.0)
        batch = random_batch(stage, maps, config.generator.location_channels or 2)
        first = sum(each.map_head_steps + each.steps for each in config.stages[:number]) + stage.map_head_steps
        new, known = loading_seconds(faces, range(first, first + times + 1))
        for unjudged, steps in ((True, stage.unjudged), (False, stage.steps - stage.unjudged)):
            if not steps:
                continue

            def step(stage: Stage = stage, batch: Any = batch, unjudged: bool = unjudged) -> object:
                return train_step(fabric, nets, batch, stage, 0, unjudged=unjudged)

            seconds = median_seconds(step, times)
            with Operations() as counter:
                step()
            rate = counter.total / seconds / 1e9
            patches, whole = patches + steps * stage.batch, whole + steps * (seconds + known)
            kind = f"{steps} steps" + (" without its critic" if unjudged else "")
            yield (
                f"### {name}, stage {number}, {kind}: {stage.batch} patches of {stage.patch} px out of "
                f"{stage.image_size}\n\n{seconds:.2f} s a step and {known:.3f} s for its data: "
                f"**{stage.batch / (seconds + known):.1f} patches a second**. Of faces that no batch showed yet, "
                f"{new:.3f} s. {counter.total / 1e9:.0f} GFLOP a step, {rate:.0f} GFLOP/s, "
                f"{rate / peak:.0%} of the {peak:.0f} of a 3x3 convolution.\n\n"
                "| part | forward | backward | both | seconds |\n|---|---|---|---|---|\n"
            )
            parts = shares(step, named_parts(nets))
            for part, (forward, backward) in sorted(parts.items(), key=lambda item: -sum(item[1])):
                took = (forward + backward) * seconds
                yield f"| {part} | {forward:.1%} | {backward:.1%} | {took / (seconds + known):.1%} | {took:.3f} |\n"
            yield f"| data | | | {known / (seconds + known):.1%} | {known:.3f} |\n\n"
    yield f"**All steps of {name}: {patches / whole:.1f} patches a second.**\n\n"


def loading_seconds(faces: TrainingFaces, steps: range) -> tuple[float, float]:
    """How long a batch takes whose faces are new, and one of faces that were shown before."""
    found = []
    with faces.batches([*steps, *steps], slice(None)) as batches:
        for _ in range(2):
            found.append(median_seconds(lambda: next(batches), len(steps) - 1))
    return found[0], found[1]


def memory_of(preset: str, side: int, count: int) -> None:
    """Prints the peak memory of a step of this process, GiB, before and after; patches of 1024 are whole pictures."""
    config = load_config(config_path(preset))
    content = config.stages[-1].model_dump() | {"image_size": 1024, "patch": side, "batch": count, "stem": None}
    stage = Stage.model_validate(content)
    maps = count_channels(config.generator.maps, pack_zones(unit_atlas()))
    fabric, nets, batch = (
        start_fabric(config.precision),
        Networks(config, maps),
        random_batch(stage, maps, config.generator.location_channels or 2),
    )
    before = peak_memory()
    for step in range(2):
        train_step(fabric, nets, batch, stage, step)
    print(json.dumps([before, peak_memory()]))


def peak_memory() -> float:
    """The most memory this process has had, GiB."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not `ru_maxrss`: on Linux a started program begins with the peak of the one that started it.
        (line,) = (line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) / 2**20
    unit = 2**30 if sys.platform == "darwin" else 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def memory_table(preset: str) -> Iterator[str]:
    """Peak memory of a step by size of patch, each in a process of its own."""
    yield (
        f"### {preset}: memory of a step\n\nPeak of the process, GiB, and what it had before its first step. "
        "Patches of 1024 are whole pictures.\n\n| patch | batch | megapixels | before | peak |\n|---|---|---|---|---|\n"
    )
    counts = [(side, (1024 // side) ** 2) for side in SIDES] + [(side, EQUAL_COUNT) for side in SIDES]
    for side, count in counts:
        command = [sys.executable, __file__, "--memory-of", preset, str(side), str(count)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode == 0:
            before, peak = json.loads(done.stdout.splitlines()[-1])
            cells = f"{before:.1f} | {peak:.1f}"
        else:
            # The kernel ends a process that takes more memory than there is by SIGKILL.
            cells = "| more than there is" if done.returncode == -9 else f"| failed: {done.stderr.splitlines()[-1]}"
        yield f"| {side} | {count} | {count * side * side / 1e6:.2f} | {cells} |\n"
    yield "\n"


def main() -> None:
    """Writes the tables as they come."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", nargs="?", type=Path, help="faces, as for amgan train")
    parser.add_argument("--prepared", type=Path, default=Path("../runs/prepared"), help="where prepared faces are kept")
    parser.add_argument("-o", "--out", type=Path, help="Markdown file; written over")
    parser.add_argument("--presets", nargs="+", default=["photos", "paper-256"])
    parser.add_argument("--memory-presets", nargs="*", default=["paper-256"])
    parser.add_argument("--times", type=int, default=5, help="steps a median is taken of")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as for amgan train")
    parser.add_argument("--memory-of", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument(
        "--given-back", action="store_true", help="give freed memory back to the system, as `amgan train` does not"
    )
    arguments = parser.parse_args()
    if not arguments.given_back:
        keep_freed_memory()
    if arguments.memory_of:
        preset, side, count = arguments.memory_of
        memory_of(preset, int(side), int(count))
        return
    if arguments.data is None or arguments.out is None:
        parser.error("give DATA and -o FILE.md")
    with arguments.out.open("w", encoding="utf-8") as file:

        def write(text: str) -> None:
            print(text, end="", flush=True)
            file.write(text)
            file.flush()

        write(f"{torch.get_num_threads()} threads, torch {torch.__version__}\n\n")
        for preset in arguments.presets:
            config = load_config(config_path(preset), [*arguments.set, "workers=0"], arguments.data)
            faces = TrainingFaces(config, arguments.prepared, unit_atlas(), lambda line: None, None)
            for text in step_tables(config, preset, faces, arguments.times):
                write(text)
        for preset in arguments.memory_presets:
            for text in memory_table(preset):
                write(text)


if __name__ == "__main__":
    main()
