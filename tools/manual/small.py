"""What makes a command of the manual small enough for a test, where a reader's takes minutes or days."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path

from amgan.data.dataset import FACES

# A training of seconds. Rows of the tables have patches of half and twice the size.
_STAGE = {
    "image_size": 512,
    "patch": 128,
    "batch": 2,
    "steps": 1,
    "map_head_steps": 0,
    "rate": 1e-3,
    "map_patch": [96, 128],
}
_TINY = {
    "generator.base_channels": 8,
    "generator.blocks": 0,
    "critic.kind": "features",
    "critic.base_channels": 8,
    "critic.scales": 1,
    "critic.texture": 0,
    "judge_share": 0,
    "stages": [_STAGE],
}
_SETTINGS = shlex.join(word for key, value in _TINY.items() for word in ("--set", f"{key}={json.dumps(value)}"))

# Command to what is added. Names in braces are the places that a test gives.
SMALL = {
    "batch": "--workers 1 --model {model}",
    "curate": "--size 256 --workers 1 --limits {limits}",
    "evaluate": "--split train --every 1 --sweeps 0 --pictures 1 --workers 1 --limits {limits} --data-store {prepared}",
    "figure": "--panel 96",
    "fit-estimators": "--store {prepared}",
    "panel make": "--split train --faces 2 --sign crows_feet --limits {limits} --data-store {prepared}",
    "reproduce": f"--split train --every 2 --oldest 5 --workers 1 --limits {{limits}} {_SETTINGS}",
    "score": "--workers 1",
    "sweep": "--steps 2",
    "train": _SETTINGS,
}
# The same of other programs, by what a line begins with.
PROGRAMS = {
    # As if for the first time, into the environment that is there, from nowhere, and without doing it.
    "pip install": "--dry-run --isolated --no-index --no-build-isolation --disable-pip-version-check -q",
    # What it would do: `make test` is what runs the tests, and `tests/docs/test_site.py` builds the site.
    "make": "-n",
    # The tests run anyway.
    "python -m pytest": "--collect-only -q -p no:cacheprovider",
    "python -m amgan.data.curation.fit_occlusion": "--labels {scratch}/labels.csv --out {scratch}/covers.safetensors",
    "python -m amgan.evaluation.shift": "--every 2 --pictures {scratch}/strips",
    "python -m amgan.training.fit_parsing": "--store {prepared} --steps 1 --out {scratch}/parsing.onnx",
    "python -m amgan.training.fit_trends": "--store {prepared}",
    "python benchmarks/curation.py": (
        "--engines local --limit 3 --copies 1 --limits {limits} --out {scratch}/curation.md"
    ),
    "python benchmarks/estimators.py": "--out {scratch}/estimators.md",
    "python benchmarks/processes.py": f"--steps 1 {_SETTINGS}",
    "python benchmarks/screenshots.py": "--model {model}",
    "python benchmarks/slider.py": "--model {model}",
    "python benchmarks/speed.py": "--side 256 --times 1",
    # The table of memory, which wants large patches, is left out.
    "python benchmarks/training.py": (
        f"--presets photos --memory-presets --times 1 {_SETTINGS} --set stages.0.steps=3"
    ),
    "python benchmarks/video.py": "--frames 2",
    "python benchmarks/walk.py": "--model {model}",
    "python tools/docs_pictures.py": "--enlarged 1 --out {scratch}",
}
# May be given several times, each for something else.
_REPEATED = ("--set",)


def in_the_small(arguments: list[str], places: Mapping[str, str]) -> list[str]:
    """The arguments of a call of `amgan` with those that make it small.

    Numbers go before those of the page, for the last one counts. A file or a name that the page gives stays.

    Args:
        arguments: As the page has them.
        places: Name to path, for what stands in braces.
    """
    command = next((name for name in SMALL if arguments[: len(name.split())] == name.split()), None)
    if command is None:
        return arguments
    added = shlex.split(SMALL[command])
    # A run that goes on with a model has its generator.
    onward = any(word.startswith("start=") for word in arguments)
    # What `amgan curate` has made has been through limits, and takes no others.
    curated = command != "curate" and any((Path(word) / FACES).is_file() for word in arguments)
    more: list[str] = []
    for option, value in zip(added[::2], added[1::2], strict=True):
        if onward and value.startswith("generator."):
            continue
        if curated and option == "--limits":
            continue
        if value.isdigit() or option in _REPEATED or option not in arguments:
            more += [option, placed(value, places)]
    return [*arguments, *more]


def program_in_the_small(line: list[str], places: Mapping[str, str]) -> list[str]:
    """A line of another program with what makes it small; `.venv/bin/`, where that program is, is left out.

    Args:
        line: As the page has it.
        places: Name to path, for what stands in braces.
    """
    program = [line[0].removeprefix(".venv/bin/"), *line[1:]]
    added = (more for start, more in PROGRAMS.items() if program[: len(start.split())] == start.split())
    return [*program, *(placed(word, places) for word in shlex.split(next(added, "")))]


def placed(text: str, places: Mapping[str, str]) -> str:
    """A text with the places that it names in braces."""
    for name, path in places.items():
        text = text.replace(f"{{{name}}}", path)
    return text
