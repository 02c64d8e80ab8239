"""How good are the sign estimators: on `test`, and by five folds of people over all graded photos.

``python benchmarks/estimators.py DATA STORE`` writes ``benchmarks/results/estimators.md``. Features are kept beside the
store. The folds include the people of `test`, so they choose nothing: they only put a figure beside others so made.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from amgan.cli.progress import bar
from amgan.data.store import prepare
from amgan.models.estimator import FOLDS
from amgan.models.estimator_file import load_estimators
from amgan.models.ridge import fit_ridge, person_folds
from amgan.signs.atlas import AGE
from amgan.training.estimating import face_features, sign_labels
from amgan.training.fitting import compare

RESULT = Path(__file__).parent / "results" / "estimators.md"


def main(data: Path, store: Path) -> None:
    """Writes the table."""
    estimators = load_estimators()
    atlas = estimators.atlas
    faces = prepare(data, store, atlas, lambda rows: bar(list(rows), "faces", None))
    features = face_features(faces, estimators, lambda numbers: bar(list(numbers), "features", None))
    test = sign_labels(faces, atlas, features, faces.subset(lambda row: row.split == "test"))
    graded = sign_labels(faces, atlas, features, faces.subset(lambda row: bool(row.scores)))
    lines = [
        "| sign | shipped, `test`: faces | r | error | five folds, all graded photos: faces | r | error |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for name in (*atlas.signs, AGE):
        held = compare(estimators, name, test[name])
        known = graded[name]
        scored = np.isfinite(known.scores)
        people = [who for who, has in zip(known.people, scored, strict=True) if has]
        x, y = known.features[scored].astype(np.float64), known.scores[scored]
        fit = fit_ridge(x, y, person_folds(people, FOLDS))
        own = f"{held.count} | {held.correlation:.3f} | {held.error:.3f}"
        lines.append(f"| {name} | {own} | {fit.count} | {fit.correlation:.3f} | {fit.error:.3f} |")
        print(lines[-1], flush=True)
    RESULT.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
