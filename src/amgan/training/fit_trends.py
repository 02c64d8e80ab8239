"""Measures how light and shape of faces go with age (`amgan.maps.trends`), as `amgan train` does at its end.

``python -m amgan.training.fit_trends MODEL --data DIR --store DIR [--licence NAME ...]``

So a finished model gets other trends: those of the photos of `train` in DIR, less the people that are kept for judges,
in the zones of its own atlas.
Takes some two minutes for 700 faces.
"""

from __future__ import annotations

import argparse
from collections.abc import Collection, Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from rich.console import Console
from rich.progress import track

from amgan.data import fit_sagging
from amgan.data.store import Store, prepare
from amgan.data.table import Row, held_for_judges, under
from amgan.errors import DatasetError, WeightsError, as_tool
from amgan.maps.trends import Trends
from amgan.models.bundle import TRENDS, load_bundle_schema
from amgan.models.estimator import Progress
from amgan.models.estimator_kinds import new_estimators
from amgan.signs.atlas import Atlas
from amgan.training import fit_shading
from amgan.training.estimating import fit_estimators, zone_scores

# Fewest faces that tell as much, and more than so many tell no more.
FEWEST, MOST = 100, 3000


def measurable(store: Store, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Those of some rows whose age is known, no more than `MOST`; none if they are too few."""
    known = np.array([index for index in rows if np.isfinite(store.rows[index].age)], np.int64)
    if len(known) < FEWEST:
        return known[:0]
    return known[np.linspace(0, len(known) - 1, MOST).astype(np.int64)] if len(known) > MOST else known


def measure_trends(
    store: Store,
    atlas: Atlas,
    chosen: npt.NDArray[np.int64],
    scores: npt.NDArray[np.float32],
    ages: npt.NDArray[np.float32],
    progress: Progress = iter,
) -> Trends:
    """How light and shape of some faces go with age.

    Args:
        store: Prepared faces.
        atlas: Signs and zones.
        chosen: Rows of known age, of `measurable`.
        scores: (N, Z) of every zone of every row of the store, in 0..1.
        ages: (N,) likewise.
        progress: Gets what is to be gone through, and gives it back.
    """
    light = fit_shading.fit(store, atlas, chosen, scores[chosen], ages[chosen], progress)
    return Trends(light, fit_sagging.fit(store, chosen).astype(np.float32))


def rows_under(store: Store, share: float, licences: Collection[str]) -> npt.NDArray[np.int64]:
    """The faces that are learned from (`is_taught`)."""
    return store.subset(lambda row: is_taught(row, share, licences))


def is_taught(row: Row, share: float, licences: Collection[str]) -> bool:
    """Whether it is of `train`, of nobody who is kept for judges, and under one of some licences; any, if none."""
    return row.split == "train" and not held_for_judges(row, share) and under(row, licences)


def check_notice(notice: str, rows: Iterable[Row], data: Path, remedy: str) -> None:
    """Refuses photos that a model's notice says nothing of, where a finished model learns from more.

    Args:
        notice: Of the model.
        rows: What it is to learn from.
        data: Whose photos they are.
        remedy: What to do.

    Raises:
        DatasetError: Names a licence that the notice does not name.
    """
    others = {row.licence for row in rows} - {""}
    if unsaid := sorted(name for name in others if name not in notice):
        raise DatasetError(f"{data}: has photos under {unsaid[0]}, which the model's notice does not name; {remedy}")


def add_licence(parser: argparse.ArgumentParser) -> None:
    """Adds the option ``licence``, a list that is empty where any licence will do."""
    said = "learn from photos under these licences alone, as the data names them"
    parser.add_argument("--licence", nargs="+", default=[], metavar="NAME", help=said)


@as_tool
def main() -> None:
    """Writes the file."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", type=Path, help="folder of a finished model")
    parser.add_argument("--data", type=Path, required=True, help="faces, as for amgan train")
    parser.add_argument("--store", type=Path, required=True, help="where prepared faces are kept")
    add_licence(parser)
    options = parser.parse_args()
    schema = load_bundle_schema(options.model)
    if not schema.generator_config.follows_trends:
        raise WeightsError(f"{options.model}: follows no trends: its config has neither shades nor sags")
    console, atlas = Console(), schema.atlas
    store = prepare(options.data, options.store, atlas)
    rows = rows_under(store, schema.judge_share, options.licence)
    chosen = measurable(store, rows)
    if not len(chosen):
        raise DatasetError(f"{options.data}: too few faces of known age to learn from; {FEWEST} are needed")
    check_notice(schema.notice, (store.rows[index] for index in rows), options.data, "give --licence")
    # What no person has scored is estimated by what these faces teach.
    estimators = new_estimators("ridge", atlas)
    fit_estimators(store, estimators, rows, lambda items: track(list(items), "features of the zones", console=console))
    scores, ages = (part.numpy() for part in zone_scores(store, estimators))
    trends = measure_trends(
        store, atlas, chosen, scores, ages, lambda items: track(list(items), "light on faces", console=console)
    )
    (schema.path / TRENDS).write_bytes(trends.packed())
    far = np.hypot(*trends.moves.T)
    console.print(
        f"{schema.path / TRENDS}: {len(chosen)} faces; light by {np.abs(trends.light).max():.2f} at most, "
        f"shape by {far.max():.1f} px of 1024",
        highlight=False,
        soft_wrap=True,
    )


if __name__ == "__main__":
    main()
