"""Commands of the manual that are not run page by page: which test file runs each, with what it has at hand.

A test file asks for its own by ``commands_for(__file__)``; `tests/docs/test_runs.py` sees to it that it does.
"""

from __future__ import annotations

import functools
import itertools
import re
from pathlib import Path

from manual.pages import read_pages, shown, words
from manual.repository import ROOT

# Those that want a browser.
_BROWSER = r"(slider|screenshots|walk)\.py"
# Test file to patterns of whole lines.
ELSEWHERE = {
    "tests/app/test_benchmarks.py": (r"python benchmarks/(slider\.py|screenshots\.py .*|walk\.py( --installed)?)",),
    "tests/docs/test_programs.py": (
        r"pip (un)?install .*",
        r"export .*|source .*|unset .*",
        r"(PIP_EXTRA_INDEX_URL=\S+ )?make .*",
        r"\.venv/bin/(?!python benchmarks/).*",
        rf"(\.venv/bin/)?python benchmarks/(?!{_BROWSER}).*",
        r"python tools/.*",
        r"python -c .*",
        r"python -m amgan\..*",
    ),
    "tests/engines/test_ray_data.py": (r"ray start .*", r"amgan .*--engine ray.*"),
    "tests/training/test_processes.py": (r"torchrun .*", r"amgan train .*--devices [0-9]+( --resume)?"),
}


def runs_elsewhere(line: str) -> str | None:
    """The test file that runs a line, if one does.

    Args:
        line: One line, without continuations; its comment does not count.
    """
    said = " ".join(words(line))
    found = (file for file, patterns in ELSEWHERE.items() for pattern in patterns if re.fullmatch(pattern, said))
    return next(found, None)


def commands_for(file: str) -> list[str]:
    """The lines, each once and without its comment, that a test file runs, in the order of pages.

    Args:
        file: Its path, absolute or from the repository's root.
    """
    name = Path(file).resolve().relative_to(ROOT).as_posix() if Path(file).is_absolute() else file
    return list(dict.fromkeys(_uncommented(line) for line in _lines() if runs_elsewhere(line) == name))


@functools.cache
def _lines() -> tuple[str, ...]:
    """Every line for the shell that the manual shows."""
    blocks = itertools.chain.from_iterable(itertools.chain.from_iterable(shown(read_pages()).values()))
    return tuple(line for block in blocks for line, _ in block.commands)


def _uncommented(line: str) -> str:
    """A line as it is run; quotes stay."""
    return re.sub(r"\s+#\s.*$", "", line)
