import sys
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch
from PIL import Image
from typer.testing import CliRunner, Result

from amgan.cli import app
from amgan.errors import AmganError, MissingExtraError, OutputError, WeightsError
from amgan.maps.packing import reference_landmarks
from amgan.models.bundle import load_bundle, load_bundle_schema
from amgan.models.export import OPSET, export_onnx
from amgan.models.generator import Generator, GeneratorConfig
from amgan.models.onnx_file import OnnxGenerator
from amgan.models.resnet import ResNetConfig
from amgan.models.resnet_estimators import ResNetEstimators
from amgan.models.ridge_estimators import RidgeEstimators


@pytest.fixture(scope="module")
def exported(small_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return export_onnx(load_bundle(small_model), tmp_path_factory.mktemp("onnx") / "small.onnx").path


def given(config: GeneratorConfig, height: int, width: int, batch: int = 1) -> list[torch.Tensor]:
    image, aging = torch.rand(batch, 3, height, width) * 2 - 1, torch.rand(batch, config.map_channels, height, width)
    return [image, aging, torch.rand(batch, 2, height, width)] if config.location_maps else [image, aging]


@pytest.mark.parametrize(("height", "width", "batch"), [(256, 256, 1), (128, 320, 1), (512, 512, 1), (64, 96, 3)])
def test_onnxruntime_gives_the_answer_of_pytorch(
    small_model: Path, exported: Path, height: int, width: int, batch: int
) -> None:
    bundle, other = load_bundle(small_model), load_bundle(exported)
    assert isinstance(other.generator, OnnxGenerator)
    arguments = given(other.generator.config, height, width, batch)
    with torch.inference_mode():
        mine = bundle.generator(*arguments)
    theirs = other.generator(*(tensor.numpy() for tensor in arguments))
    for one, two in zip(mine[:3], theirs, strict=True):
        assert one.shape == two.shape and np.abs(one.numpy() - two).max() < 1e-3


@pytest.mark.parametrize(
    "config",
    [
        GeneratorConfig(base_channels=8, stem=8, norm="instance"),
        GeneratorConfig(base_channels=8, stem=1, location_maps=False, map_channels=2),
        GeneratorConfig(base_channels=8, asks="change", places="face", lines=32, norm="none", skips=True),
        GeneratorConfig(base_channels=8, asks="change", places="face", lines=32, patterns=3),
    ],
)
def test_other_shapes_of_the_network(small_model: Path, tmp_path: Path, config: GeneratorConfig) -> None:
    torch.manual_seed(0)
    bundle = load_bundle(small_model)
    other = type(bundle)(**vars(bundle) | {"generator": Generator(config).eval(), "generator_config": config})
    done = export_onnx(other, tmp_path / "other.onnx")
    assert done.difference < 1e-4 and len({height / width for height, width in done.sizes}) > 1


def test_the_file_says_what_it_is(small_model: Path, exported: Path) -> None:
    schema, own = load_bundle_schema(exported), load_bundle_schema(small_model)
    assert vars(schema) | {"path": small_model} == vars(own)
    model = onnx.load(exported)
    onnx.checker.check_model(model)
    said = {entry.key: entry.value for entry in model.metadata_props}
    assert said["notice"] == "for tests" and said["image_size"] == "512" and said["multiple"] == "16"
    assert said["opset"] == str(OPSET) == str(model.opset_import[0].version)
    assert '"crows_feet"' in said["atlas"] and said["channels"].startswith("[")
    assert str(Path.cwd()).encode() not in exported.read_bytes()


def test_estimators_come_along(small_model: Path, exported: Path) -> None:
    random = np.random.default_rng(0)
    rgb = random.integers(0, 255, (256, 256, 3)).astype(np.uint8)
    points = random.uniform(60, 200, (478, 2)).astype(np.float32)
    mine, other = (load_bundle(path).estimators.estimate(rgb, points) for path in (small_model, exported))
    assert mine.keys() == other.keys()
    for zone, known in mine.items():
        assert other[zone] == pytest.approx(known, abs=1e-4)


def test_estimators_that_learned_something_come_along(small_model: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    bundle = load_bundle(small_model)
    ridge, networks = RidgeEstimators(bundle.atlas), ResNetEstimators(bundle.atlas, ResNetConfig(crop=32, width=8))
    for parameter in networks.parameters():
        torch.nn.init.normal_(parameter, 0, 0.1)
    for part in (ridge.weight, ridge.deviation_weight, ridge.covered_weight):
        part.normal_(0, 0.01)
    # Ten places add up to something around the middle of the scale.
    ridge.weight.div_(10)
    ridge.bias.fill_(0.5)
    ridge.covered_bias.zero_()
    rgb = np.random.default_rng(0).integers(0, 255, (256, 256, 3)).astype(np.uint8)
    points = reference_landmarks() * 256
    for name, estimators in (("ridge", ridge), ("networks", networks)):
        other = type(bundle)(**vars(bundle) | {"estimators": estimators})
        done = export_onnx(other, tmp_path / f"{name}.onnx")
        assert done.estimates_difference < 1e-4
        found, known = load_bundle(done.path).estimators.estimate(rgb, points), estimators.estimate(rgb, points)
        assert len({round(estimate.score, 3) for estimate in known.values()}) > 5
        for zone, estimate in known.items():
            assert found[zone] == pytest.approx(estimate, abs=1e-4)


def test_half_is_half_as_large_and_as_good(small_model: Path, exported: Path, tmp_path: Path) -> None:
    # Weights of a saved model were rounded to half precision before, so that nothing is lost here.
    done = export_onnx(load_bundle(small_model), tmp_path / "half.onnx", half=True)
    weights = [sum(len(w.raw_data) for w in onnx.load(path).graph.initializer) for path in (exported, done.path)]
    assert weights[1] < 0.6 * weights[0] and done.difference < 1e-5


def test_shapes_are_checked(exported: Path) -> None:
    generator = load_bundle(exported).generator
    image, aging, location = (tensor.numpy() for tensor in given(generator.config, 64, 64))
    for wrong in ((image[..., :40], aging[..., :40], location), (image, aging[..., :32], location), (image, aging)):
        with pytest.raises(ValueError):
            generator(*wrong)
    with pytest.raises(ValueError, match="fp32"):
        generator.aged(image, aging, location, bf16=True)


def test_what_cannot_be_exported_or_opened(
    small_model: Path, exported: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = load_bundle(small_model)
    (tmp_path / "there.onnx").write_text("not a model")

    def check(error: type[AmganError], named: str, call: object, *arguments: object) -> None:
        assert callable(call)
        with pytest.raises(error, match=named):
            call(*arguments)

    check(OutputError, r"there\.onnx.*exists", export_onnx, bundle, tmp_path / "there.onnx")
    check(OutputError, r"\.onnx", export_onnx, bundle, tmp_path / "model.pt")
    check(WeightsError, "already", export_onnx, load_bundle(exported), tmp_path / "twice.onnx")
    check(WeightsError, r"there\.onnx.*ONNX", load_bundle, tmp_path / "there.onnx")
    check(WeightsError, "no such file", load_bundle, tmp_path / "absent.onnx")
    plain = onnx.load(exported)
    del plain.metadata_props[:]
    onnx.save(plain, tmp_path / "plain.onnx")
    check(WeightsError, "amgan export", load_bundle_schema, tmp_path / "plain.onnx")
    with torch.no_grad():
        bundle.generator.output.bias[0] = np.nan  # type: ignore[union-attr]
    check(WeightsError, "nan", export_onnx, bundle, tmp_path / "nan.onnx")
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    check(MissingExtraError, r"amgan\[export\]", load_bundle, exported)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["plain.onnx", "there.onnx"]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(a) for a in arguments])


def test_the_commands(small_model: Path, tmp_path: Path, astronaut: np.ndarray) -> None:
    result = run("export", small_model, "-o", tmp_path / "new" / "small.onnx")
    assert result.exit_code == 0, result.output
    assert "difference" in result.stdout and "opset 17" in result.stdout and "for tests" in result.stderr
    Image.fromarray(astronaut).save(tmp_path / "me.png")
    result = run(
        "age", tmp_path / "me.png", "-o", tmp_path / "old.png", "--all", 1, "--model", tmp_path / "new" / "small.onnx"
    )
    assert result.exit_code == 0, result.output
    assert "for tests" in result.stderr and (tmp_path / "old.png").is_file()
