"""Population atlases from a labelled table: the grades of each population's faces at given percents.

``python -m amgan.data.quantiles --data DIR --out DIR`` reads the table of the one and writes an atlas for each
population label with enough scored people into the other. The shipped ones were written by it, into
``src/amgan/signs/atlases``.

Counted are scored photos of known age in the splits train and val: percentiles serve as targets, and a test must not
know its answers. A person with several photos counts once, with the mean of the scores. Labels stay as the source
states them; only their spelling is made a file name's (``middle-eastern``: ``middle_eastern``).
"""

from __future__ import annotations

import argparse
import math
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from amgan.data.dataset import read_rows
from amgan.data.table import Row
from amgan.errors import OutputError, as_tool
from amgan.signs.atlas import AGE, unit_atlas

# People a sign must be scored on. With ten, one person is worth the step between most of the percents below.
FEWEST = 10
SPLITS = ("train", "val")
PERCENTS = (0, 5, 10, 20, 30, 40, 50, 60, 70, 80, 90, 95, 100)
HEADER = "# Written by `python -m amgan.data.quantiles`: run it again rather than edit this.\n"


def by_population(rows: Iterable[Row]) -> dict[str, list[Row]]:
    """The rows that count of each population, by its atlas's name; the population with most people first."""
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        name = re.sub("[^a-z0-9]+", "_", row.population.lower()).strip("_")
        if name and (row.scores or row.right) and row.split in SPLITS and not math.isnan(row.age):
            found[name].append(row)
    return dict(sorted(found.items(), key=lambda item: -_people(item[1])))


def population_atlas(name: str, rows: list[Row]) -> str | None:
    """The atlas of one population.

    Args:
        name: What to call it.
        rows: Its rows from `by_population`, read with the `unit` atlas.

    Returns:
        YAML, the same for the same rows; None if no sign is scored on `FEWEST` people.
    """
    atlas = unit_atlas()
    signs = {sign: {"quantiles": found} for sign in atlas.signs if (found := _quantiles(rows, sign))}
    if not signs:
        return None
    content = {
        "extends": atlas.name,
        "name": name,
        "description": f"The grades of unit, with percentiles of {_people(rows)} people labelled {name}.",
        AGE: {"quantiles": _quantiles(rows, AGE)},
        "signs": signs,
    }
    return HEADER + yaml.safe_dump(content, default_flow_style=None, sort_keys=False, width=110)


def write_atlas(folder: Path, name: str, text: str) -> Path:
    """Writes an atlas, in place of one that was written here before.

    Raises:
        OutputError: There is a file of that name that this module did not write.
    """
    path = folder / f"{name}.yaml"
    if path.exists() and not path.read_text(encoding="utf-8").startswith(HEADER):
        raise OutputError(f"{path}: was written by hand and is not replaced; give another --out")
    folder.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def _people(rows: Iterable[Row]) -> int:
    return len({row.identity for row in rows})


def _quantiles(rows: Iterable[Row], sign: str) -> dict[str, Any] | None:
    atlas = unit_atlas()
    scale = atlas.scale(sign)
    grades: defaultdict[str, list[float]] = defaultdict(list)
    ages = []
    for row in rows:
        score = row.age if sign == AGE else row.of_sign(sign)
        if not math.isnan(score):
            grades[row.identity].append(scale.grade(score))
            ages.append(atlas.age.grade(row.age))
    if len(grades) < FEWEST:
        return None
    # 5 and 95 say nothing of less than twenty people, of whom the outermost is worth more than that.
    one = 100 / len(grades)
    percents = [percent for percent in PERCENTS if percent in (0, 100) or one <= percent <= 100 - one]
    measured = np.percentile([np.mean(of_one) for of_one in grades.values()], percents)
    return {
        "faces": len(grades),
        "ages": [round(min(ages), 1), round(max(ages), 1)],
        "grades": {percent: round(float(grade), 1) for percent, grade in zip(percents, measured, strict=True)},
    }


@as_tool
def main() -> None:
    """Writes the atlases and says of each population how many people it has."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="dataset, or folder with faces.csv and its photos")
    parser.add_argument("--out", type=Path, required=True, help="folder for the atlases")
    options = parser.parse_args()
    for name, rows in by_population(read_rows(options.data, unit_atlas())).items():
        text = population_atlas(name, rows)
        result = f"too few, {FEWEST} are wanted" if text is None else write_atlas(options.out, name, text)
        print(f"{_people(rows):6} {name}: {result}")


if __name__ == "__main__":
    main()
