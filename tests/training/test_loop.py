import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from amgan.errors import ConfigError, OutputError, WeightsError
from amgan.models import resnet_estimators
from amgan.models.bundle import load_bundle
from amgan.models.generator import Generator
from amgan.models.resnet import ResNetConfig
from amgan.signs.atlas import unit_atlas
from amgan.training import loop
from amgan.training.checkpoint import NAME, read_checkpoint, restore
from amgan.training.config import TrainConfig
from amgan.training.config_file import load_config
from amgan.training.loop import train
from amgan.training.networks import Networks

from .small import STAGE, tiny

ATLAS = unit_atlas()


def test_a_curated_folder_is_trained_on(dataset: Path, tmp_path: Path) -> None:
    content = {"data": dataset, "judge_share": 0.0, "generator": {"base_channels": 8, "blocks": 1}, "precision": "fp32"}
    config = TrainConfig.model_validate(content | {"critic": {"base_channels": 8, "scales": 2}, "stages": [STAGE]})
    model = load_bundle(train(config, tmp_path / "run", resume=False, atlas=ATLAS))
    assert "CC0 1.0" in model.notice


def test_training_learns_resumes_and_writes_a_model(
    face_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, modes, sheet = tmp_path / "run", list[bool](), loop.sample_sheet

    def seen(generator: Generator, *how: Any) -> None:
        modes.append(generator.training)
        sheet(generator, *how)

    monkeypatch.setattr(loop, "sample_sheet", seen)
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
    assert modes and not any(modes)  # as in use
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
    still = load_config(path, ["stages.0.critic_alone=1", "judge_share=0.1"])
    assert still.generator == load_bundle(first).generator.config
    second = train(still, tmp_path / "second", resume=False, atlas=ATLAS)
    a, b = (load_bundle(folder).generator.state_dict() for folder in (first, second))
    assert all(torch.equal(a[name], b[name]) for name in a)
    # Whatever the first one's weights came from is in the second one's, too.
    assert load_bundle(second).notice.endswith(f"Began as the model {first}: {load_bundle(first).notice}")
    # Nor do faces that taught the first one become judges.
    assert still.judge_share == 0.1 and load_bundle(first).judge_share == load_bundle(second).judge_share == 0
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


def test_no_validation_faces_means_no_sheet(face_set: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for index in range(12):
        (tmp_path / f"{index}.png").write_bytes((face_set / f"{index}.png").read_bytes())
    (tmp_path / "faces.csv").write_text((face_set / "faces.csv").read_text().replace(",val,", ",train,"))
    config = tiny(tmp_path, steps=1)
    train(config, tmp_path / "run", resume=False, atlas=ATLAS)
    assert read_checkpoint(tmp_path / "run")["step"] == 3
    assert not (tmp_path / "run" / "sheets").exists()
    assert "no face of the split val: there will be no sample sheets" in capsys.readouterr().out
