"""How good are the sign estimators: beside the usual baseline, the paper's networks, and the agreement of two raters.

``python benchmarks/estimators.py DATA STORE [--networks DIR]`` writes ``benchmarks/results/estimators.md``. Features
are kept beside the store. All of it is fitted on the same training people and tested on the people of `test`, who
choose nothing. The folds are over all graded photos, those of `test` among them, and choose nothing either: more faces,
so that what is close can be told apart.
"""

from __future__ import annotations

import argparse
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from last_layer import last_layer_features

from amgan.cli.progress import bar
from amgan.data.store import prepare
from amgan.models.bundle import load_bundle
from amgan.models.estimator import FOLDS, SignEstimators, SignLabels, ZoneFeatures
from amgan.models.estimator_file import load_estimators
from amgan.models.ridge import Array, blend, fit_ridge, pearson, person_folds
from amgan.models.ridge_estimators import RidgeEstimators
from amgan.signs.atlas import AGE
from amgan.training.estimating import face_features, sign_labels
from amgan.training.fitting import belongs_to

RESULTS = Path(__file__).parent / "results" / "estimators.md"
DRAWS = 4000


@dataclass(frozen=True)
class Scored:
    """The zones of one sign that a person scored: features, scores (N,), people."""

    features: ZoneFeatures
    scores: Array
    people: list[str]

    @property
    def folds(self) -> npt.NDArray[np.int64]:
        """The fold of each row."""
        return person_folds(self.people, FOLDS)


def main() -> None:
    """Writes the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("store", type=Path)
    parser.add_argument("--networks", type=Path, help="OUT of `amgan fit-estimators --kind resnet18`")
    parser.add_argument("--out", type=Path, default=RESULTS, help="Markdown file; written over")
    options = parser.parse_args()

    bundle = load_bundle()
    ours, atlas = bundle.estimators, bundle.atlas
    # The model is a folder's, no ONNX file.
    assert isinstance(ours, RidgeEstimators)
    networks = None if options.networks is None else load_estimators(options.networks / "maps")
    store = prepare(options.data, options.store, atlas, lambda rows: bar(list(rows), "faces", None))
    features = {
        "ours": face_features(store, ours, lambda numbers: bar(list(numbers), "features", None)),
        "last": last_layer_features(store, atlas, lambda numbers: bar(list(numbers), "last layer", None)),
    }
    if networks is not None:
        features["networks"] = face_features(store, networks, lambda numbers: bar(list(numbers), "crops", None))
    rows = {
        "train": store.subset(belongs_to("maps", bundle.judge_share)),
        "test": store.subset(lambda row: row.split == "test"),
        "graded": store.subset(lambda row: bool(row.scores) or not math.isnan(row.age)),
    }
    known = {
        (kind, split): sign_labels(store, atlas, array, which, estimated=False)
        for kind, array in features.items()
        for split, which in rows.items()
    }
    raters = raters_agreement(options.data / "README.md")

    test = [
        "| sign | raters: r, error | faces | ours: r, error | last layer: r, error | r(ours) - r(last layer), 95% "
        "| ResNet-18: r, error | r(ours) - r(ResNet-18), 95% |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    folds = [
        "| sign | faces | ours: r, error | ours, own crop alone: r, error | last layer: r, error "
        "| r(ours) - r(last layer), 95% |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    for name in (*atlas.signs, AGE):
        tested, trained = scored(known["ours", "test"][name]), scored(known["last", "train"][name])
        a = predicted(ours, name, tested)
        baseline = fit_ridge(trained.features.own.astype(np.float64), trained.scores, trained.folds)
        b = baseline.predict(scored(known["last", "test"][name]).features.own).clip(0, 1)
        line = f"| {name} | {raters.get(name, '')} | {len(a)} | {figures(a, tested)} | {figures(b, tested)}"
        line += f" | {difference(a, b, tested)} | "
        if networks is None:
            line += "| |"
        else:
            c = predicted(networks, name, scored(known["networks", "test"][name]))
            line += f"{figures(c, tested)} | {difference(a, c, tested)} |"
        test.append(line)

        us, them = (scored(known[kind, "graded"][name]) for kind in ("ours", "last"))
        places = np.stack([fit.held_out for fit in ours.fit_places(us.features, us.scores, us.folds)])
        index = ours.names.index(name)
        alone, a = places[index].clip(0, 1), blend(places, index, us.scores, us.folds).held_out.clip(0, 1)
        b = fit_ridge(them.features.own.astype(np.float64), them.scores, them.folds).held_out.clip(0, 1)
        folds.append(
            f"| {name} | {len(a)} | {figures(a, us)} | {figures(alone, us)} | {figures(b, us)} "
            f"| {difference(a, b, us)} |"
        )
        print(test[-1], folds[-1], sep="\n", flush=True)
    text = ["Fitted on the training people of the default model, tested on `test`:", "", *test, ""]
    text += ["Five folds of people over all photos that have a grade, or for age an age:", "", *folds]
    options.out.write_text("\n".join(text) + "\n", encoding="utf-8")


def raters_agreement(readme: Path) -> dict[str, str]:
    """Sign to r and error of two raters, from the table in the README of the development data; empty without one."""
    text = readme.read_text(encoding="utf-8") if readme.is_file() else ""
    # Their mean difference is in grades of 0 to 100.
    rows = re.findall(r"^\| (\w+) \| (0\.\d+) \| 0\.\d+ \| (\d+\.\d+) \|", text, re.MULTILINE)
    return {sign: f"{r}, {float(off) / 100:.3f}" for sign, r, off in rows}


def scored(known: SignLabels) -> Scored:
    """What a person scored."""
    has = np.isfinite(known.scores)
    return Scored(known.features[has], known.scores[has], [who for who, h in zip(known.people, has, strict=True) if h])


def predicted(estimators: SignEstimators, name: str, known: Scored) -> Array:
    """Scores (N,)."""
    return estimators.predict_sign(name, known.features)[0].astype(np.float64)


def figures(found: Array, known: Scored) -> str:
    """r and mean absolute error."""
    return f"{pearson(found, known.scores):.3f}, {np.abs(found - known.scores).mean():.3f}"


def difference(a: Array, b: Array, known: Scored) -> str:
    """r of `a` less r of `b`, and the interval in which 95% of the draws of people, with replacement, have it."""
    people, of_row = np.unique(known.people, return_inverse=True)
    random = np.random.default_rng(0)
    weights = random.multinomial(len(people), np.full(len(people), 1 / len(people)), DRAWS)[:, of_row]
    low, high = np.quantile(weighted_r(weights, a, known.scores) - weighted_r(weights, b, known.scores), (0.025, 0.975))
    return f"{pearson(a, known.scores) - pearson(b, known.scores):+.3f} ({low:+.3f} to {high:+.3f})"


def weighted_r(weights: npt.NDArray[np.int64], a: Array, b: Array) -> Array:
    """Pearson's r (D,) of (N,) and (N,) with each of the weights (D, N)."""
    w = weights / weights.sum(axis=1, keepdims=True)
    a, b = a - (w @ a)[:, None], b - (w @ b)[:, None]
    r: Array = (w * a * b).sum(1) / np.sqrt((w * a**2).sum(1) * (w * b**2).sum(1))
    return r


if __name__ == "__main__":
    main()
