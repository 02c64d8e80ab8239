"""Fits what tells covered foreheads, covered cheeks and glasses, and says how well it does.

``python -m amgan.data.curation.fit_occlusion --data DIR --store DIR [--labels FILE] [--out FILE]``

The labels are in ``covered.csv``: the photos of the development data in which a quarter or more of the forehead, of
the cheek or of the crow's feet is hidden by hair, hat, cloth or dark glasses, or in which glasses are worn; in all
others nothing is. They were made by eye on the zones. Fitted on `train` alone, with the penalty that
cross-validation by identity prefers; precision and recall are printed for its held-out folds, `val` and `test`.
"""

from __future__ import annotations

import argparse
import csv
import dataclasses
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from rich.console import Console
from rich.progress import track
from safetensors.numpy import save_file

from amgan.data.curation.occlusion import COVERS, FACE_SIZE, WEIGHTS, WINDOWS, Classifier, Cover, describe
from amgan.data.store import Store, prepare
from amgan.errors import DatasetError, as_tool
from amgan.faces.align import at_side, points_at
from amgan.logistic import fit_logistic
from amgan.signs.atlas import unit_atlas

# Columns of the labels, one for each window of a cover.
COLUMNS: Mapping[Cover, tuple[str, ...]] = {
    "forehead": ("forehead",),
    "cheeks": ("left_cheek", "right_cheek"),
    "glasses": ("glasses",),
}
PENALTIES = (1e-4, 3e-4, 1e-3, 3e-3)
FOLDS = 5
THRESHOLDS = (0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
Array = npt.NDArray[np.float32]
console = Console(stderr=True)


def read_labels(path: Path) -> dict[str, dict[str, bool]]:
    """Labels of the photos in which anything is covered: file to column to label.

    Raises:
        DatasetError: The file is missing, lacks a column, or a label is neither 0 nor 1.
    """
    wanted = {column for columns in COLUMNS.values() for column in columns}
    if not path.is_file():
        raise DatasetError(f"{path}: no such file; --labels wants a CSV with the columns file, {', '.join(wanted)}")
    labels = {}
    with path.open(newline="", encoding="utf-8") as file:
        reader = csv.DictReader(file, restval="")
        lacking = {"file", *wanted} - set(reader.fieldnames or ())
        if lacking:
            raise DatasetError(f"{path}: no column {', '.join(sorted(lacking))}")
        for line, record in enumerate(reader, start=2):
            if odd := [column for column in wanted if record[column] not in ("0", "1")]:
                raise DatasetError(f"{path}, line {line}, column {odd[0]}: {record[odd[0]]!r} is neither 0 nor 1")
            labels[record["file"]] = {column: record[column] == "1" for column in wanted}
    return labels


def describe_store(store: Store) -> dict[Cover, tuple[Array, Array]]:
    """Descriptors of every window of every face, as it is and as the mirrored photo would show it.

    Returns:
        Cover to two (N, W, D) arrays. The cheeks are each other's mirror image, so theirs are the same.
    """
    found: dict[Cover, list[tuple[Array, Array]]] = {cover: [] for cover in COVERS}
    for face, landmarks in track(_small_faces(store), "descriptors", total=len(store.rows), console=console):
        for cover, windows in WINDOWS.items():
            plain = np.stack([describe(face, landmarks, window) for window in windows])
            turned = plain
            if len(windows) == 1:
                turned = describe(face, landmarks, dataclasses.replace(windows[0], mirrored=True))[None]
            found[cover].append((plain, turned))
    return {c: (np.stack([p for p, _ in pairs]), np.stack([t for _, t in pairs])) for c, pairs in found.items()}


def _small_faces(store: Store) -> Iterator[tuple[npt.NDArray[np.uint8], Array]]:
    for index, landmarks in enumerate(store.landmarks):
        yield at_side(store.images[index], FACE_SIZE), points_at(landmarks, store.size, FACE_SIZE)


def fit_classifier(descriptors: Array, covered: npt.NDArray[np.bool_], penalty: float) -> Classifier:
    """Logistic regression on descriptors less their mean.

    Args:
        descriptors: (N, D).
        covered: (N,).
        penalty: See `fit_logistic`.
    """
    centre = descriptors.mean(axis=0)
    x = torch.from_numpy(descriptors - centre).double()
    weights, bias = fit_logistic(x, torch.from_numpy(covered).double(), penalty)
    fitted = weights.numpy().astype(np.float32)
    return Classifier(fitted, float(bias.item() - centre @ fitted))


def fit_windows(plain: Array, turned: Array, covered: npt.NDArray[np.bool_], penalty: float) -> Classifier:
    """`fit_classifier` on all windows (N, W, D) of some faces and their mirror images, labels (N, W)."""
    both = np.concatenate([plain, turned]).reshape(-1, plain.shape[2])
    return fit_classifier(both, np.concatenate([covered, covered]).ravel(), penalty)


def held_out(
    plain: Array, turned: Array, covered: npt.NDArray[np.bool_], folds: npt.NDArray[np.int64], penalty: float
) -> Array:
    """Probabilities (N, W) of every window by a classifier that was fitted without its fold."""
    found = np.zeros(covered.shape, np.float32)
    for fold in range(FOLDS):
        rest, part = folds != fold, folds == fold
        classifier = fit_windows(plain[rest], turned[rest], covered[rest], penalty)
        found[part] = classifier.probability(plain[part])
    return found


def log_loss(probability: Array, covered: npt.NDArray[np.bool_]) -> float:
    """Mean negative log likelihood of labels."""
    return float(-np.log(np.clip(np.where(covered, probability, 1 - probability), 1e-6, 1)).mean())


def precision_recall(probability: Array, covered: npt.NDArray[np.bool_], threshold: float) -> tuple[float, float]:
    """Precision (NaN if nothing is above the threshold) and recall (NaN if nothing is covered)."""
    above = probability > threshold
    hits = float((above & covered).sum())
    return (hits / above.sum() if above.any() else np.nan), (hits / covered.sum() if covered.any() else np.nan)


def report(cover: Cover, part: str, probability: Array, covered: npt.NDArray[np.bool_]) -> None:
    """Prints precision and recall of faces (N, W), of which the most covered window counts."""
    face, truth = np.asarray(probability.max(axis=1)), np.asarray(covered.any(axis=1))
    cells = [f"{t}: {p:.2f}/{r:.2f}" for t in THRESHOLDS for p, r in [precision_recall(face, truth, t)]]
    print(f"{cover:<9} {part:<10} {truth.sum():4d} of {len(truth):4d}   precision/recall at {'  '.join(cells)}")


@as_tool
def main() -> None:
    """Command line of the fit."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    here = Path(__file__).parent
    parser.add_argument("--data", type=Path, required=True, help="folder with faces.csv and its photos")
    parser.add_argument("--store", type=Path, required=True, help="prepared faces (made if missing)")
    parser.add_argument("--labels", type=Path, default=here / "covered.csv", help="what is covered; else the packaged")
    parser.add_argument("--out", type=Path, default=here / WEIGHTS, help="file to write; else the packaged one")
    options = parser.parse_args()
    labels = read_labels(options.labels)
    store = prepare(options.data, options.store, unit_atlas())
    splits = np.array([row.split for row in store.rows])
    folds = np.array([zlib.crc32(row.identity.encode()) % FOLDS for row in store.rows], np.int64)
    bare = dict.fromkeys((column for columns in COLUMNS.values() for column in columns), False)
    arrays: dict[str, npt.NDArray[np.float16] | Array] = {}
    train = splits == "train"
    for cover, (plain, turned) in describe_store(store).items():
        covered = np.array([[labels.get(r.name, bare)[c] for c in COLUMNS[cover]] for r in store.rows])
        fold_sets = [
            held_out(plain[train], turned[train], covered[train], folds[train], penalty) for penalty in PENALTIES
        ]
        best = int(np.argmin([log_loss(found, covered[train]) for found in fold_sets]))
        fitted = fit_windows(plain[train], turned[train], covered[train], PENALTIES[best])
        # Rounded first, so that what is measured is what is shipped.
        weights = fitted.weights.astype(np.float16)
        classifier = Classifier(weights.astype(np.float32), fitted.bias)
        arrays[f"{cover}.weights"] = weights
        arrays[f"{cover}.bias"] = np.array([fitted.bias], np.float32)
        print(f"{cover:<9} penalty {PENALTIES[best]:g}")
        report(cover, "held out", fold_sets[best], covered[train])
        for split in ("val", "test"):
            part = splits == split
            report(cover, split, classifier.probability(plain[part]), covered[part])
    # Weights are under the licences of what they were fitted on.
    licences = sorted({row.licence for row, fitted_on in zip(store.rows, train, strict=True) if fitted_on})
    save_file(arrays, options.out, {"licences of the training photos": "; ".join(licences)})


if __name__ == "__main__":
    main()
