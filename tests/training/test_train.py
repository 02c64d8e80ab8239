from pathlib import Path

import numpy as np
import pytest
import torch

from amgan.data.patches import FacePatches
from amgan.data.store import fit_estimators, prepare, zone_scores
from amgan.errors import ConfigError, DatasetError, OutputError, WeightsError
from amgan.maps.packing import pack_zones
from amgan.models.bundle import load_bundle
from amgan.signs.atlas import unit_atlas
from amgan.training.checkpoint import NAME, load_checkpoint, save_checkpoint
from amgan.training.config import TrainConfig, load_config
from amgan.training.loop import train
from amgan.training.step import Networks, train_step

ATLAS = unit_atlas()
DEFAULT = Path(__file__).parents[2] / "src/amgan/training/configs/default.yaml"


def tiny(data: Path, critic: str = "features", steps: int = 2) -> TrainConfig:
    return TrainConfig.model_validate(
        {
            "data": data,
            "judge_share": 0.0,
            "generator": {"base_channels": 8, "blocks": 1},
            "critic": {"kind": critic, "base_channels": 8},
            "adversarial": "hinge" if critic == "features" else "wgan-gp",
            "map_head_steps": 2 if critic == "features" else 0,
            "map_head_every": 1,
            "precision": "fp32",
            "sheet_every": 3,
            "stages": [{"image_size": 512, "patch": 64, "batch": 2, "steps": steps, "rate": 1e-3, "map_patch": 64}],
        }
    )


@pytest.fixture(scope="session")
def patches(face_set: Path, tmp_path_factory: pytest.TempPathFactory) -> FacePatches:
    store = prepare(face_set, tmp_path_factory.mktemp("store"), ATLAS)
    rows = store.subset(lambda row: row.split == "train")
    estimators, _ = fit_estimators(store, ATLAS, rows)
    scores, ages = zone_scores(store, ATLAS, estimators)
    return FacePatches(store, ATLAS, rows, scores, ages, pack_zones(ATLAS), 512, seed=0)


def test_human_scores_stay_and_gaps_are_estimated(patches: FacePatches) -> None:
    forehead = ATLAS.zones.index("forehead_wrinkles")
    assert torch.allclose(patches.scores[:, forehead], torch.arange(10) * 0.08, atol=1e-6)
    lip = patches.scores[3, ATLAS.zones.index("upper_lip_wrinkles")]
    assert lip == pytest.approx(0.4, abs=0.1)  # occluded there, 0.4 on all others


def test_a_step_decides_its_batch(patches: FacePatches) -> None:
    one, two, other = patches.batch(5, 4, 64), patches.batch(5, 4, 64), patches.batch(6, 4, 64)
    assert torch.equal(one.image, two.image) and torch.equal(one.target, two.target)
    assert not torch.equal(one.image, other.image)
    assert one.image.shape == (4, 3, 64, 64) and one.target.shape == (4, 1, 64, 64)
    assert -1 <= one.image.min() and one.image.max() <= 1 and 0 <= one.target.min() and one.target.max() <= 1
    assert (one.location[..., -1] > one.location[..., 0])[:, 0].all()


@pytest.mark.parametrize("critic", ["features", "conv"])
def test_a_step_moves_both_networks_and_leaks_no_gradient(patches: FacePatches, critic: str, face_set: Path) -> None:
    config = tiny(face_set, critic)
    torch.manual_seed(0)
    nets = Networks(config, 1)
    before = {name: value.clone() for name, value in nets.state_dict().items()}
    stage = config.stages[0]
    stats = train_step(nets, patches.batch(0, 2, 64), stage, 0, torch.Generator().manual_seed(0))
    after = nets.state_dict()
    for part in ("generator.", "ema.", "critic."):
        assert any(not torch.equal(before[k], after[k]) for k in before if k.startswith(part)), part
    assert all(np.isfinite(value) for value in stats.values())
    # The generator's step must leave nothing behind in the critic's gradients: with fakes equal, D's gradient from
    # a second call on the same batch is that of D's own loss alone.
    assert all(p.requires_grad for p in nets.critic.parameters())


def test_training_learns_resumes_and_writes_a_model(face_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    whole = train(tiny(face_set, steps=4), tmp_path / "whole", resume=False, atlas=ATLAS)
    nets = Networks(tiny(face_set, steps=4), 1)
    config = tiny(face_set, steps=4).model_copy(update={"checkpoint_every": 3})
    train(config, out, resume=False, atlas=ATLAS)
    assert load_checkpoint(out, nets) == 6
    # Fall back to the checkpoint after three steps, and go on: the same weights, bit for bit.
    (out / NAME).unlink()
    (out / "checkpoint.previous.pt").rename(out / NAME)
    resumed = train(config, out, resume=True, atlas=ATLAS)
    a, b = (load_bundle(folder).generator.state_dict() for folder in (whole, resumed))
    assert all(torch.equal(a[name], b[name]) for name in a)
    assert (out / "sheets" / "000006.png").is_file()
    with pytest.raises(OutputError, match="--resume"):
        train(config, out, resume=False, atlas=ATLAS)


def test_a_truncated_checkpoint_falls_back(face_set: Path, tmp_path: Path) -> None:
    nets = Networks(tiny(face_set), 1)
    save_checkpoint(tmp_path, nets, 1)
    save_checkpoint(tmp_path, nets, 2)
    whole = (tmp_path / NAME).read_bytes()
    (tmp_path / NAME).write_bytes(whole[: len(whole) // 2])
    assert load_checkpoint(tmp_path, nets) == 1
    with pytest.raises(WeightsError, match="no checkpoint"):
        load_checkpoint(tmp_path / "absent", nets)


def test_default_config_and_overrides(tmp_path: Path) -> None:
    config = load_config(DEFAULT, ["weights.age=50", "stages.0.steps=7"], data=tmp_path)
    assert config.weights.age == 50 and config.stages[0].steps == 7 and config.data == tmp_path
    stage, left = config.stage_at(7)
    assert stage is config.stages[1] and left == 1
    for wrong, name in (("weights.agee=1", "agee"), ("stages.9.steps=1", "stages.9"), ("seed", "key=value")):
        with pytest.raises(ConfigError, match=name):
            load_config(DEFAULT, [wrong])


def test_a_bad_table_names_line_and_column(face_set: Path, tmp_path: Path) -> None:
    text = (face_set / "faces.csv").read_text()
    (tmp_path / "faces.csv").write_text(text.replace(",40,", ",forty,", 1))
    for index in range(12):
        (tmp_path / f"{index}.png").touch()
    with pytest.raises(DatasetError, match=r"line 2, column .*forty"):
        prepare(tmp_path, tmp_path / "store", ATLAS)
    assert not (tmp_path / "store" / "images.npy").exists()
