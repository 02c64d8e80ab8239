import json
import shutil
from pathlib import Path

import pytest

import refit_estimators  # of tools/
from amgan.models.bundle import ESTIMATORS, GENERATOR, SCHEMA, load_bundle
from amgan.models.estimator_file import fingerprint


def test_a_model_gets_estimators_that_are_fitted_anew_and_keeps_all_else(
    face_set: Path,
    small_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = Path(shutil.copytree(small_model, tmp_path / "model"))
    config = tmp_path / "config.yaml"
    config.write_text("extends: default\njudge_share: 0\n")
    options = ["--config", config, "--data", face_set, "--store", tmp_path / "store"]
    monkeypatch.setattr("sys.argv", ["refit_estimators.py", *map(str, (model, tmp_path / "out", *options))])
    # What it learned from is to be what the model says.
    with pytest.raises(SystemExit, match=r"has photos under CC0 1\.0, which the model's notice does not name; set lic"):
        refit_estimators.main()
    schema = json.loads((model / SCHEMA).read_text())
    (model / SCHEMA).write_text(json.dumps(schema | {"notice": "of CC0 1.0", "judge_share": 0.2}))
    with pytest.raises(SystemExit):
        refit_estimators.main()
    assert "judge_share: the model says 0.2, so no less" in capsys.readouterr().err and not (tmp_path / "out").exists()
    (model / SCHEMA).write_text(json.dumps(schema | {"notice": "of CC0 1.0"}))
    refit_estimators.main()
    old, new = load_bundle(model), load_bundle(tmp_path / "out")
    assert fingerprint(old.estimators) != fingerprint(new.estimators)  # type: ignore[arg-type]
    assert "forehead_wrinkles: 10 faces" in capsys.readouterr().out
    same = {path.name for path in model.iterdir()} - {ESTIMATORS}
    assert GENERATOR in same
    assert all((model / name).read_bytes() == (tmp_path / "out" / name).read_bytes() for name in same)
    with pytest.raises(SystemExit):  # nothing is written over
        refit_estimators.main()
