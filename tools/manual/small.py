"""What makes a command of the manual small enough for a test, where a reader's takes minutes or days."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping

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
    "evaluate": "--split train --every 1 --sweeps 0 --pictures 1 --limits {limits} --data-store {prepared}",
    "figure": "--panel 96",
    "fit-estimators": "--store {prepared}",
    "panel make": "--split train --faces 2 --sign crows_feet --limits {limits} --data-store {prepared}",
    "reproduce": f"--split train --every 2 --oldest 5 --limits {{limits}} {_SETTINGS}",
    "score": "--workers 1",
    "sweep": "--steps 2",
    "train": _SETTINGS,
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
    more: list[str] = []
    for option, value in zip(added[::2], added[1::2], strict=True):
        if value.isdigit() or option in _REPEATED or option not in arguments:
            more += [option, placed(value, places)]
    return [*arguments, *more]


def placed(text: str, places: Mapping[str, str]) -> str:
    """A text with the places that it names in braces."""
    for name, path in places.items():
        text = text.replace(f"{{{name}}}", path)
    return text
