"""What the manual shows is run, page by page, in the small, and says what the page says it says."""

import csv
import doctest
import itertools
import re
import shlex
import shutil
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import amgan.models.bundle
from amgan.cli import main
from amgan.evaluation import run
from amgan.evaluation.adapters import Adapter
from amgan.evaluation.face import Found, measure_face
from amgan.evaluation.protocol import Plan
from amgan.evaluation.reproduce import study
from manual.blocks import Block
from manual.pages import read_pages, shown, words
from manual.small import in_the_small, placed

SHOWN = shown(read_pages())
# Patterns of commands that are not run, and why.
NOT_RUN = {
    # Other programs.
    r"pip install .*|pip install .* && pip install .*": "changes the environment that the tests run in",
    r"export PIP_EXTRA_INDEX_URL=.*|source \.venv/bin/activate": "set the shell of the reader",
    r"make (demo|test|lint|docs)": "makes an environment, or runs these very tests",
    r"\.venv/bin/pre-commit install": "writes into the repository's .git",
    r"\.venv/bin/python -m pytest .*": "runs tests that run anyway",
    r"(\.venv/bin/)?python benchmarks/.*": "measures for minutes what wants a quiet machine",
    r"python tools/docs_pictures\.py": "takes minutes, and writes into docs/images",
    r"(\.venv/bin/)?python -m amgan\.evaluation\.shift .*": "wants hundreds of faces; tests/evaluation/test_shift.py",
    r"python -m amgan\.data\.quantiles .*": "wants 20 people of a population; tests/data/test_quantiles.py",
    r"python -m amgan\.data\.curation\.fit_occlusion .*": "wants labels; tests/data/curation/test_fit_occlusion.py",
    r"python -m amgan\.training\.fit_trends .*": "two minutes of photos; tests/training/test_fit_trends.py",
    r"python -m amgan\.training\.fit_parsing .*": "wants a teacher; tests/training/test_fit_parsing.py",
    r"tensorboard --logdir .*": "serves until it is stopped",
    # What several machines or GPUs are wanted for.
    r"ray start .*": "starts servers that stay",
    r"amgan (curate|score) .*--engine ray.*": "wants a cluster; tests/engines/test_ray_data.py gives these on one",
    r"torchrun .*": "wants other machines; tests/training/test_processes.py has two on this one",
    r"amgan train .*--devices [348]( --resume)?": "wants GPUs; tests/training/test_processes.py has two processes",
    # What does not end, or is no command.
    r"amgan train default --set start=default .*": "the shipped network is too wide; test_config.py reads it",
    r"amgan train PRESET\|CONFIG\.yaml .*": "says what may be given, and is not to be given",
    r".* --inception inception-2015-12-05\.pt": "a file of other people that is not in the repository",
}


def not_run(line: str) -> bool:
    """Whether a command is in the list above."""
    return any(re.fullmatch(pattern, " ".join(words(line))) for pattern in NOT_RUN)


def test_every_command_is_run_or_listed() -> None:
    blocks = itertools.chain.from_iterable(itertools.chain.from_iterable(SHOWN.values()))
    lines = {line for block in blocks for line, _ in block.commands if line != "echo $?"}
    assert [line for line in sorted(lines) if words(line)[0] != "amgan" and not not_run(line)] == []
    listed = [" ".join(words(line)) for line in lines]
    assert [pattern for pattern in NOT_RUN if not any(re.fullmatch(pattern, line) for line in listed)] == []


def to_run(blocks: list[Block]) -> bool:
    """Whether something of these blocks is run."""
    return any(block.program or not all(not_run(line) for line, _ in block.commands) for block in blocks)


RUN = [name for name, groups in SHOWN.items() if any(map(to_run, groups))]


