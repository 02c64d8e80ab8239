"""All pages that show commands, with what each shows."""

from __future__ import annotations

import itertools
import shlex
from collections.abc import Iterable, Iterator

from manual.blocks import Block, inline_commands, read_blocks
from manual.calls import parse_fault
from manual.cli_reference import cli_page
from manual.repository import ROOT


def read_pages() -> dict[str, str]:
    """Name to Markdown: what is written for readers, and the command line's reference with its examples.

    The changelog is left out: it says what came when, in short forms that nobody is to give.
    """
    paths = [ROOT / "README.md", ROOT / "DEVELOPERS.md", *sorted(ROOT.glob("docs/**/*.md"))]
    pages = {path.relative_to(ROOT).as_posix(): path.read_text("utf-8") for path in paths}
    return pages | {"reference/cli.md": cli_page()}


def words(line: str) -> list[str]:
    """A line as the shell splits it, without its comment."""
    return shlex.split(line, comments=True)


def shown(pages: dict[str, str]) -> dict[str, list[list[Block]]]:
    """Name to what a page has for a reader to give; what belongs together is one list.

    The blocks of a written page belong together, less those of usage. Each call in its sentences and tables that is
    whole, and each example of the reference, stands for itself, and is left out where it was said before.
    """
    blocks = {name: [b for b in read_blocks(text, name) if not b.usage] for name, text in pages.items()}
    written = {name: found for name, found in blocks.items() if not name.startswith("reference/cli")}
    seen = {tuple(words(line)) for block in itertools.chain(*written.values()) for line, _ in block.commands}
    found = {}
    for name, text in pages.items():
        inline = [(place, line) for place, line in inline_commands(text, name) if _whole(line)]
        if name in written:
            found[name] = [blocks[name], *_new(inline, seen)]
        else:
            examples = [(block.place, line) for block in blocks[name] for line, _ in block.commands]
            found[name] = list(_new([*examples, *inline], seen))
    return found


def _new(lines: Iterable[tuple[str, str]], seen: set[tuple[str, ...]]) -> Iterator[list[Block]]:
    """Lines that are not `seen`, each as a block, and seen from then on."""
    for place, line in lines:
        if (said := tuple(words(line))) not in seen:
            seen.add(said)
            yield [Block(place, "bash", None, None, f"{line}\n")]


def _whole(line: str) -> bool:
    """Whether a line can be given as it is; a sentence may only name a command, or begin one."""
    program, *arguments = words(line)
    return "..." not in line and (program != "amgan" or parse_fault(arguments) is None)
