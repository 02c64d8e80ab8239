import json
from pathlib import Path

import pytest

from amgan.errors import ConfigError, OutputError
from amgan.evaluation.reproduce.rows import PUBLISHED, ROWS, config_of, rows_of, with_steps
from amgan.evaluation.reproduce.study import About, Study, plan_row
from amgan.training.config import TrainConfig
from amgan.training.config_file import config_path, load_config

DATA = Path("/data")


def no_hours(config: TrainConfig) -> float:
    raise AssertionError("nothing is to be measured")


def differences(a: TrainConfig, b: TrainConfig) -> set[str]:
    """Dotted keys in which two configs differ; of all stages together."""

    def flat(value: object, path: str = "") -> dict[str, object]:
        if isinstance(value, dict):
            return {k: v for name, one in value.items() for k, v in flat(one, f"{path}.{name}").items()}
        if isinstance(value, list):
            return {k: v for i, one in enumerate(value) for k, v in flat(one, f"{path}.{i}").items()}
        return {path[1:]: value}

    first, second = flat(a.model_dump()), flat(b.model_dump())
    return {key for key in first | second if first.get(key) != second.get(key)}


def test_each_row_is_the_default_recipe_with_one_switch() -> None:
    base = load_config(config_path("photos"), data=DATA)
    changed = {name: differences(base, config_of(row, "photos", DATA)) for name, row in ROWS.items()}
    patches = {f"stages.{i}.{key}" for i in (0, 1) for key in ("patch", "batch", "map_patch")}
    assert changed["patch-256"] == set()
    assert changed["no-aging-maps-256"] == changed["age-only-256"] == {"generator.maps"}
    for name in ("patch-512", "patch-128"):
        assert {key for key in changed[name] if not key.startswith("stages")} == set() and changed[name] >= patches
    assert changed["no-location-maps-128"] - changed["patch-128"] == {"generator.location_maps", "weights.location"}
    # The row that each is seen beside is the one that it has its switch more than.
    beside = {name: row.beside for name, row in ROWS.items()}
    assert beside.pop("patch-256") == "" and beside.pop("no-location-maps-128") == "patch-128"
    assert set(beside.values()) == {"patch-256"}


def test_a_step_sees_as_much_of_the_picture_whatever_the_patch() -> None:
    for name, patch in (("patch-512", 512), ("patch-128", 128)):
        config = config_of(ROWS[name], "photos", DATA)
        own = config_of(ROWS["patch-256"], "photos", DATA)
        assert config.stages[-1].patch == patch and config.steps == own.steps
        for stage, other in zip(config.stages, own.stages, strict=True):
            pixels = [one.batch * one.patch**2 for one in (stage, other)]
            assert pixels[0] == pytest.approx(pixels[1], rel=0.34)


def test_the_papers_recipe_is_the_presets() -> None:
    tables = list(PUBLISHED)
    for row in rows_of(tables, "paper"):
        assert config_of(row, "paper", DATA) == load_config(config_path(row.preset), data=DATA)
        assert config_of(row, "paper", DATA).stages[-1].patch == row.patch
    names = [row.name for row in rows_of(tables, "photos")]
    assert names.count("patch-256") == 1 and set(names) == set(ROWS)
    assert "paper-recipe-256" not in {row.name for row in rows_of(tables, "paper")}
    literal = config_of(ROWS["paper-recipe-256"], "photos", DATA)
    assert literal == load_config(config_path("paper-256"), data=DATA)


def test_budgets() -> None:
    row = ROWS["patch-256"]
    whole = config_of(row, "photos", DATA)
    about = About(recipe="photos", data=DATA)
    assert plan_row(row, about, no_hours) == whole
    steps = plan_row(row, about.model_copy(update={"steps": 770}), no_hours)
    assert steps.steps == 770 and steps.stages[0].map_head_steps == 100
    assert plan_row(row, about.model_copy(update={"steps": 2}), no_hours).steps == 2
    # 40 minutes of a run of 10 hours.
    timed = plan_row(row, about.model_copy(update={"minutes": 40}), lambda config: 10.0)
    assert timed.steps == pytest.approx(whole.steps / 15, abs=2)
    assert with_steps(whole, 1.0) == whole


def test_settings_hold_for_every_row() -> None:
    for row in rows_of(["table1", "table2"], "photos"):
        assert config_of(row, "photos", DATA, ["seed=5"]).seed == 5
    with pytest.raises(ConfigError, match="weights\\.agee"):
        config_of(ROWS["patch-256"], "photos", DATA, ["weights.agee=1"])


def test_a_study_goes_on_as_it_was_planned(tmp_path: Path) -> None:
    about = About(recipe="photos", data=DATA, minutes=40)
    first = Study(tmp_path / "study", about)
    plan = first.planned(rows_of(["table2"], "photos"), lambda config: 10.0)
    assert not (tmp_path / "study").exists()
    first.keep(["table2"], plan)
    again = Study(tmp_path / "study", about)
    assert again.planned(rows_of(["table2"], "photos"), no_hours) == plan and again.tables == ["table2"]
    assert again.oldest is None
    again.keep([], {}, 40)
    again.keep(["table1"], again.planned(rows_of(["table1"], "photos"), lambda config: 20.0))
    assert again.tables == ["table1", "table2"] and set(Study(tmp_path / "study", about).configs) == set(ROWS)
    assert Study(tmp_path / "study", about).oldest == 40
    with pytest.raises(OutputError, match=r"began with minutes 40.0, not 5"):
        Study(tmp_path / "study", about.model_copy(update={"minutes": 5.0}))
    with pytest.raises(OutputError, match=r"began with limits.max_yaw \S+, not 3.0; choose another STUDY"):
        Study(tmp_path / "study", about.model_copy(update={"limits": about.limits.model_copy(update={"max_yaw": 3.0})}))
    # A study of before limits were written down had none but the packaged ones, or their like.
    path = tmp_path / "study" / "study.json"
    old = json.loads(path.read_text())
    assert old["about"].pop("limits")
    path.write_text(json.dumps(old))
    assert Study(tmp_path / "study", about).tables == ["table1", "table2"]
    (tmp_path / "study" / "study.json").write_text("{")
    with pytest.raises(OutputError, match="damaged"):
        Study(tmp_path / "study", about)
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.txt").touch()
    with pytest.raises(OutputError, match="no study"):
        Study(tmp_path / "thesis", about)
