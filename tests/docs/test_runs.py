"""What the manual shows is run, page by page, in the small, and says what the page says it says."""

import csv
import doctest
import itertools
import re
import shlex
import shutil
import signal
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import amgan.models.bundle
from amgan.cli import main
from amgan.evaluation import measurer
from amgan.evaluation.adapters import Adapter
from amgan.evaluation.face import Found, measure_face
from amgan.evaluation.judging import Judges
from amgan.evaluation.protocol import Plan
from amgan.evaluation.reproduce import study
from manual.blocks import Block
from manual.elsewhere import ELSEWHERE, runs_elsewhere
from manual.pages import read_pages, shown, words
from manual.repository import ROOT
from manual.served import served
from manual.small import in_the_small, placed

SHOWN = shown(read_pages())
# Programs whose commands are run page by page; `manual.elsewhere` says where those of others are.
PROGRAMS_HERE = ("amgan", "tensorboard")


def not_here(line: str) -> bool:
    """Whether a command is not run page by page."""
    return runs_elsewhere(line) is not None


def test_every_command_is_run_here_or_elsewhere() -> None:
    blocks = itertools.chain.from_iterable(itertools.chain.from_iterable(SHOWN.values()))
    patterns = list(itertools.chain.from_iterable(ELSEWHERE.values()))
    used = set()
    for block in blocks:
        for line, quoted in block.commands:
            found = [pattern for pattern in patterns if re.fullmatch(pattern, " ".join(words(line)))]
            here = line == "echo $?" or words(line)[0] in PROGRAMS_HERE
            assert len(found) == 1 or (here and not found), f"{block.place}: {line}: {found}"
            assert not (found and quoted), f"{block.place}: what {line} says is not compared elsewhere"
            used.update(found)
    assert used == set(patterns)


@pytest.mark.parametrize("file", ELSEWHERE)
def test_what_is_run_elsewhere_is_asked_for_there(file: str) -> None:
    assert "commands_for(__file__)" in (ROOT / file).read_text("utf-8")


def to_run(blocks: list[Block]) -> bool:
    """Whether something of these blocks is run here."""
    return any(block.program or not all(not_here(line) for line, _ in block.commands) for block in blocks)


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
        lines = [words(line) for block in blocks for line, _ in block.commands if not not_here(line)]
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
    patch.setattr(measurer, "measure_face", _measured_once)


_MEASURED: dict[tuple[Any, ...], tuple[Found, bytes]] = {}


def _measured_once(plan: Plan, face: Any, landmarks: Any, adapter: Adapter, judges: Judges, *rest: Any) -> Found:
    """What was found on the first face of such a model, of which the same was asked."""
    kinds = frozenset(aim.kind for aim in plan.aims(adapter.atlas))
    key = type(adapter), kinds, plan.controlled, frozenset(judges.networks)
    strip: Path = rest[-1]
    if key not in _MEASURED:
        _MEASURED[key] = measure_face(plan, face, landmarks, adapter, judges, *rest), strip.read_bytes()
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
            if not_here(line):
                continue
            if words(line)[0] == "tensorboard":
                pytest.importorskip("tensorboard")
                command = [str(Path(sys.executable).with_name("tensorboard")), *words(line)[1:], "--port", "0"]
                assert served(command, b"TensorBoard", signal.SIGTERM)[0] == 0
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
            pytest.importorskip("gradio")
            given = [word for word in arguments if word not in ("--no-browser", "--port", "8000")]
            return served([sys.executable, "-m", "amgan", *given, "--no-browser", "--port", "0"], b"gradio")
        patch.setattr("sys.argv", ["amgan", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        said = self.capsys.readouterr()
        # The licence of the weights comes first, on stderr.
        return int(stop.value.code or 0), [*said.err.splitlines(), *said.out.splitlines()]


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
