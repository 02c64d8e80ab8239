"""Whether the commands and programs that a page shows can be given as they stand there."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import typer
import typer.main

from amgan.cli import app
from amgan.errors import in_one_line
from manual.repository import ROOT

_USAGE_ERROR: Any = typer.BadParameter.__bases__[0]
_BETWEEN = re.compile(r"\s(?:&&|\|\||\||;)\s")


def faults_of_command(line: str) -> list[str]:
    """What is wrong with a line for the shell; programs that are not ours are not looked at.

    Args:
        line: One line, without continuations.
    """
    faults = []
    for part in _BETWEEN.split(line):
        words = [word for word in shlex.split(part, comments=True)]
        while words and re.fullmatch(r"[A-Z_]+=.*", words[0]):
            words.pop(0)
        if not words:
            continue
        program, arguments = words[0].removeprefix(".venv/bin/"), words[1:]
        if program == "amgan":
            fault = parse_fault(arguments)
            faults += [fault] if fault else []
        elif program == "make":
            faults += [f"make has no target {name}" for name in arguments if name not in _targets() and "=" not in name]
        elif program == "pip":
            faults += _unknown_extras(arguments)
        elif program in ("python", "python3") and arguments:
            faults += _unknown_program(arguments)
    return faults


def parse_fault(arguments: list[str]) -> str | None:
    """Why Typer refuses the arguments of `amgan`, or None; files need not be there.

    Args:
        arguments: As the shell splits them; ``[--option VALUE]...`` stands for an option that may be given.
    """
    given = [re.sub(r"\]?\.{3}$|\]$", "", word.removeprefix("[")) for word in arguments]
    group: Any = typer.main.get_command(app)
    try:
        context = group.make_context("amgan", given)
        name, command, rest = group.resolve_command(context, [*context._protected_args, *context.args])
        context = command.make_context(name, rest, parent=context)
        while hasattr(command, "commands"):  # such as `amgan panel make`
            if not (words := [*context._protected_args, *context.args]):
                return f"{context.command_path} wants one of its commands"
            name, command, rest = command.resolve_command(context, words)
            context = command.make_context(name, rest, parent=context)
    except typer.Exit:  # --help, --version
        return None
    except _USAGE_ERROR as error:
        return in_one_line(error.format_message(), None)
    return None


def unknown_options(arguments: list[str]) -> list[str]:
    """Options, or the command itself, that `amgan` does not have; for calls that sentences only begin."""
    command: Any = typer.main.get_command(app)
    called, rest = ["amgan"], arguments
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        # A sentence may name several, as `amgan COMMAND --help` does.
        if rest[0].isupper():
            return []
        if rest[0] not in command.commands:
            return [f"no command {' '.join([*called[1:], rest[0]])}"]
        command, called, rest = command.commands[rest[0]], [*called, rest[0]], rest[1:]
    if called == ["amgan"]:
        return []
    known = {name for option in command.params for name in (*option.opts, *option.secondary_opts)} | {"--help"}
    asked = [re.sub(r"^\[|[\].,]+$", "", word).partition("=")[0] for word in rest]
    return [f"{' '.join(called)} has no {word}" for word in asked if word.startswith("-") and word not in known]


def faults_of_python(text: str) -> list[str]:
    """What is wrong with a Python program: its syntax, or names of amgan that are not there."""
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        return [f"no Python: {error}"]
    faults = []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] == "amgan":
            try:
                module = importlib.import_module(node.module)
            except ModuleNotFoundError as error:
                faults.append(str(error))
                continue
            faults += [f"{node.module} has no {name.name}" for name in node.names if not hasattr(module, name.name)]
    return faults


def _targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))


def _unknown_extras(arguments: list[str]) -> list[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    named = [found for word in arguments for found in re.findall(r"^(?:amgan|\.)\[([\w,]+)\]", word)]
    extras = {extra for group in named for extra in group.split(",")}
    return [f"no extra {extra}" for extra in sorted(extras - set(project["optional-dependencies"]))]


def _unknown_program(arguments: list[str]) -> list[str]:
    if arguments[0] == "-m":
        return [] if importlib.util.find_spec(arguments[1]) else [f"no module {arguments[1]}"]
    if arguments[0].startswith("-"):
        return []
    return [] if Path(ROOT, arguments[0]).is_file() else [f"no file {arguments[0]}"]
