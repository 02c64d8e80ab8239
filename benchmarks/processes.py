"""Two processes against one on the same global batch: are the losses the same, and how many patches a second.

Run it with nothing else running: ``OMP_NUM_THREADS=1 .venv/bin/python benchmarks/processes.py DATA --scratch DIR -o
FILE.md``; with more threads in one process than in another sums are divided otherwise. Three runs in fp32 print a line
a step: one process with the whole batch in one pass; one that goes through it in as many passes as there are processes
in the third, which is to be the same bit for bit (for two, four, eight of them: halving is exact); and the third. From
the first they may differ by the order in which numbers are summed, which training magnifies. DIR keeps the prepared
faces and the run folders.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from pathlib import Path
from statistics import median

from amgan.training.config_file import config_path, load_config


def lines_of(folder: Path) -> list[dict[str, float]]:
    """The statistics of a run, a line a step."""
    return [json.loads(line) for line in (folder / "stats.jsonl").read_text().splitlines()]


def main() -> None:
    """Trains twice, compares, and writes the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="faces, as for amgan train")
    parser.add_argument("--scratch", type=Path, required=True, help="for the prepared faces and both runs")
    parser.add_argument("-o", "--out", type=Path, required=True, help="Markdown file; written over")
    parser.add_argument("--preset", default="photos")
    parser.add_argument("--steps", type=int, default=50)
    parser.add_argument("--devices", type=int, default=2)
    parser.add_argument("--accelerator", default="cpu")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="as for amgan train")
    arguments = parser.parse_args()

    # The first stage alone, and of the map head's lessons none: both networks from the first step on.
    short = [f"stages.0.steps={arguments.steps}", "stages.0.map_head_steps=0", "precision=fp32", "log_every=1"]
    settings = [*short, *arguments.set]
    config = load_config(config_path(arguments.preset), settings, arguments.data)
    path = arguments.scratch / "run.yaml"
    arguments.scratch.mkdir(parents=True, exist_ok=True)
    path.write_text(config.model_copy(update={"stages": config.stages[:1]}).model_dump_json())
    runs = {
        "one": [],
        "passes": ["--set", f"stages.0.accumulate={arguments.devices}"],
        "processes": ["--devices", str(arguments.devices)],
    }
    found = {}
    for name, options in runs.items():
        folder = arguments.scratch / name
        shutil.rmtree(folder, ignore_errors=True)
        command = [sys.executable, "-m", "amgan", "train", str(path), "--out", str(folder), *options]
        subprocess.run([*command, "--accelerator", arguments.accelerator], check=True)
        found[name] = lines_of(folder)
    losses = [key for key in found["one"][-1] if key[:2] in ("g_", "d_")]
    rates = {
        name: f"{config.stages[0].batch / median(line['seconds_per_step'] for line in run):.1f}"
        for name, run in found.items()
    }
    one, passes, many = found.values()
    same = all(a.get(key) == b.get(key) for a, b in zip(passes, many, strict=True) for key in losses)
    stage = config.stages[0]
    count, verdict = arguments.devices, "the same bit for bit" if same else "**not the same**"
    text = (
        f"`{arguments.preset}`, {len(one)} steps of {stage.batch} patches of {stage.patch} px in fp32. "
        f"Patches a second: {rates['one']} with one process, {rates['passes']} in {count} passes, "
        f"{rates['processes']} with {count} processes. Losses of the last two are {verdict}. Against one pass:\n\n"
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
