"""Sign estimators in a folder of their own: ``estimators.safetensors`` and ``estimators.json``.

A model has its estimators beside its generator (`amgan.models.bundle`); `amgan fit-estimators` writes them alone.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

from amgan.errors import AtlasError, WeightsError, in_one_line
from amgan.faces.output import write_whole, written_aside
from amgan.models.bundle import ESTIMATORS, SCHEMA, load_bundle
from amgan.models.estimator import SignEstimators, SignReport
from amgan.models.estimator_kinds import pack_estimators, unpack_estimators
from amgan.signs.atlas import parse_atlas

CONTENT = "estimators.json"


def save_estimators(folder: Path, estimators: SignEstimators, reports: Mapping[str, SignReport], notice: str) -> Path:
    """Writes estimators, and how they did on people they were not fitted on.

    Args:
        folder: Made if missing; estimators in it are replaced.
        estimators: Fitted.
        reports: From `SignEstimators.fit`.
        notice: Licence of the weights, one line.

    Returns:
        `folder`.

    Raises:
        OutputError: It cannot be written.
    """
    content = {
        "notice": notice,
        "held_out": {name: dataclasses.asdict(report) for name, report in reports.items()},
        "atlas": estimators.atlas.model_dump(mode="json"),
    }
    weights = folder / ESTIMATORS
    with written_aside(weights, True, (weights.suffix,)) as aside:
        aside.write_bytes(pack_estimators(estimators))
        write_whole(folder / CONTENT, json.dumps(content, indent=1))
    return folder


def load_estimators(folder: Path | None = None) -> SignEstimators:
    """Loads estimators.

    Args:
        folder: Of `save_estimators`, or a model's; None takes the default model's.

    Raises:
        WeightsError: A file is missing, damaged or does not fit the others.
    """
    if folder is None or (folder / SCHEMA).is_file():
        estimators = load_bundle(folder).estimators
        assert isinstance(estimators, SignEstimators)  # a folder has no others
        return estimators
    path = folder / CONTENT
    try:
        atlas = parse_atlas(json.loads(path.read_text(encoding="utf-8"))["atlas"], str(path))
    except OSError as error:
        wanted = "give a folder of `amgan fit-estimators`, such as OUT/maps, or a model's"
        raise WeightsError(f"{folder}: no {CONTENT} there ({error.strerror}); {wanted}") from error
    except (ValueError, KeyError, TypeError, AtlasError) as error:  # no UTF-8 is a ValueError too
        raise WeightsError(f"{path}: malformed ({in_one_line(error)})") from error
    try:
        data = (folder / ESTIMATORS).read_bytes()
    except OSError as error:
        raise WeightsError(f"{folder / ESTIMATORS}: cannot be read ({error.strerror})") from error
    return unpack_estimators(data, atlas, folder / ESTIMATORS)


def fingerprint(estimators: SignEstimators) -> str:
    """Hexadecimal digest of the weights: two estimators with the same one give the same answers."""
    # Of ridge regressions, which have no settings, what it was before there were other kinds.
    digest = hashlib.sha256(json.dumps(estimators.settings).encode() if estimators.settings else b"")
    for name, value in sorted(estimators.state_dict().items()):
        digest.update(name.encode() + value.numpy().tobytes())
    return digest.hexdigest()
