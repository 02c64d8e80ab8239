"""Gives a trained model the lines of other people.

Training hardly changes what a memory of lines begins with (r 0.97 with what it then was, over three patterns), and the
network says how much of any line there is to be at each place; so other lines need no training. They are those of the
`givers` of CONFIG::

    python tools/other_lines.py src/amgan/weights/default ../runs/other \\
        --config src/amgan/training/configs/shipped.yaml --data ../shared/data --store ../runs/prepared
"""

from __future__ import annotations

import argparse
import json
import shutil
from pathlib import Path

from safetensors.torch import save_file

from amgan.data.grafts.pattern import patterns_of
from amgan.data.store import prepare
from amgan.models.bundle import ESTIMATORS, GENERATOR, SCHEMA, load_bundle
from amgan.models.generator import Generator
from amgan.models.lines import LineMemory
from amgan.training.config import load_config


def main() -> None:
    """Writes the model."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path)
    parser.add_argument("out", type=Path, help="folder to write; must not be there")
    parser.add_argument("--config", type=Path, required=True, help="names the givers")
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--store", type=Path, required=True, help="where prepared faces are kept")
    given = parser.parse_args()
    bundle = load_bundle(given.model)
    assert isinstance(bundle.generator, Generator) and bundle.generator.lines is not None
    givers = load_config(given.config, data=given.data).givers
    channels, side = bundle.generator.lines.grey.shape[1:3]
    memory = LineMemory(side, channels, len(givers))
    memory.remember(patterns_of(prepare(given.data, given.store, bundle.atlas), bundle.atlas, givers))
    weights = bundle.generator.state_dict()
    weights |= {f"lines.{name}": value for name, value in memory.state_dict().items()}
    given.out.mkdir(parents=True)
    save_file({name: value.half().contiguous() for name, value in weights.items()}, given.out / GENERATOR)
    shutil.copy2(given.model / ESTIMATORS, given.out / ESTIMATORS)
    schema = json.loads((given.model / SCHEMA).read_text(encoding="utf-8"))
    schema["generator"]["patterns"] = len(givers)
    (given.out / SCHEMA).write_text(json.dumps(schema, indent=1), encoding="utf-8")


if __name__ == "__main__":
    main()
