"""The command line's reference, written from the Typer app itself."""

from __future__ import annotations

import html
import itertools
import re
import textwrap
from collections.abc import Iterator
from typing import Any

import typer.main

from amgan.cli import app

INTRODUCTION = """# Command line

Made from the program itself when this site is built; `amgan COMMAND --help` prints the same. What a command returns to
the shell is in [exit codes](exit-codes.md).
"""


def cli_page() -> str:
    """The page, as Markdown."""
    group: Any = typer.main.get_command(app)
    parent = group.context_class(group, info_name="amgan")
    return "\n\n".join([INTRODUCTION, *_sections(group, parent)]) + "\n"


def _sections(group: Any, parent: Any, level: str = "##") -> Iterator[str]:
    """The commands of a group, and those of groups in it one level below."""
    for name in sorted(group.commands):
        command = group.commands[name]
        context = command.context_class(command, info_name=name, parent=parent)
        yield f"{level} {context.command_path}"
        yield from _described(command.help)
        if hasattr(command, "commands"):  # such as `amgan panel`
            yield from _sections(command, context, f"{level}#")
        else:
            yield from _table(command, context)


def _described(text: str) -> Iterator[str]:
    """Paragraphs of a help text; runs of commands, and of lines in columns, become blocks of code."""
    for kind, group in itertools.groupby(re.split(r"\n\s*\n", text.strip()), _kind):
        paragraphs = list(group)
        if kind == "prose":
            yield from (" ".join(paragraph.split()) for paragraph in paragraphs)
        else:
            yield "\n".join([f"```{kind}", *(textwrap.dedent(paragraph) for paragraph in paragraphs), "```"])


def _kind(paragraph: str) -> str:
    if paragraph.lstrip().startswith("amgan "):
        return "bash"
    # Columns are kept apart by spaces, or by commas without any.
    columns = re.search(r"\S {2,}\S", paragraph) or (paragraph.count(",") > 1 and ", " not in paragraph)
    return "text" if columns else "prose"


def _table(command: Any, context: Any) -> Iterator[str]:
    rows = ["| | what | default |", "| --- | --- | --- |"]
    for parameter in command.get_params(context):
        if parameter.name == "help" or getattr(parameter, "hidden", False):
            continue
        rows.append(
            f"| {_names(parameter, context)} | {_cell(parameter.help or '')} | {_default(parameter, context)} |"
        )
    yield "\n".join(rows)


def _names(parameter: Any, context: Any) -> str:
    if parameter.param_type_name == "argument":
        return _code(parameter.display_name_raw)
    names = ", ".join(_code(name, "option") for name in (*parameter.opts, *parameter.secondary_opts))
    return names if parameter.is_flag else f"{names} {_code(_value(parameter, context))}"


def _value(parameter: Any, context: Any) -> str:
    """What an option takes: its own word for it, else its type, with its limits."""
    if parameter.metavar is not None:
        return str(parameter.metavar)
    name = parameter.display_type(context)[1:-1].removesuffix(" range").removeprefix("list[").removesuffix("]")
    shown = {"int": "N", "float": "X", "str": "TEXT", "Path": "PATH", "path": "PATH"}.get(name, name)
    least = "" if parameter.min is None else f"{parameter.min} ≤ "
    most = "" if parameter.max is None else f" ≤ {parameter.max}"
    return f"{least}{shown}{most}"


def _default(parameter: Any, context: Any) -> str:
    if parameter.required:
        return "required"
    default = parameter.get_default(context)
    if default is None or default is False or default == () or default == []:
        return ""
    return _code(str(default))


def _code(text: str, kind: str = "value") -> str:
    # As HTML: in Markdown a vertical line would end the table's cell, and options would break at their hyphens.
    return f'<code class="{kind}">{html.escape(text).replace("|", "&#124;")}</code>'


def _cell(text: str) -> str:
    """A help text as one cell; what looks like an option is code."""
    line = " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*")
    return re.sub(r"(?<![\w`-])(--[a-z][a-z-]*|-o)(?![\w`-])", lambda found: _code(found[1], "option"), line)
