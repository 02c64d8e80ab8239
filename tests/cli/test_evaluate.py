"""The command from end to end, on aligned faces; the judges are stand-ins, for theirs take minutes to fit."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from amgan import __version__
from amgan.cli import app, main
from amgan.data.curation import limits
from amgan.evaluation import judging, measurer
from amgan.evaluation.run import read_lines


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["evaluate", *(str(a) for a in arguments)])


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("prepared")


@pytest.fixture
def evaluate(dataset: Path, store: Path) -> Callable[..., Result]:
    """Evaluates a model on five of the training faces, into OUT."""

    def evaluate(model: str, out: Path, *more: object) -> Result:
        given = ("--split", "train", "--every", 2, "--sweeps", 0, "--data-store", store)
        return run(model, dataset, "-o", out, *given, *more)

    return evaluate


def test_reports_then_the_same_again_without_judges(
    evaluate: Callable[..., Result], loaded: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    result = evaluate("identity", out, "--sweeps", 1)
    assert result.exit_code == 0, result.output
    content = json.loads((out / "report.json").read_text(encoding="utf-8"))
    found = {figure["key"]: figure["all"]["value"] for figure in content["figures"]}
    assert found["age_gap"] == 0 and found["same_person.older"] == 1 and found["background"] == 1
    assert found["slope"] == 0 and content["faces"] == 5 and content["judge"]["crows_feet"]["error"] == 0.0625
    assert "| same person, older | 1 |" in (out / "report.md").read_text(encoding="utf-8")
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Evaluation of identity" in page and page.count("<figure") >= 5 and "crows feet" in page
    before = (out / "faces.jsonl").read_bytes()
    # Half a line, as after a kill: that face alone is measured again. A kill on the way there loses no other face.
    (out / "faces.jsonl").write_bytes(before[:-40])
    with monkeypatch.context() as patch:
        patch.setattr(measurer, "measure_face", stopped)
        assert evaluate("identity", out, "--sweeps", 1).exit_code != 0 and loaded.pop() == "train"
    assert before.startswith((out / "faces.jsonl").read_bytes()) and len(read_lines(out / "faces.jsonl")) == 4
    assert evaluate("identity", out, "--sweeps", 1).exit_code == 0 and loaded == ["train"] * 2
    assert (out / "faces.jsonl").read_bytes() == before
    assert evaluate("identity", out, "--sweeps", 1).exit_code == 0 and loaded == ["train"] * 2
    assert json.loads((out / "report.json").read_text(encoding="utf-8")) == content


def stopped(*_: object) -> None:
    raise KeyboardInterrupt


def test_another_model_does_not_mix_with_what_is_there(
    evaluate: Callable[..., Result], loaded: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = tmp_path / "out"
    assert evaluate("identity", out).exit_code == 0
    before = (out / "faces.jsonl").read_bytes()
    refused = evaluate("blur", out)
    assert "holds an evaluation with model identity, not blur" in str(refused.exception)
    assert (out / "faces.jsonl").read_bytes() == before
    # The old reports go before anything is measured, and are no longer there when that fails.
    with monkeypatch.context() as patch:
        patch.setattr(judging, "fit_bench", stopped)
        assert evaluate("blur", out, "--overwrite").exit_code != 0
    assert sorted(path.name for path in out.iterdir()) == ["evaluation.json", "pictures"]
    assert evaluate("blur", out).exit_code == 0
    content = json.loads((out / "report.json").read_text(encoding="utf-8"))
    assert content["model"] == "blur" and (out / "faces.jsonl").read_bytes() != before
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").touch()
    assert "choose another OUT" in str(evaluate("blur", tmp_path / "mine", "--overwrite").exception)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]


def test_what_another_amgan_measured_is_not_gone_on_with(
    evaluate: Callable[..., Result], loaded: list[str], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert evaluate("identity", out).exit_code == 0
    before = (out / "faces.jsonl").read_bytes()
    state = json.loads((out / "evaluation.json").read_text(encoding="utf-8"))
    changes: list[tuple[str, object, str]] = [
        ("amgan", "0.0.1", f"with amgan 0.0.1, not {__version__}; choose another OUT, or --overwrite"),
        ("parsing", "0", "of other weights/parsing.onnx"),
        ("code", "0", "of other code of amgan"),
        ("code", None, "of other code of amgan"),
    ]
    for key, was, said in changes:
        (out / "evaluation.json").write_text(json.dumps(state | {key: was}), encoding="utf-8")
        assert said in str(evaluate("identity", out).exception)
    assert (out / "faces.jsonl").read_bytes() == before and loaded == ["train"]


def test_pictures_of_another_model(evaluate: Callable[..., Result], loaded: list[str], tmp_path: Path) -> None:
    out, peer = tmp_path / "out", tmp_path / "peer"
    result = evaluate("peer", out, "--inputs")
    assert result.exit_code == 0 and "5 faces" in result.stdout and not loaded
    targets = (out / "targets.csv").read_text(encoding="utf-8").splitlines()
    assert len(targets) == 1 + 3 * 5 and targets[0].startswith("input,picture,years,age,")
    # A model that makes older pictures alone, and gives its input back.
    shutil.copytree(out / "inputs", peer / "older")
    other = evaluate(str(peer), out, "--seed", 1)
    assert all(flag in str(other.exception) for flag in ("targets.csv", "--seed", "--every", "--sweeps", "--limits"))
    assert sorted(path.name for path in out.iterdir()) == ["inputs", "targets.csv"]
    names = sorted(path.name for path in (peer / "older").iterdir())
    for name in names:
        (peer / "older" / name).rename(peer / "older" / f"mine-{name}")
    refused = str(evaluate(str(peer), out).exception)
    assert f"{peer / 'older' / names[0]}: not there, nor any other of the 5 pictures asked for" in refused
    # One is not there, and one cannot be read.
    for name in names[1:]:
        (peer / "older" / f"mine-{name}").rename(peer / "older" / name)
    (peer / "older" / names[-1]).write_bytes(b"no picture")
    result = evaluate(str(peer), out)
    assert result.exit_code == 1 and loaded == ["train"]
    assert "older: 1 of 5 pictures missing" in result.stderr and "1 of 5 faces failed, the first" in result.stderr
    assert "older: 1 of 5 pictures missing" in (out / "report.md").read_text(encoding="utf-8")
    assert "older: 1 of 5 pictures missing" in (out / "report.html").read_text(encoding="utf-8")
    content = json.loads((out / "report.json").read_text(encoding="utf-8"))
    keys = {figure["key"] for figure in content["figures"]}
    assert content["model"] == "peer" and "same_person.older" in keys
    assert not keys & {"same_person.younger", "age_gap", "mae"}


@pytest.mark.parametrize(
    ("model", "more", "code", "named"),
    [
        ("identity", ["--split", "val", "--inputs"], 1, "4 people at least"),
        ("identity", [], 1, "only 3 people of val and test and the judges' share of train have a grade of"),
        ("identity", ["--judge-data", "nowhere"], 1, "nowhere"),
        ("nowhere", [], 1, "--inputs"),
        ("identity", ["-o", __file__], 1, "test_evaluate.py: is a file; name a folder"),
        ("peer", ["-o", __file__, "--inputs"], 1, "test_evaluate.py: is a file; name a folder"),
        ("peer", ["-o", str(Path(__file__).parent), "--inputs"], 1, "is not empty and not of `amgan evaluate`"),
        ("identity", ["--every", "0"], 2, "--every"),
        ("identity", ["--split", "best"], 2, "--split"),
        ("identity", ["--limits", "nowhere.yaml"], 2, "nowhere.yaml"),
        (
            "identity",
            ["--limits", str(Path(limits.__file__).with_name("limits.yaml"))],
            2,
            "have been through those of `amgan curate`",
        ),
    ],
)
def test_a_bad_call_is_one_line_and_writes_nothing(
    dataset: Path,
    store: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    model: str,
    more: list[str],
    code: int,
    named: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    given = ["amgan", "evaluate", model, str(dataset), "-o", "out", "--data-store", str(store), *more]
    monkeypatch.setattr("sys.argv", given)
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == code and named in capsys.readouterr().err
    assert not list(tmp_path.iterdir())
