"""What does the data path cost a training step?

``.venv/bin/python benchmarks/loading.py PRESET --data DIR --store DIR [--set KEY=VALUE]... [--steps 40]``, with nothing
else running, prints a JSON object: for each stage the seconds of a step, of a batch made with nothing else to do (the
first time, when faces are decoded and masks drawn, and again from the cache), and what a step waited for its batch with
0, 1 and 2 workers, as a share of the step. Before it, what a face takes on the disk and to decode in each way of
keeping, over a few of the faces.
"""

from __future__ import annotations

import argparse
import io
import json
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from amgan.cli.progress import bar
from amgan.data.images import packed
from amgan.data.store import Store, prepare
from amgan.data.table import Row
from amgan.maps.kinds import count_channels
from amgan.maps.packing import pack_zones
from amgan.signs.atlas import unit_atlas
from amgan.training.batches import open_batches
from amgan.training.config import TrainConfig
from amgan.training.config_file import config_path, load_config
from amgan.training.networks import Networks
from amgan.training.parallel import start_fabric
from amgan.training.step import train_step

ATLAS = unit_atlas()


def seconds(work: Callable[[], object]) -> float:
    """Of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def of_formats(store: Store, count: int = 8) -> dict[str, dict[str, float]]:
    """MiB on the disk, and milliseconds to decode a face (median), of each way of keeping and of those it was not."""
    faces = [np.array(store.images[index]) for index in range(0, len(store.rows), max(len(store.rows) // count, 1))]
    options = {"png": {"compress_level": 1}, "jpeg": {"quality": 95, "subsampling": 0}}
    found = {"raw": {"mib": faces[0].nbytes / 2**20, "ms": 0.0}}
    for name in ("webp", *options):
        sizes, times = [], []
        for face in faces:
            file = io.BytesIO()
            if name == "webp":
                file.write(packed(face))
            else:
                Image.fromarray(face).save(file, name, **options[name])
            sizes.append(file.tell() / 2**20)

            def decode(file: io.BytesIO = file) -> object:
                return np.asarray(Image.open(file).convert("RGB"))

            times.append(1e3 * seconds(decode))
        found[name] = {"mib": round(statistics.mean(sizes), 2), "ms": round(statistics.median(times), 1)}
    return found


def of_batches(config: TrainConfig, store: Store, first: int, count: int) -> dict[str, float]:
    """Milliseconds (median) of the batches of some steps: made first, and made again with all that is kept."""
    rows = store.subset(lambda row: row.split == "train")
    scores, ages = _labels(store)
    twice = [*range(first, first + count)] * 2
    times = []
    with open_batches(config.model_copy(update={"workers": 0}), store, ATLAS, rows, scores, ages, twice) as coming:
        for _ in twice:
            times.append(1e3 * seconds(lambda: next(coming)))
    return {
        "first_ms": round(statistics.median(times[1:count]), 1),
        "again_ms": round(statistics.median(times[count:]), 1),
    }


def of_steps(config: TrainConfig, store: Store, first: int, count: int, workers: int) -> dict[str, float]:
    """Seconds of a step, and what share of it was spent waiting for its batch."""
    fabric = start_fabric(config.precision)
    nets = Networks(config, count_channels(config.generator.maps, pack_zones(ATLAS))).put_on(fabric.device)
    rows = store.subset(lambda row: row.split == "train")
    scores, ages = _labels(store)
    stage = config.stage_at(first)[0]
    nets.grow_to(stage.stem or 1)
    nets.set_rates(stage, 1.0)
    waited, whole = [], []
    config = config.model_copy(update={"workers": workers})
    with open_batches(config, store, ATLAS, rows, scores, ages, range(first, first + count)) as coming:
        for _ in range(count):
            start = time.perf_counter()
            step, batch = next(coming)
            waited.append(time.perf_counter() - start)
            train_step(fabric, nets, batch, stage.at(step), step)
            whole.append(time.perf_counter() - start)
    # The first ones warm up.
    waited, whole = waited[count // 4 :], whole[count // 4 :]
    return {"seconds": round(statistics.median(whole), 3), "waited_share": round(sum(waited) / sum(whole), 4)}


def _labels(store: Store) -> tuple[torch.Tensor, torch.Tensor]:
    """Any scores do: what they are costs nothing."""
    random = torch.Generator().manual_seed(0)
    return torch.rand(len(store.rows), len(ATLAS.zones), generator=random), torch.rand(
        len(store.rows), generator=random
    )


def _bar(rows: Iterable[Row]) -> Iterable[Row]:
    return bar(list(rows), "faces", None)


def main() -> None:
    """Prints one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("preset")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--store", type=Path, required=True, help="prepared faces (made if missing)")
    parser.add_argument("--set", dest="settings", action="append", default=[])
    parser.add_argument("--steps", type=int, default=40)
    options = parser.parse_args()
    config = load_config(config_path(options.preset), options.settings, options.data)
    store = prepare(options.data, options.store, ATLAS, _bar, config.face_size, config.images)
    found: dict[str, object] = {"formats": of_formats(store)}
    first = 0
    for number, stage in enumerate(config.stages):
        first += stage.map_head_steps
        found[f"stage {number}"] = {
            "batch": of_batches(config, store, first, options.steps),
            **{f"{n} workers": of_steps(config, store, first, options.steps, n) for n in (0, 1, 2)},
        }
        first += stage.steps
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
