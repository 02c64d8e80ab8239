"""What the manual has a reader give to other programs than `amgan` is run in the small: pip, make, Python's own."""

from __future__ import annotations

import functools
import importlib
import os
import re
import runpy
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from amgan.data.curation.limits import Limits
from manual.elsewhere import commands_for
from manual.pages import words
from manual.repository import ROOT
from manual.small import program_in_the_small

from .stand_ins import stand_in

# Of the repository, in which a reader is who gives these.
FILES = ("LICENSE", "Makefile", "README.md", ".pre-commit-config.yaml", "benchmarks", "constraints.txt", "tools")
# Git is to know nothing of who runs the tests, nor of a commit that runs them.
BARE = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
BARE |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


@pytest.fixture
def clone(
    tmp_path: Path, face_set: Path, lenient: Limits, small_model: Path, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A reader's clone of the repository, in whose environment the tests run, beside faces and runs."""
    folder = tmp_path / "clone"
    for part in (folder, tmp_path / "shared", tmp_path / "runs/mine", tmp_path / "scratch"):
        part.mkdir(parents=True)
    for name in FILES:
        (folder / name).symlink_to(ROOT / name)
    for link, target in {
        ".venv": Path(sys.prefix),
        "DATA": face_set,
        "DIR": face_set,
        "../shared/data": face_set,
        "MODEL": small_model,
        "../runs/mine/model": small_model,
        "../runs/prepared": prepared,
    }.items():
        (folder / link).symlink_to(target)
    (tmp_path / "scratch/limits.yaml").write_text(yaml.safe_dump(lenient.model_dump()))
    # The same project for a builder that is there: that of the repository would have to be loaded.
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    builder = 'requires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"'
    project, count = re.subn(r'requires = \["hatchling.*\]\nbuild-backend = .*', builder, project)
    assert count == 1
    (folder / "pyproject.toml").write_text(f"{project}\n[tool.setuptools]\npackages = []\n")
    monkeypatch.chdir(folder)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("line", commands_for(__file__), ids=lambda line: line[:80])
def test_a_command_does_what_it_says(
    line: str,
    clone: Path,
    prepared: Path,
    small_model: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scratch = clone.parent / "scratch"
    named = {"model": small_model, "prepared": prepared, "limits": scratch / "limits.yaml", "scratch": scratch}
    places = {name: str(path) for name, path in named.items()}
    for part in line.split(" && "):
        while (setting := re.match(r"([A-Z_]+)=(\S+) ", part)) is not None:
            monkeypatch.setenv(setting[1], setting[2])
            part = part[setting.end() :]
        if words(part)[0] in ("export", "source", "unset"):
            given_to_a_shell(part)
            continue
        command = program_in_the_small(words(part), places)
        stand_in(command, places, monkeypatch)
        if command[0] == "python" and command[1:3] != ["-m", "pytest"]:
            called(command[1:], monkeypatch)
        else:
            started(command)
        for option in ("-o", "--out"):
            assert option not in command or Path(command[command.index(option) + 1]).exists()


def given_to_a_shell(line: str) -> None:
    """Gives a line that sets something for those after it; Python is that of the tests before and after."""
    if not Path(".venv/bin/activate").is_file():
        pytest.skip("the tests do not run in a virtual environment")
    done = subprocess.run(
        ["bash", "-ec", f"{line}\ncommand -v python; env"], capture_output=True, text=True, check=True
    )
    python, *environment = done.stdout.splitlines()
    if line.startswith("source"):
        assert Path(python).parent == Path(sys.prefix, "bin")
    elif line.startswith("unset"):
        assert not any(setting.startswith(f"{words(line)[1]}=") for setting in environment)
    else:
        assert words(line)[1] in environment


def called(arguments: list[str], patch: pytest.MonkeyPatch) -> None:
    """Gives to Python what it would be started with, in this process, which has loaded most of it."""
    if arguments[0] == "-m":
        main: Callable[[], object] = importlib.import_module(arguments[1]).main
        arguments = arguments[1:]
    elif arguments[0] == "-c":
        main = functools.partial(exec, compile(arguments[1], "-c", "exec"), {})
    else:
        path = ROOT / arguments[0]
        patch.syspath_prepend(str(path.parent))
        main = functools.partial(runpy.run_path, str(path), run_name="__main__")
    patch.setattr("sys.argv", arguments)
    try:
        main()
    except SystemExit as stop:
        assert not stop.code, stop.code


def started(command: list[str]) -> None:
    """Starts a program of the environment, or of the system."""
    program, *arguments = command
    folder = Path()
    if program == "pip":
        pytest.importorskip("pip")
        if arguments[0] == "uninstall":
            # Nothing is taken from the environment that the tests run in: only whether it is there to be taken.
            arguments = ["show", "-q", *(word for word in arguments[1:] if not word.startswith("-"))]
        whole = [sys.executable, "-m", "pip", *arguments]
    elif program == "python":
        whole, folder = [sys.executable, *arguments], ROOT
    elif (Path(sys.prefix, "bin") / program).is_file():
        whole = [str(Path(".venv/bin", program)), *arguments]
    else:
        whole = command
    done = subprocess.run(whole, cwd=folder, env=BARE, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    # An extra that is not there is no error to pip.
    assert program != "pip" or "WARNING" not in done.stderr, done.stderr
    if program == "pre-commit":
        assert "pre-commit" in Path(".git/hooks/pre-commit").read_text()
