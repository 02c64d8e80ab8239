import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import mean_model  # of tools/
from amgan.models.bundle import SCHEMA, load_bundle


def test_the_mean_is_of_models_that_learned_from_the_same(
    small_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first_model, other = (Path(shutil.copytree(small_model, tmp_path / name)) for name in ("first", "other"))

    def made(out: str) -> None:
        monkeypatch.setattr("sys.argv", ["mean_model.py", str(tmp_path / out), f"1@{first_model}", f"3@{other}"])
        mean_model.main()

    made("mean")
    a, b = (load_bundle(folder).generator.state_dict() for folder in (small_model, tmp_path / "mean"))
    assert all(np.allclose(a[name], b[name], atol=1e-3) for name in a)
    schema = json.loads((other / SCHEMA).read_text())
    first = schema | {"notice": "Weights trained on photos under CC BY 4.0, CC0 1.0."}
    (first_model / SCHEMA).write_text(json.dumps(first))
    began = f"Weights trained on photos under CC0 1.0. Began as the model {first_model}: {first['notice']}"
    (other / SCHEMA).write_text(json.dumps(schema | {"notice": began}))
    made("of one that went on")
    for change, told in (
        ({"notice": "all mine"}, "are not all under licences of"),
        ({"notice": began.replace("CC0", "CC BY-NC")}, "are not all under licences of"),
        ({"judge_share": -1}, "leaves to judges"),
    ):
        (other / SCHEMA).write_text(json.dumps(first | change))
        with pytest.raises(SystemExit, match=told):
            made("not")
        assert not (tmp_path / "not").exists()
    shutil.rmtree(other)
    with pytest.raises(SystemExit, match="other"):
        made("not")
