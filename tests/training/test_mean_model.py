import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import mean_model  # of tools/
from amgan.models.bundle import SCHEMA, load_bundle


def test_the_mean_is_of_models_that_learned_from_the_same(
    small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def made(out: str) -> None:
        monkeypatch.setattr("sys.argv", ["mean_model.py", str(tmp_path / out), f"1@{small_model}", f"3@{other}"])
        mean_model.main()

    other = Path(shutil.copytree(small_model, tmp_path / "other"))
    made("mean")
    a, b = (load_bundle(folder).generator.state_dict() for folder in (small_model, tmp_path / "mean"))
    assert all(np.allclose(a[name], b[name], atol=1e-3) for name in a)
    schema = json.loads((other / SCHEMA).read_text())
    for change, told in (({"notice": "all mine"}, "another than"), ({"judge_share": -1}, "leaves to judges")):
        (other / SCHEMA).write_text(json.dumps(schema | change))
        with pytest.raises(SystemExit):
            made("not")
        assert told in capsys.readouterr().err and not (tmp_path / "not").exists()
