import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from amgan.errors import WeightsError
from amgan.models.backbone import CHANNELS, STRIDES, pretrained_trunk
from amgan.models.bundle import PACKAGED, fingerprint, load_bundle, packaged_model, save_bundle
from amgan.models.critic import ConvCritic, CriticConfig, FeatureCritic
from amgan.models.estimator import SignEstimators
from amgan.models.generator import Generator, GeneratorConfig
from amgan.signs.atlas import unit_atlas


@pytest.mark.parametrize("stem", [1, 2, 4])
@pytest.mark.parametrize("norm", ["layer", "instance"])
def test_generator_keeps_the_shape_at_any_size(stem: int, norm: str) -> None:
    config = GeneratorConfig(stem=stem, norm=norm, base_channels=8, blocks=1, map_channels=2)
    out = Generator(config)(torch.rand(2, 3, 64, 96), torch.rand(2, 2, 64, 96), torch.rand(2, 2, 64, 96))
    assert out.image.shape == out.change.shape == (2, 3, 64, 96) and out.attention.shape == (2, 1, 64, 96)
    assert 0 <= out.attention.min() and out.attention.max() <= 1


def test_generator_refuses_wrong_shapes() -> None:
    generator = Generator(GeneratorConfig(base_channels=8))
    image, maps, location = torch.rand(1, 3, 32, 32), torch.rand(1, 1, 32, 32), torch.rand(1, 2, 32, 32)
    for call in ((image[..., :24], maps, location), (image, maps[..., :16], location), (image, maps, None)):
        with pytest.raises(ValueError):
            generator(*call)


def test_a_patch_gets_the_answer_of_the_whole_picture() -> None:
    # What patch training rests on: away from a patch's border, cutting out and aging commute.
    torch.manual_seed(0)
    generator = Generator(GeneratorConfig(base_channels=8, blocks=1)).eval()
    image, maps, location = torch.rand(1, 3, 512, 512), torch.rand(1, 1, 512, 512), torch.rand(1, 2, 512, 512)
    cut = (slice(None), slice(None), slice(64, 448), slice(64, 448))
    with torch.no_grad():
        whole = generator(image, maps, location).image[cut]
        patch = generator(image[cut], maps[cut], location[cut]).image
    middle = (slice(None), slice(None), slice(144, 240), slice(144, 240))
    assert torch.allclose(whole[middle], patch[middle], atol=1e-4)


def test_the_map_steers_every_place() -> None:
    torch.manual_seed(0)
    generator = Generator(GeneratorConfig(base_channels=8, blocks=1)).eval()
    image, location = torch.rand(1, 3, 128, 128), torch.rand(1, 2, 128, 128)
    maps = torch.zeros(1, 1, 128, 128, requires_grad=True)
    generator(image, maps, location).image.sum().backward()
    assert maps.grad is not None and (maps.grad != 0).float().mean() > 0.99


def test_trunk_has_the_promised_features() -> None:
    features = pretrained_trunk()(torch.zeros(1, 3, 128, 128))
    assert [f.shape[1] for f in features] == list(CHANNELS)
    assert [128 // f.shape[2] for f in features] == list(STRIDES)


def test_critics_have_three_heads() -> None:
    image = torch.rand(2, 3, 128, 128)
    conv = ConvCritic(CriticConfig(kind="conv", base_channels=8, map_channels=2))(image)
    maps = torch.rand(2, 4, 128, 128)
    features = FeatureCritic(CriticConfig(map_channels=2))(image, pretrained_trunk()(image), [maps] * 4)
    for out, scales in ((conv, 1), (features, 4)):
        assert len(out.realness) == scales
        assert out.location.shape == (2, 2) and out.aging_map.shape == (2, 2, 10, 10)


def test_conditional_realness_depends_on_the_maps() -> None:
    torch.manual_seed(0)
    features = pretrained_trunk()(torch.rand(1, 3, 64, 64))
    low, high = torch.zeros(1, 3, 64, 64), torch.ones(1, 3, 64, 64)
    for conditional in (True, False):
        critic = FeatureCritic(CriticConfig(base_channels=8, conditional=conditional))
        assert len(critic.realness.heads) == 4
        scores = [critic.realness(features, [maps] * 4) for maps in (low, high)]
        same = all(torch.equal(a, b) for a, b in zip(*scores, strict=True))
        assert same is not conditional


@pytest.mark.parametrize("name", PACKAGED)
def test_a_packaged_model_loads_by_its_name_and_says_its_licence(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = load_bundle(Path(name))
    assert ("NC" in bundle.notice) == (name == "default") and "CC BY" in bundle.notice and 0 < bundle.judge_share < 1
    assert bundle.atlas == unit_atlas() and bundle.path == packaged_model(name)
    assert sum(path.stat().st_size for path in packaged_model(name).glob("*.safetensors")) < 25e6
    # What is there on the disk goes before.
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    with pytest.raises(WeightsError, match=rf"^{name}: no generator"):
        load_bundle(Path(name))


def test_a_model_that_follows_trends_has_them_in_its_folder(tmp_path: Path) -> None:
    bundle = load_bundle()
    assert isinstance(bundle.generator, Generator) and isinstance(bundle.estimators, SignEstimators)
    parts = (bundle.generator, bundle.estimators, bundle.atlas, bundle.channels, "a notice", 1024, 0.2)
    with pytest.raises(ValueError, match="trends are given if and only if"):
        save_bundle(tmp_path, *parts)
    save_bundle(tmp_path, *parts, bundle.trends)
    again = load_bundle(tmp_path)
    assert bundle.trends is not None and again.trends is not None
    assert np.array_equal(again.trends.light, bundle.trends.light)
    first = fingerprint(again)
    (tmp_path / "trends.npy").write_bytes(replace(bundle.trends, moves=2 * bundle.trends.moves).packed())
    assert fingerprint(load_bundle(tmp_path)) != first
    (tmp_path / "trends.npy").unlink()
    with pytest.raises(WeightsError, match=r"no trends\.npy there; `python -m amgan\.training\.fit_trends"):
        load_bundle(tmp_path)


def test_bundle_comes_back_and_damage_is_named(small_model: Path, tmp_path: Path) -> None:
    bundle = load_bundle(small_model)
    assert bundle.notice == "for tests" and bundle.generator.config.base_channels == 8
    assert load_bundle(small_model / "generator.safetensors").channels == bundle.channels
    for name in ("generator.safetensors", "estimators.safetensors", "model.json"):
        (tmp_path / name).write_bytes((small_model / name).read_bytes())
    (tmp_path / "generator.safetensors").write_bytes(b"\x10" * 100)
    with pytest.raises(WeightsError, match="damaged"):
        load_bundle(tmp_path)
    (tmp_path / "model.json").write_bytes(b'{"notice": "\xff"}')
    with pytest.raises(WeightsError, match=r"model\.json: malformed .*utf-8"):
        load_bundle(tmp_path)
    few = json.loads((small_model / "model.json").read_text()) | {"channels": [0, 1]}
    (tmp_path / "model.json").write_text(json.dumps(few))
    with pytest.raises(WeightsError, match=r"model\.json: malformed .*channels: are 2, and the atlas has 14 zones"):
        load_bundle(tmp_path)
    with pytest.raises(WeightsError, match=r"other\.safetensors.*generator"):
        (tmp_path / "other.safetensors").touch()
        load_bundle(tmp_path / "other.safetensors")
    with pytest.raises(WeightsError, match=r"model\.json|generator"):
        load_bundle(tmp_path / "absent")
