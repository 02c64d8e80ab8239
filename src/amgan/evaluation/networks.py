"""Networks through which sets of pictures are compared; each is named in the result.

The one that leads had no part in training. EfficientNet-Lite0 had: the critic looked through it, so that its distance
is an inside figure. FID is the distance seen through Inception as the field has agreed on it, and nothing else.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import torch

from amgan.errors import WeightsError

Rgb = npt.NDArray[np.uint8]
Network = Callable[[Rgb], npt.NDArray[np.float32]]
# Side at which faces are shown to the packaged networks: fine lines survive, and a face takes a tenth of a second.
SIDE = 512
LEADING, INSIDE, INCEPTION = "OpenNSFW ResNet-50", "EfficientNet-Lite0 (inside)", "Inception"


def load_networks(inception: Path | None = None) -> dict[str, Network]:
    """Name to network, the leading one first; each turns an aligned face (S, S, 3) into (D,) features.

    Args:
        inception: TorchScript file of the Inception that StyleGAN's metrics use.

    Raises:
        MissingExtraError: The leading one's package is not installed.
        WeightsError: The Inception file cannot be read.
    """
    networks = {LEADING: _resnet(), INSIDE: _efficientnet()}
    return networks if inception is None else {**networks, INCEPTION: load_inception(inception)}


def fetch(source: str, folder: Path) -> Path:
    """The file that a path or a URL means; a URL is loaded once, into `folder`.

    Raises:
        WeightsError: There is no such file, or it cannot be loaded.
    """
    if "://" not in source:
        if not Path(source).is_file():
            raise WeightsError(
                f"{source}: no such file; --inception wants StyleGAN's inception-2015-12-05.pt, or its URL"
            )
        return Path(source)
    # Named by the whole of it: two sites may have files of one name.
    path = folder / f"{hashlib.sha256(source.encode()).hexdigest()[:8]}-{source.rpartition('/')[2]}"
    if not path.is_file():
        folder.mkdir(parents=True, exist_ok=True)
        try:
            torch.hub.download_url_to_file(source, str(path), progress=False)
        except (OSError, ValueError) as error:
            raise WeightsError(f"{source}: cannot be loaded ({error}); load it yourself and give its path") from error
    return path


def _shrunk(rgb: Rgb) -> Rgb:
    return np.asarray(cv2.resize(rgb, (SIDE, SIDE), interpolation=cv2.INTER_AREA), np.uint8)


def _resnet() -> Network:
    from amgan.evaluation.judges.resnet import ResNetFeatures

    features = ResNetFeatures()
    return lambda rgb: np.asarray(features.maps(_shrunk(rgb)[None])[-1][0].mean(axis=(0, 1)), np.float32)


def _efficientnet() -> Network:
    from amgan.models.backbone import pretrained_trunk

    trunk = pretrained_trunk(deep=True)

    def features(rgb: Rgb) -> npt.NDArray[np.float32]:
        image = torch.from_numpy(_shrunk(rgb)).permute(2, 0, 1)[None].float() / 127.5 - 1
        with torch.inference_mode():
            return trunk(image.contiguous(memory_format=torch.channels_last))[-1].mean(dim=(2, 3))[0].numpy()

    return features


def load_inception(path: Path) -> Network:
    """StyleGAN's Inception.

    Args:
        path: Its TorchScript file.

    Raises:
        WeightsError: It is none.
    """
    try:
        network = torch.jit.load(str(path), map_location="cpu").eval()
    except RuntimeError as error:
        raise WeightsError(f"{path}: not a TorchScript file; StyleGAN's inception-2015-12-05.pt is wanted") from error

    def features(rgb: Rgb) -> npt.NDArray[np.float32]:
        with torch.inference_mode():
            # It shrinks pictures itself, in its own way, which is part of what FID means. Some may only be read.
            found = network(torch.tensor(rgb).permute(2, 0, 1)[None], return_features=True)
        return np.asarray(found[0].float().numpy(), np.float32)

    return features
