"""What MkDocs calls while it builds the site (`hooks` in mkdocs.yml)."""

from __future__ import annotations

from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from manual.cli_reference import cli_page
from manual.config_reference import config_page
from manual.repository import DOCS, FILES, ROOT, included_pages, with_site_links


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Adds the pages that are made of the program and of files outside of docs/."""
    needed: set[str] = set()
    pages = {"reference/cli.md": cli_page(), "reference/configs.md": config_page()}
    for included in included_pages():
        text = (ROOT / included.source).read_text("utf-8")
        pages[included.page] = with_site_links(text, included.source, included.page, needed.add)
    for file in files.documentation_pages():
        with_site_links(file.content_string, f"{DOCS}/{file.src_uri}", file.src_uri, needed.add)
    for uri, content in pages.items():
        files.append(File.generated(config, uri, content=content))
    for path in sorted(needed):
        files.append(File.generated(config, f"{FILES}/{path}", abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Points links from docs/ to other files of the repository to where they lie on the site."""
    if page.file.generated_by is not None:
        return markdown
    return with_site_links(markdown, f"{DOCS}/{page.file.src_uri}", page.file.src_uri, lambda path: None)
