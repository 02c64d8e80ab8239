"""One small ResNet-18 from scratch a sign, on the zone's crop: the estimators of the paper (4.3).

They borrow no weights, and so want more scored faces than a ridge on ImageNet features (docs/estimators.md).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file

from amgan.errors import WeightsError, in_one_line
from amgan.models.estimates import face_crops
from amgan.models.estimator import Features, Progress, SignEstimators, SignLabels, SignReport, ZoneFeatures
from amgan.models.resnet import ResNetConfig
from amgan.models.resnet_fit import SignNetwork, fit_network
from amgan.signs.atlas import AGE, Atlas

# Crops looked at in one go.
_AT_ONCE = 64


class ResNetEstimators(SignEstimators):
    """Residual networks that give score, deviation and the logit of whether the zone is covered.

    Args:
        atlas: Signs and zones.
        config: Of every network and its training.
    """

    kind: ClassVar[str] = "resnet18"
    stored_as: ClassVar[torch.dtype] = torch.float16
    feature_type: ClassVar[type[np.generic]] = np.uint8

    def __init__(self, atlas: Atlas, config: ResNetConfig | None = None) -> None:
        super().__init__(atlas)
        self.config = ResNetConfig() if config is None else config
        # By number, since a sign may be called what a dictionary of modules calls a method.
        self.networks = torch.nn.ModuleList(SignNetwork(self.config.width) for _ in self.names).eval()

    @property
    def settings(self) -> dict[str, Any]:
        """Its config."""
        return self.config.model_dump()

    @property
    def crop_size(self) -> int:
        """See `SignEstimators.crop_size`."""
        return self.config.crop

    @property
    def feature_shape(self) -> tuple[int, ...]:
        """A crop."""
        return (self.config.crop, self.config.crop, 3)

    def features(self, rgb: npt.NDArray[np.uint8], landmarks: npt.NDArray[np.float32]) -> Features:
        """See `SignEstimators.features`."""
        return face_crops(self.atlas, (*self.atlas.zones, AGE), rgb, landmarks, self.config.crop)

    def predict_sign(self, name: str, features: ZoneFeatures) -> npt.NDArray[np.float32]:
        """See `SignEstimators.predict_sign`."""
        network, starts = self._network(name), range(0, len(features), _AT_ONCE)
        found = [network.judge(features[start : start + _AT_ONCE].own) for start in starts]
        return np.concatenate([np.zeros((3, 0), np.float32), *found], axis=1)

    def judged(self, crops: torch.Tensor) -> torch.Tensor:
        """See `SignEstimators.judged`."""
        places = [self.columns_of(name).tolist() for name in self.names]
        found = [self._network(name).answers(crops[at]) for name, at in zip(self.names, places, strict=True)]
        # Back into the order of the zones.
        order = np.argsort([place for at in places for place in at])
        return torch.cat(found, dim=1)[:, torch.from_numpy(order)].T

    def fit(
        self, labels: Mapping[str, SignLabels], keep: Path | None = None, progress: Progress = iter
    ) -> dict[str, SignReport]:
        """See `SignEstimators.fit`.

        Raises:
            WeightsError: A sign that was kept is damaged.
        """
        paths = {name: None if keep is None else keep / self._kept_name(name, labels[name]) for name in self.names}
        missing = [name for name, path in paths.items() if path is None or not path.is_file()]
        epochs = iter(progress(range(len(missing) * self.config.epochs)) if missing else ())
        reports = {}
        for index, (name, path) in enumerate(paths.items()):
            network = self._network(name)
            if name not in missing and path is not None:
                reports[name] = _read(path, network)
                continue
            mirrored = name == AGE or len(self.atlas.zones_of(name)) == 1
            config = self.config.model_copy(update={"seed": self.config.seed + index})
            reports[name] = fit_network(network, labels[name], config, mirrored, lambda: next(epochs, None))
            if path is not None:
                _write(path, network, reports[name])
        next(epochs, None)  # so that the bar ends
        return reports

    def _network(self, name: str) -> SignNetwork:
        network = self.networks[self.names.index(name)]
        assert isinstance(network, SignNetwork)
        return network

    def _kept_name(self, name: str, known: SignLabels) -> str:
        """File name of a finished sign: another for other labels, crops or settings."""
        digest = hashlib.sha256(json.dumps([name, self.settings, known.people]).encode())
        for array in (known.features.own, known.scores, known.covered):
            digest.update(np.ascontiguousarray(array).tobytes())
        return f"{self.kind}-{name}-{digest.hexdigest()[:12]}.safetensors"


def _write(path: Path, network: SignNetwork, report: SignReport) -> None:
    """Keeps a finished sign."""
    aside = path.with_suffix(".part")
    weights = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(weights, aside, {"report": json.dumps(dataclasses.asdict(report))})
    aside.replace(path)


def _read(path: Path, network: SignNetwork) -> SignReport:
    """Takes a kept sign's weights into `network`."""
    try:
        network.load_state_dict(load_file(path))
        with safe_open(path, "pt") as file:
            return SignReport(**json.loads(file.metadata()["report"]))
    except (SafetensorError, RuntimeError) as error:
        raise WeightsError(f"{path}: damaged ({in_one_line(error)}); delete it") from error
