"""Links that lead to nothing and files of other hosts, in the built site and in the repository's Markdown; offline."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown.extensions.toc import slugify

# What a browser loads by itself: a tag and the attribute with the address.
_LOADED = {("img", "src"), ("script", "src"), ("iframe", "src"), ("source", "src"), ("video", "src"), ("link", "href")}
# Of these `link` only says where something is.
_TOLD = {"canonical", "next", "prev", "alternate"}
_MARKDOWN_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")
_HEADING = re.compile(r"^#{1,6} +(.+?) *$", re.MULTILINE)
_FENCED = re.compile(r"^( *)(`{3,}|~{3,}).*?^ *\2$", re.MULTILINE | re.DOTALL)


@dataclass
class Seen:
    """What a page holds.

    Attributes:
        ids: Places that a link may lead to.
        links: Where its links lead.
        loaded: What a browser loads with it.
    """

    ids: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loaded: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.seen = Seen()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.seen.ids |= {given[name] for name in ("id", "name") if name in given}
        if tag == "a" and "href" in given:
            self.seen.links.append(given["href"])
        told = tag == "link" and given.get("rel") in _TOLD
        self.seen.loaded += [given[name] for of, name in _LOADED if of == tag and name in given and not told]


def read_page(path: Path) -> Seen:
    """What an HTML file holds."""
    reader = _Reader()
    reader.feed(path.read_text("utf-8"))
    return reader.seen


def faults_of_site(site: Path) -> Iterator[str]:
    """Links within a built site that lead to nothing, and whatever a browser would load from another host."""
    pages = {path: read_page(path) for path in sorted(site.rglob("*.html"))}
    for path, seen in pages.items():
        where = path.relative_to(site).as_posix()
        yield from (f"{where} loads {address}" for address in seen.loaded if _elsewhere(address))
        if where == "404.html":  # its links are from the root of a server
            continue
        for address in (*seen.links, *seen.loaded):
            if _elsewhere(address) or address.startswith("mailto:"):
                continue
            parts = urlsplit(address)
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if target.is_dir():
                target /= "index.html"
            if not target.is_file():
                yield f"{where}: {address} leads nowhere"
            elif parts.fragment and target in pages and unquote(parts.fragment) not in pages[target].ids:
                yield f"{where}: {address}: no such place on that page"
    for style in sorted(site.rglob("*.css")):
        for address in re.findall(r"url\(['\"]?([^'\")]+)", style.read_text("utf-8")):
            if _elsewhere(address):
                yield f"{style.relative_to(site).as_posix()} loads {address}"


def faults_of_markdown(path: Path, root: Path) -> Iterator[str]:
    """Links of a Markdown file, as the repository shows it, that lead to no file or no heading.

    Args:
        path: The file.
        root: From where it is named.
    """
    for address in _MARKDOWN_LINK.findall(_FENCED.sub("", path.read_text("utf-8"))):
        if _elsewhere(address) or address.startswith("mailto:"):
            continue
        name, _, anchor = address.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists():
            yield f"{path.relative_to(root)}: {address} leads nowhere"
        elif anchor and target.suffix == ".md" and anchor not in _anchors(target):
            yield f"{path.relative_to(root)}: {address}: no such heading there"


def _anchors(path: Path) -> set[str]:
    headings = _HEADING.findall(_FENCED.sub("", path.read_text("utf-8")))
    return {slugify(re.sub(r"[`*]", "", heading), "-") for heading in headings}


def _elsewhere(address: str) -> bool:
    return address.startswith(("http:", "https:", "//"))
