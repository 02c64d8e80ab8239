"""Does `mouth_open` of `amgan curate` find open mouths, and does the blendshape `jawOpen`?

``mouths.csv`` beside the results names 1 for a mouth that is open (the rows of teeth apart, or lips apart before
anything but closed teeth) and 0 for one that is not: judged by eye on enlarged mouths, of all photos of the
development data where anything is dark between the lips, where they part without a smile, or where `jawOpen` is above
0.15. All others count as closed.

    amgan curate ../shared/data ../runs/curated
    python benchmarks/mouths.py ../runs/curated > benchmarks/results/mouths.md
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Annotated

import numpy as np
import pyarrow.parquet as pq
import typer

from amgan.data.curation.fit_occlusion import precision_recall

LABELS = Path(__file__).parent / "results" / "mouths.csv"
MEASURES = {"mouth_open": (0.04, 0.045, 0.05, 0.055, 0.06), "jawOpen": (0.1, 0.15, 0.25)}


def main(
    curated: Annotated[Path, typer.Argument(help="Folder that `amgan curate` made of ../shared/data.", exists=True)],
) -> None:
    """Prints precision and recall of both measures as a Markdown table."""
    with LABELS.open(newline="", encoding="utf-8") as file:
        labels = {line["file"]: line["open"] == "1" for line in csv.DictReader(file)}
    rows = pq.read_table(curated / "faces.parquet", columns=["path", "mouth_open", "blendshapes"]).to_pylist()
    rows = [row for row in rows if row["blendshapes"]]
    if lost := set(labels) - {row["path"] for row in rows}:
        raise SystemExit(f"{curated}: has no face of {min(lost)}; curate ../shared/data")
    wanted = np.array([labels.get(row["path"], False) for row in rows])
    values = {
        "mouth_open": np.array([row["mouth_open"] for row in rows]),
        "jawOpen": np.array([row["blendshapes"]["jawOpen"] for row in rows]),
    }
    print("# Open mouths\n\nWritten by `benchmarks/mouths.py`, which says how the labels were made.\n")
    print(f"{wanted.sum()} of {len(rows)} mouths are open; {len(labels)} were looked at.\n")
    print("| measure | limit | rejected | precision | recall |\n| --- | --- | --- | --- | --- |")
    for name, limits in MEASURES.items():
        for limit in limits:
            precision, recall = precision_recall(values[name], wanted, limit)
            print(f"| `{name}` | {limit:g} | {(values[name] > limit).sum()} | {precision:.2f} | {recall:.2f} |")


if __name__ == "__main__":
    typer.run(main)
