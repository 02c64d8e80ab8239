"""The code blocks of a page, and what a comment before one says about running it.

The tests run every block, in a folder that holds what `tests/docs` lays out, and in the small: see `manual.small`.
``<!-- run -->`` before a block has it run as it stands, with the shipped model; ``<!-- run: --steps 3 -->`` adds those
arguments to its `amgan` commands, after those that make it small. ``<!-- usage -->`` says that a block shows what may
be given, and is nothing to be given: it is checked, and not run. A block with a ``title="name"`` is a file of that name
in the same folder.
"""

from __future__ import annotations

import re
import textwrap
from dataclasses import dataclass

# Bare fences are read as commands, too, if their lines begin like commands.
SHELL = ("", "bash", "console", "sh")
_FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,})(?P<language>[\w+-]*)(?P<rest>.*)$")
_TITLE = re.compile(r'title="([^"]+)"')
_MARK = re.compile(r"^ *<!-- (?P<kind>run|usage)(?:: (?P<more>.*))? -->$")
_PROGRAMS = (
    r"(?:[A-Z_]+=\S+ )*"
    r"(?:amgan|(?:\.venv/bin/)?python|pip (?:un)?install|make|ray start|torchrun|tensorboard|source)"
)
_INLINE = re.compile(rf"(?<!`)`({_PROGRAMS}\s[^`]+)`(?!`)")


@dataclass(frozen=True)
class Block:
    """One fenced block.

    Attributes:
        place: File and line.
        language: As the fence says it; "" for none.
        title: Name of the file that it is; None for none.
        run: What a comment has its commands get added; "" if they are to be run as they stand, None without one.
        text: Its lines, without their indentation.
        usage: Whether it shows what may be given.
    """

    place: str
    language: str
    title: str | None
    run: str | None
    text: str
    usage: bool = False

    @property
    def program(self) -> bool:
        """Whether it is Python, as a file or as typed at the prompt."""
        return self.language == "python" or self.typed

    @property
    def typed(self) -> bool:
        """Whether it is Python as typed at the prompt, with its answers."""
        return self.text.startswith(">>> ")

    @property
    def commands(self) -> list[tuple[str, list[str]]]:
        """Each command of a shell block, on one line, with the lines of output that are quoted below it."""
        if self.language not in SHELL or self.title is not None or self.program:
            return []
        lines = self.text.replace("\\\n", " ").splitlines()
        prompted = any(line.startswith("$ ") for line in lines)
        found: list[tuple[str, list[str]]] = []
        for line in lines:
            if prompted and not line.startswith("$ "):
                found[-1][1].append(line)
            elif line.strip() and not line.lstrip().startswith("#"):
                found.append((" ".join(line.removeprefix("$ ").split()), []))
        return found


def read_blocks(markdown: str, name: str) -> list[Block]:
    """All blocks of a page.

    Args:
        markdown: Its text.
        name: What places call it.
    """
    lines = markdown.splitlines()
    blocks, index, mark, usage = [], 0, None, False
    while index < len(lines):
        opening = _FENCE.match(lines[index])
        if opening is None:
            marked = _MARK.match(lines[index])
            if marked is not None:
                mark, usage = (marked["more"] or "", False) if marked["kind"] == "run" else (None, True)
            elif lines[index].strip():
                mark, usage = None, False
            index += 1
            continue
        end = index + 1
        while lines[end].strip() != opening["fence"]:
            end += 1
        title = _TITLE.search(opening["rest"])
        text = textwrap.dedent("\n".join(lines[index + 1 : end])) + "\n"
        place = f"{name}:{index + 1}"
        blocks.append(Block(place, opening["language"], title[1] if title else None, mark, text, usage))
        index, mark, usage = end + 1, None, False
    return blocks


def inline_commands(markdown: str, name: str) -> list[tuple[str, str]]:
    """Calls of `amgan` and of other programs inside of sentences and tables of a page, with their places."""
    # Fenced blocks are looked at by `read_blocks`.
    text = re.sub(
        r"^( *)(`{3,}|~{3,}).*?^ *\2$", lambda found: "\n" * found[0].count("\n"), markdown, flags=re.M | re.S
    )
    return [
        (f"{name}:{text.count(chr(10), 0, found.start()) + 1}", " ".join(found[1].split()))
        for found in _INLINE.finditer(text)
    ]
