"""The kinds of sign estimators, and their weights as bytes in the safetensors format.

The header's metadata says the kind and its settings; ridge regressions, which were there first, say nothing.
"""

from __future__ import annotations

import json
from typing import Any, Literal

from pydantic import ValidationError
from safetensors import SafetensorError
from safetensors.torch import load, save

from amgan.errors import WeightsError, in_one_line
from amgan.models.estimator import SignEstimators
from amgan.models.resnet import ResNetConfig
from amgan.models.resnet_estimators import ResNetEstimators
from amgan.models.ridge_estimators import RidgeEstimators
from amgan.signs.atlas import Atlas

Kind = Literal["ridge", "resnet18"]


def new_estimators(kind: Kind, atlas: Atlas) -> SignEstimators:
    """Estimators that are not fitted yet."""
    return RidgeEstimators(atlas) if kind == "ridge" else ResNetEstimators(atlas)


def pack_estimators(estimators: SignEstimators) -> bytes:
    """Weights, kind and settings."""
    settings = estimators.settings
    metadata = {"kind": estimators.kind, "settings": json.dumps(settings)} if settings else None
    # Vectors are few and may reach beyond half precision.
    weights = {
        name: (value.to(estimators.stored_as) if value.ndim > 1 else value).contiguous()
        for name, value in estimators.file_weights().items()
    }
    return save(weights, metadata)


def unpack_estimators(data: bytes, atlas: Atlas, source: object) -> SignEstimators:
    """The opposite of `pack_estimators`.

    Args:
        data: From it.
        atlas: Signs and zones that they were fitted for.
        source: What to name in an error.

    Raises:
        WeightsError: They are damaged, of an unknown kind, or of other signs.
    """
    try:
        weights = load(data)
        metadata: dict[str, Any] = _header(data).get("__metadata__", {})
        kind = metadata.get("kind", "ridge")
        if kind not in ("ridge", "resnet18"):
            raise WeightsError(f"{source}: estimators of the kind {kind!r}, which a newer version has; upgrade amgan")
        estimators: SignEstimators = (
            RidgeEstimators(atlas)
            if kind == "ridge"
            else ResNetEstimators(atlas, ResNetConfig.model_validate_json(metadata["settings"]))
        )
        # Copied into weights of full precision.
        estimators.take_file_weights(weights)
    except (SafetensorError, RuntimeError, KeyError, IndexError, ValidationError) as error:
        raise WeightsError(f"{source}: damaged estimators ({in_one_line(error)})") from error
    return estimators


def _header(data: bytes) -> dict[str, Any]:
    """A safetensors file begins with the length of its header, 8 bytes, and the header in JSON."""
    length = int.from_bytes(data[:8], "little")
    header: dict[str, Any] = json.loads(data[8 : 8 + length])
    return header
