import json
from pathlib import Path

import pytest
import torch

import other_lines  # of tools/
from amgan.models.bundle import SCHEMA, load_bundle, save_bundle
from amgan.models.generator import Generator
from amgan.models.generator_config import GeneratorConfig
from amgan.models.ridge_estimators import RidgeEstimators
from amgan.signs.atlas import unit_atlas

NOTICE = "of CC0 1.0"
GIVERS = [{key: [f"{number}.png", 1.0] for key in (*unit_atlas().signs, "rest")} for number in (8, 9)]


def test_a_model_gets_the_lines_of_others_and_keeps_all_else(
    face_set: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    atlas = unit_atlas()
    shape = {"asks": "change", "places": "face", "lines": 32, "patterns": 3, "base_channels": 8, "blocks": 1}
    own = Generator(GeneratorConfig.model_validate(shape))
    zones = (0,) * len(atlas.zones)
    model = save_bundle(tmp_path / "model", own, RidgeEstimators(atlas), atlas, zones, NOTICE, 512, 0.0)
    config = tmp_path / "config.yaml"
    config.write_text(f"extends: default\ngenerator: {{patterns: 2}}\ngivers: {GIVERS}\n")
    options = ["--config", config, "--data", face_set, "--store", tmp_path / "store"]
    monkeypatch.setattr("sys.argv", ["other_lines.py", *map(str, (model, tmp_path / "out", *options))])
    other_lines.main()
    old, new = load_bundle(model), load_bundle(tmp_path / "out")
    assert isinstance(old.generator, Generator) and isinstance(new.generator, Generator)
    assert new.generator.config == old.generator.config.model_copy(update={"patterns": 2})
    assert (new.notice, new.image_size, new.judge_share) == (NOTICE, 512, 0.0)
    before, after = old.generator.state_dict(), new.generator.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before if not name.startswith("lines."))
    lines = after["lines.grey"]
    assert lines.shape[0] == 2 and lines.abs().amax(dim=(1, 2, 3)).min() > 0 and not torch.equal(lines[0], lines[1])
    with pytest.raises(SystemExit):  # nothing is written over
        other_lines.main()
    # Nobody's lines who is judged, or on a photo that the notice does not name.
    others = {"judge_share": 0.9, "notice": "of CC BY 4.0"}
    for key, told in zip(others, ("kept for judges by judge_share", "under CC0 1.0, which the model's"), strict=True):
        schema = json.loads((model / SCHEMA).read_text())
        (model / SCHEMA).write_text(json.dumps(schema | {key: others[key]}))
        monkeypatch.setattr("sys.argv", ["other_lines.py", *map(str, (model, tmp_path / "not", *options))])
        with pytest.raises(SystemExit, match=told):
            other_lines.main()
        (model / SCHEMA).write_text(json.dumps(schema))
