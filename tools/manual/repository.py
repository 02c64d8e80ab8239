"""Files of the repository on the site: which of them are pages, and where a link to any of them leads."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = "docs"
# Where files that are no pages lie on the site.
FILES = "files"
_LINK = re.compile(r"(?<=\]\()(?!https?:|mailto:)([^)#\s]+)(?=(#[^)\s]*)?\))")


@dataclass(frozen=True)
class Included:
    """A Markdown file outside of docs/ that is a page of the site.

    Attributes:
        source: The file, from the repository's root.
        page: The page, from docs/.
    """

    source: str
    page: str


def included_pages(root: Path = ROOT) -> list[Included]:
    """The changelog, what developers go by, and the card of every model that is shipped."""
    cards = sorted(root.glob("src/amgan/weights/*/MODEL_CARD.md"))
    pages = [Included(card.relative_to(root).as_posix(), f"models/{card.parent.name}.md") for card in cards]
    return [Included("CHANGELOG.md", "changelog.md"), Included("DEVELOPERS.md", "developers.md"), *pages]


def with_site_links(markdown: str, source: str, page: str, need: Callable[[str], None], root: Path = ROOT) -> str:
    """Points the links of a Markdown file to where things lie on the site.

    Args:
        markdown: The file's text.
        source: The file, from the repository's root.
        page: Its page, from docs/.
        need: Told of every file of the repository, from its root, that has to lie under `FILES` on the site.
        root: The repository.

    Returns:
        The text; links that lead to nothing are left for MkDocs to complain of.
    """
    pages = {included.source: included.page for included in included_pages(root)} | {"README.md": "index.md"}

    def moved(found: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), found[1]))
        if target.startswith(f"{DOCS}/"):
            place = target.removeprefix(f"{DOCS}/")
        elif target in pages:
            place = pages[target]
        elif (root / target).is_file():
            need(target)
            place = f"{FILES}/{target}"
        else:
            return found[1]
        return Path(os.path.relpath(place, posixpath.dirname(page) or ".")).as_posix()

    return _LINK.sub(moved, markdown)
