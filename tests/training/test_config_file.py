"""Configs and what is set on the command line."""

from pathlib import Path

import pytest

from amgan.errors import ConfigError
from amgan.models.generator_config import GeneratorConfig
from amgan.signs.atlas import unit_atlas
from amgan.training.config_file import config_path, load_config
from amgan.training.run_folder import record_config

PHOTOS = config_path("photos")


def test_default_config_and_overrides(tmp_path: Path) -> None:
    config = load_config(PHOTOS, ["weights.age=50", "stages.0.steps=7"], data=tmp_path)
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
        ("seed=-1", r"seed: .*greater than or equal to 0"),
        ("generator.base_channels=4", r"stages\.1: stem 8: growth wants generator\.base_channels of 8"),
        ("critic.kind=conv", 'scales is no switch of kind "conv"'),
        ("penalty_every=4", 'penalty_every is for the critic of kind "conv"'),
        ("critic.kind=change", 'texture is a switch of kind "features"'),
        ("stages.0.unjudged=5", 'unjudged is for the critic of kind "change"'),
        ("stages.0.critic_alone=1000000", "are of its steps, .*ask for less"),
        ("generator.map_channels=2", r"generator\.map_channels: .*leave it out"),
        ("critic.map_channels=3", r"critic\.map_channels: .*leave it out"),
    ):
        with pytest.raises(ConfigError, match=name):
            load_config(PHOTOS, [wrong])
    for wrong in (["critic.texture=0", "critic.texture_window=true"], ["critic.texture_window=true"]):
        with pytest.raises(ConfigError, match="texture_window is a switch of texture"):
            load_config(config_path("paper-256"), wrong)
    with pytest.raises(ConfigError, match=r"stages\.0: 64 px are halved 7 times; less critic\.depth"):
        load_config(config_path("paper-512"), ["stages.0.patch=64"])
    # A null takes a key out, as in a file that extends another.
    assert load_config(PHOTOS, ["generator=null", "weights.age=null"]).generator == GeneratorConfig()
    further = load_config(config_path("default"), ["start=default", "generator=null"])
    assert further.start == "default" and further.generator.lines
    for wrong, name in (
        ("stages.0.critic_alone=5", "critic_alone and unjudged leave nothing to learn"),
        ("stages.0.map_head_steps=5", 'map_head_steps are for the critic of kind "features"'),
    ):
        with pytest.raises(ConfigError, match=name):
            load_config(config_path("default"), [wrong])


def test_the_config_of_a_run_that_began_with_a_model_is_a_config(tmp_path: Path) -> None:
    config = load_config(config_path("default"), ["start=default", "generator=null"])
    record_config(config, unit_atlas(), tmp_path)
    assert load_config(tmp_path / "config.json") == config
    with pytest.raises(ConfigError, match="it is that of start: default"):
        load_config(tmp_path / "config.json", ["generator.depth=2"])


def test_a_memory_of_lines_lies_on_faces_and_does_not_grow() -> None:
    default, shipped = config_path("default"), config_path("shipped")
    assert all("rest" in of_one for of_one in load_config(shipped).givers) and not load_config(default).givers
    for wrong, name in (
        ("hide_side=true", "they have a left and a right"),
        ("weights.moved=1", "they have a left and a right"),
        ("stages.1.stem=8", "does not grow"),
        ("generator.places=picture", "lines: wants"),
        ("generator.patterns=2", r"are 4 sets for generator\.patterns 2; give one for each"),
        ("generator.lines=0", "patterns: are those of a memory"),
    ):
        with pytest.raises(ConfigError, match=name):
            load_config(shipped, [wrong])
    with pytest.raises(ConfigError, match=r"givers: .* start remembers"):
        load_config(shipped, ["start=default", "generator=null"])
    givers = "givers=[{rest: [a.png, 1.0]}]"
    with pytest.raises(ConfigError, match="givers: want"):
        load_config(PHOTOS, [givers])
    with pytest.raises(ConfigError, match=r"givers: .*set generator\.lines"):
        load_config(default, [givers, "generator.lines=0", "generator.patterns=1"])
