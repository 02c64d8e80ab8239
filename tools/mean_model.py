"""The mean of the generators of several models that were trained from one another, as one model.

Weights of runs that went on from the same weights may be averaged; what each run learned too eagerly fades. Of an
unfinished run there is no model yet. Shares are made to sum to 1. All but the weights is the first model's, so no
other may have learned from what that did not::

    python tools/mean_model.py ../runs/mean 0.5@src/amgan/weights/default 0.5@../runs/refined/model
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file

from amgan.data.store import licences_in
from amgan.errors import DatasetError, as_tool
from amgan.models.bundle import ESTIMATORS, GENERATOR, SCHEMA, TRENDS, Schema, load_bundle_schema


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """The generator's weights of a model, in float32."""
    return {name: value.float() for name, value in load_file(folder / GENERATOR).items()}


def check_same_photos(other: Schema, first: Schema) -> None:
    """Refuses a model that learned from what the first one did not.

    Raises:
        DatasetError: It names the model.
    """
    if other.judge_share < first.judge_share:
        raise DatasetError(f"{other.path}: learned from faces that {first.path} leaves to judges; put it first")
    more = licences_in(other.notice) - licences_in(first.notice)
    if other.notice != first.notice and (more or not licences_in(other.notice)):
        raise DatasetError(f"{other.path}: its photos are not all under licences of {first.path}: {other.notice}")


def mean(parts: list[tuple[float, dict[str, torch.Tensor]]]) -> dict[str, torch.Tensor]:
    """The weighted mean of weights of one shape."""
    total = sum(share for share, _ in parts)
    names = parts[0][1]
    return {name: sum(share / total * one[name] for share, one in parts) for name in names}  # type: ignore[misc]


@as_tool
def main() -> None:
    """Writes the model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", type=Path, help="folder to write; must not be there")
    parser.add_argument("parts", nargs="+", metavar="SHARE@MODEL", help="its folder; the first gives all but weights")
    arguments = parser.parse_args()
    parts = [part.partition("@") for part in arguments.parts]
    first, *others = schemas = [load_bundle_schema(Path(folder)) for _, _, folder in parts]
    for other in others:
        check_same_photos(other, first)
    found = mean([(float(share), weights(model.path)) for (share, _, _), model in zip(parts, schemas, strict=True)])
    arguments.out.mkdir(parents=True)
    save_file({name: value.half().contiguous() for name, value in found.items()}, arguments.out / GENERATOR)
    for name in (ESTIMATORS, SCHEMA, TRENDS):
        if name != TRENDS or (first.path / name).is_file():  # not every model follows trends
            shutil.copy2(first.path / name, arguments.out / name)


if __name__ == "__main__":
    main()
