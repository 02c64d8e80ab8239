from pathlib import Path

import pytest

import refit_estimators  # of tools/
from amgan.models.bundle import ESTIMATORS, GENERATOR, load_bundle
from amgan.models.estimator_file import fingerprint


def test_a_model_gets_estimators_that_are_fitted_anew_and_keeps_all_else(
    face_set: Path,
    small_model: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    config = tmp_path / "config.yaml"
    config.write_text("extends: default\njudge_share: 0\n")
    options = ["--config", config, "--data", face_set, "--store", tmp_path / "store"]
    monkeypatch.setattr("sys.argv", ["refit_estimators.py", *map(str, (small_model, tmp_path / "out", *options))])
    refit_estimators.main()
    old, new = load_bundle(small_model), load_bundle(tmp_path / "out")
    assert fingerprint(old.estimators) != fingerprint(new.estimators)  # type: ignore[arg-type]
    assert "forehead_wrinkles: 10 faces" in capsys.readouterr().out
    same = {path.name for path in small_model.iterdir()} - {ESTIMATORS}
    assert GENERATOR in same
    assert all((small_model / name).read_bytes() == (tmp_path / "out" / name).read_bytes() for name in same)
    with pytest.raises(SystemExit):  # nothing is written over
        refit_estimators.main()
