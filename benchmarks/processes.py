"""Two processes against one on the same global batch: are the losses the same, and how many patches a second.

Run it with nothing else running: ``.venv/bin/python benchmarks/processes.py DATA --scratch DIR -o FILE.md``. Both runs
are in fp32 and print a line a step; DIR keeps the prepared faces and both run folders. The options of ``--launch`` go
to ``amgan train``, so ``--launch "--devices 4 --accelerator gpu"`` compares four GPUs with one.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median

from amgan.training.config import config_path, load_config


def lines_of(folder: Path) -> list[dict[str, float]]:
    """The statistics of a run, a line a step."""
    return [json.loads(line) for line in (folder / "stats.jsonl").read_text().splitlines()]


def main() -> None:
    """Trains twice, compares, and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="faces, as for amgan train")
    parser.add_argument("--scratch", type=Path, required=True, help="for the prepared faces and both runs")
    parser.add_argument("-o", "--out", type=Path, required=True, help="Markdown file; written over")
    parser.add_argument("--preset", default="default")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--launch", default="--devices 2", help="what the second run adds to the first")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as for amgan train")
    arguments = parser.parse_args()

    # The first stage alone, and of the map head's lessons none: both networks from the first step on.
    short = [f"stages.0.steps={arguments.steps}", "stages.0.map_head_steps=0", "precision=fp32", "log_every=1"]
    settings = [*short, *arguments.set]
    config = load_config(config_path(arguments.preset), settings, arguments.data)
    path = arguments.scratch / "run.yaml"
    arguments.scratch.mkdir(parents=True, exist_ok=True)
    path.write_text(config.model_copy(update={"stages": config.stages[:1]}).model_dump_json())
    found = []
    for name, options in (("one", []), ("many", arguments.launch.split())):
        folder = arguments.scratch / name
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run([sys.executable, "-m", "amgan", "train", str(path), "--out", str(folder), *options], check=True)
        found.append(lines_of(folder))
    one, many = found
    losses = [key for key in one[0] if key[:2] in ("g_", "d_")]
    seconds = [median(line["seconds_per_step"] for line in run) for run in found]
    stage = config.stages[0]
    rates = [f"{stage.batch / each:.1f}" for each in seconds]
    text = (
        f"`{arguments.preset}`, {len(one)} steps of {stage.batch} patches of {stage.patch} px in fp32: one process "
        f"{rates[0]} patches a second, with `{arguments.launch}` {rates[1]}.\n\n"
        "| loss | at the first step | at the last | largest difference | as a share of the loss |\n"
        "|---|---|---|---|---|\n"
    )
    for key in losses:
        pairs = [(a[key], b[key]) for a, b in zip(one, many, strict=True) if key in a]
        apart = max(abs(a - b) for a, b in pairs)
        share = max(abs(a - b) / max(abs(a), 1e-12) for a, b in pairs)
        text += f"| {key} | {pairs[0][0]:.4g} | {pairs[-1][0]:.4g} | {apart:.1e} | {share:.1e} |\n"
    print(text)
    arguments.out.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
