"""The mean of the generators of several models that were trained from one another, as one model.

Weights of runs that went on from the same weights may be averaged; what each run learned too eagerly fades.
``python tools/mean_model.py OUT SHARE@MODEL SHARE@RUN...``: folders of models, and run folders, of which the newest
checkpoint's average counts. Shares are made to sum to 1. All but the weights is the first model's, so no other may have
learned from what that did not::

    python tools/mean_model.py ../runs/mean 0.5@src/amgan/weights/default 0.5@../runs/refined
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file

from amgan.models.bundle import ESTIMATORS, GENERATOR, SCHEMA, TRENDS
from amgan.training.checkpoint import has_checkpoint, read_checkpoint


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """The generator's weights of a model, or of the newest checkpoint of a run, in float32."""
    if has_checkpoint(folder):
        networks = read_checkpoint(folder)["networks"]
        found = {name.removeprefix("ema."): value for name, value in networks.items() if name.startswith("ema.")}
    else:
        found = load_file(folder / GENERATOR)
    return {name: value.float() for name, value in found.items()}


def taught_by(folder: Path) -> dict[str, Any]:
    """What is said of a model, or of a run, about the photos that it learned from; of a run no notice yet."""
    path = folder / ("config.json" if has_checkpoint(folder) else SCHEMA)
    return json.loads(path.read_text(encoding="utf-8"))


def mean(parts: list[tuple[float, dict[str, torch.Tensor]]]) -> dict[str, torch.Tensor]:
    """The weighted mean of weights of one shape."""
    total = sum(share for share, _ in parts)
    names = parts[0][1]
    return {name: sum(share / total * one[name] for share, one in parts) for name in names}  # type: ignore[misc]


def main() -> None:
    """Writes the model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder to write; must not be there")
    parser.add_argument("parts", nargs="+", metavar="SHARE@FOLDER", help="the first is a model's folder")
    arguments = parser.parse_args()
    parts = [part.partition("@") for part in arguments.parts]
    folders = [Path(folder) for _, _, folder in parts]
    first, *others = (taught_by(folder) for folder in folders)
    for folder, other in zip(folders[1:], others, strict=True):
        if other["judge_share"] < first["judge_share"]:
            parser.error(f"{folder}: learned from faces that {folders[0]} leaves to judges; put it first")
        if other.get("notice", first["notice"]) != first["notice"]:
            parser.error(f"{folder}: its notice is another than that of {folders[0]}: {other['notice']}")
    found = mean([(float(share), weights(folder)) for (share, _, _), folder in zip(parts, folders, strict=True)])
    arguments.out.mkdir(parents=True)
    save_file({name: value.half().contiguous() for name, value in found.items()}, arguments.out / GENERATOR)
    for name in (ESTIMATORS, SCHEMA, TRENDS):
        if name != TRENDS or (folders[0] / name).is_file():  # not every model follows trends
            shutil.copy2(folders[0] / name, arguments.out / name)


if __name__ == "__main__":
    main()