@pytest.mark.slow
@pytest.mark.usefixtures("loaded")
@pytest.mark.parametrize("page", RUN)
def test_a_page_does_what_it_says(
    page: str,
    lay_out: Callable[[set[str], set[str]], Path],
    small_model: Path,
    prepared: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for blocks in SHOWN[page]:
        if not to_run(blocks):
            continue
        lines = [words(line) for block in blocks for line, _ in block.commands if not not_run(line)]
        made = {path.removesuffix("/") for line in lines if (path := _written(line)) is not None}
        scored = {line[2].removesuffix("/") for line in lines if line[:2] == ["amgan", "score"]}
        folder = lay_out(made, scored)
        monkeypatch.chdir(folder)
        places = {"model": small_model, "prepared": prepared, "limits": folder / "mine.yaml"}
        reader = Reader({name: str(path) for name, path in places.items()}, capsys)
        for block in blocks:
            if block.title is not None:
                Path(block.title).write_text(block.text, encoding="utf-8")
                continue
            with monkeypatch.context() as patch:
                if block.run != "":
                    stand_ins(patch, small_model)
                reader.give(block, patch)


def stand_ins(patch: pytest.MonkeyPatch, model: Path) -> None:
    """A small model for the shipped one and any of the hub; one face measured for all; time for a step a stage."""
    hub = pytest.importorskip("huggingface_hub")
    patch.setattr(amgan.models.bundle, "default_model", lambda: model)
    patch.setattr(hub, "snapshot_download", lambda *_, **options: str(model))
    patch.setattr(study, "measured_hours", lambda config: 1e6)
    patch.setattr(run, "measure_face", _measured_once)


_MEASURED: dict[tuple[type, frozenset[str], bool], tuple[Found, bytes]] = {}


def _measured_once(plan: Plan, face: Any, landmarks: Any, adapter: Adapter, *rest: Any) -> Found:
    """What was found on the first face of such a model, of which the same was asked."""
    key = type(adapter), frozenset(aim.kind for aim in plan.aims(adapter.atlas)), plan.controlled
    strip: Path = rest[-1]
    if key not in _MEASURED:
        _MEASURED[key] = measure_face(plan, face, landmarks, adapter, *rest), strip.read_bytes()
    found, picture = _MEASURED[key]
    strip.write_bytes(picture)
    return replace(found, name=plan.row.name)


class Reader:
    """Gives what a page shows, and compares the answers with those that it quotes."""

    def __init__(self, places: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
        self.places, self.capsys = places, capsys
        self.names: dict[str, object] = {}

    def give(self, block: Block, patch: pytest.MonkeyPatch) -> None:
        if block.typed:
            test = doctest.DocTestParser().get_doctest(block.text, self.names, block.place, block.place, 0)
            assert doctest.DocTestRunner().run(test, clear_globs=False).failed == 0, self.capsys.readouterr().out
            self.names = test.globs
        elif block.program:
            exec(compile(block.text, block.place, "exec"), {})
        else:
            self._commands(block, patch)

    def _commands(self, block: Block, patch: pytest.MonkeyPatch) -> None:
        code, commands = 0, block.commands
        for index, (line, quoted) in enumerate(commands):
            if line == "echo $?":
                assert quoted == [str(code)], block.place
                continue
            if not_run(line):
                continue
            arguments = _expanded(words(line)[1:])
            if block.run != "":
                _clear(words(line))
                arguments = in_the_small(arguments, self.places) + shlex.split(placed(block.run or "", self.places))
            _others(words(line))
            if "--resume" in arguments and not Path(arguments[arguments.index("--out") + 1]).exists():
                assert self._call([word for word in arguments if word != "--resume"], patch)[0] == 0
            code, said = self._call(arguments, patch)
            # A command may fail where the page says so: by the error that it quotes, or by the code after it.
            asked = "echo $?" in dict(commands[index + 1 : index + 2])
            told = asked or any(text.startswith("amgan: ") for text in quoted)
            assert code == 0 or told, f"{block.place}: {line}: {said[-2:]}"
            _compare(quoted, said, f"{block.place}: {line}")

    def _call(self, arguments: list[str], patch: pytest.MonkeyPatch) -> tuple[int, list[str]]:
        if arguments[0] == "ui":
            return _opened(arguments)
        if "--devices" in arguments:  # which starts this process again
            command = [sys.executable, "-m", "amgan", *arguments]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            return done.returncode, [*done.stdout.splitlines(), *done.stderr.splitlines()]
        patch.setattr("sys.argv", ["amgan", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        said = self.capsys.readouterr()
        return int(stop.value.code or 0), [*said.out.splitlines(), *said.err.splitlines()]


def _opened(arguments: list[str]) -> tuple[int, list[str]]:
    """Opens the page on a free port, asks for it as a browser does, and ends it as a person does, with Ctrl-C."""
    pytest.importorskip("gradio")
    command = [sys.executable, "-m", "amgan", "ui", "--no-browser", "--port", "0"]
    command += [word for word in arguments[1:] if word not in ("--no-browser", "--port", "8000")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as page:
        assert page.stdout is not None
        said = page.stdout.readline().rstrip()
        try:
            with urllib.request.urlopen(said.split()[2], timeout=60) as answer:
                assert b"gradio" in answer.read()
        finally:
            page.send_signal(signal.SIGINT)
        return page.wait(60), [said]


def _written(line: list[str]) -> str | None:
    """What a command makes, if it wants to make it itself."""
    if line[1] in ("curate", "reproduce"):
        return line[3]
    found = [value for option, value in itertools.pairwise(line) if option in ("-o", "--out", "--output")]
    return found[0] if found else None


def _clear(line: list[str]) -> None:
    """Takes away what a command makes, as one does who tries several; but not what it goes on with."""
    path = _written(line)
    if path is None or line[1] in ("batch", "evaluate", "reproduce") or "--resume" in line:
        return
    if Path(path).is_dir():
        shutil.rmtree(path)
    else:
        Path(path).unlink(missing_ok=True)


def _expanded(arguments: list[str]) -> list[str]:
    return [path for word in arguments for path in (sorted(map(str, Path().glob(word))) if "*" in word else [word])]


def _others(line: list[str]) -> None:
    """What other people do before a command: a peer's authors age its inputs, raters fill in their forms."""
    if line[1:3] == ["evaluate", "peer/"] and "--inputs" not in line:
        shutil.copytree(Path(line[line.index("-o") + 1]) / "inputs", "peer/older", dirs_exist_ok=True)
    if line[1:3] == ["panel", "score"]:
        for rater in ("anna", "ben"):
            shutil.copytree("study/forms", rater)
            for form in Path(rater).iterdir():
                with form.open(newline="") as file:
                    rows = list(csv.DictReader(file))
                with form.open("w", newline="") as file:
                    writer = csv.DictWriter(file, rows[0])
                    writer.writeheader()
                    writer.writerows(row | {"severity": 40, "naturalness": 60} for row in rows)


def _compare(quoted: list[str], said: list[str], place: str) -> None:
    """Quoted lines stand in what was said in their order; ``...`` is anything."""
    rest = iter(said)
    for line in quoted:
        pattern = ".*".join(re.escape(part) for part in line.split("..."))
        assert any(re.fullmatch(pattern, text) for text in rest), f"{place}: {line!r} is not in {said}"
