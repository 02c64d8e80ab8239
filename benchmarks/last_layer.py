"""The usual baseline of a sign estimator: pooled features of the last layer of an ImageNet network.

EfficientNet-Lite0's last convolution (1280 channels, stride 32), averaged over the crop; crops as the estimators see
them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F

from amgan.data.store import Store
from amgan.models.backbone import packaged_weights, pretrained_trunk
from amgan.models.estimates import face_crops
from amgan.models.ridge_estimators import CROP_SIZE
from amgan.signs.atlas import AGE, Atlas

WIDTH = 1280


def last_layer_features(
    store: Store, atlas: Atlas, progress: Callable[[Iterable[int]], Iterable[int]]
) -> npt.NDArray[np.float32]:
    """Features of every zone that a person scored; kept beside the store, and gone on with where it was stopped.

    Args:
        store: Prepared faces.
        atlas: Signs and zones.
        progress: Wraps the numbers of the faces, to show how far it is.

    Returns:
        (N, Z + 1, 1280), in the order of the atlas's zones, then ``age``; NaN where nobody scored.
    """
    zones = (*atlas.zones, AGE)
    path = store.folder / "last-layer.npy"
    shape = (len(store.rows), len(zones), WIDTH)
    if path.is_file():
        found = np.lib.format.open_memmap(path, "r+")
    else:
        found = np.lib.format.open_memmap(path, "w+", np.float32, shape)
        found[:] = np.nan
    scored = np.array([[not math.isnan(row.score(zone)) for zone in zones] for row in store.rows])
    missing = np.flatnonzero((scored & np.isnan(found[:, :, 0])).any(axis=1))
    trunk = pretrained_trunk(deep=True)
    state = torch.load(packaged_weights(), map_location="cpu", weights_only=True)
    scale = state["_bn1.weight"] / torch.sqrt(state["_bn1.running_var"] + 1e-3)
    weight = state["_conv_head.weight"] * scale[:, None, None, None]
    bias = state["_bn1.bias"] - state["_bn1.running_mean"] * scale
    for index in progress(missing.tolist()):
        wanted = np.flatnonzero(scored[index])
        named = tuple(zones[z] for z in wanted)
        crops = face_crops(atlas, named, store.images[index], store.landmarks[index], CROP_SIZE)
        images = torch.from_numpy(crops).permute(0, 3, 1, 2).float() / 127.5 - 1
        with torch.inference_mode():
            deepest = trunk(images.contiguous(memory_format=torch.channels_last))[-1]
            found[index, wanted] = F.relu6(F.conv2d(deepest, weight, bias)).mean(dim=(2, 3)).numpy()
    found.flush()
    return np.array(found)
