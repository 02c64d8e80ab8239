"""The manual is built as `make docs` builds it; nothing in it leads nowhere or comes from another host."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer.main

from amgan.cli import app
from amgan.training.config import TrainConfig, Weights
from manual.cli_reference import cli_page
from manual.config_reference import config_page
from manual.links import faults_of_markdown, faults_of_site
from manual.repository import ROOT, with_site_links

IMAGES = ROOT / "docs/images"
MARKDOWN = [
    *(ROOT / name for name in ("README.md", "DEVELOPERS.md", "CHANGELOG.md")),
    *ROOT.glob("docs/**/*.md"),
    *ROOT.glob("src/**/*.md"),
]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-d", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    built = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert built.returncode == 0, built.stdout + built.stderr
    return folder


def test_it_is_whole_and_loads_nothing_from_elsewhere(site: Path) -> None:
    assert list(faults_of_site(site)) == []
    # Two of each kind: written, made from the program, from docstrings, from files outside of docs/.
    for page, said in {
        "start.html": "nasolabial_fold.left=0.9",
        "howto/add-a-sign.html": "chin_wrinkles",
        "reference/cli.html": "--ray-address",
        "reference/configs.html": "map_head_fakes",
        "reference/python.html": "RequestError",
        "models/default.html": "Known failures",
        "changelog.html": "Unreleased",
        "developers.html": "layer",
    }.items():
        assert said in re.sub(r"<[^>]+>", "", (site / page).read_text("utf-8")), page
    assert (site / "files/LICENSE").read_bytes() == (ROOT / "LICENSE").read_bytes()


def test_dead_links_and_other_hosts_are_found(tmp_path: Path) -> None:
    (tmp_path / "b.html").write_text('<h2 id="here">b</h2>')
    (tmp_path / "a.css").write_text("body { background: url(https://elsewhere.example/b.png) }")
    (tmp_path / "a.html").write_text(
        '<a href="b.html#here">1</a><a href="b.html#gone">2</a><a href="c.html">3</a><a href="https://x.example">4</a>'
        '<script src="//x.example/a.js"></script><img src="none.png"><link rel="canonical" href="https://x.example/">'
    )
    assert list(faults_of_site(tmp_path)) == [
        "a.html loads //x.example/a.js",
        "a.html: b.html#gone: no such place on that page",
        "a.html: c.html leads nowhere",
        "a.html: none.png leads nowhere",
        "a.css loads https://elsewhere.example/b.png",
    ]


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_hold_in_the_repository_too(path: Path) -> None:
    # Pages that are made when the site is built.
    made = re.compile(r"reference/(cli|configs)\.md|^docs/reference/\w+\.md: (cli|configs)\.md")
    assert [fault for fault in faults_of_markdown(path, ROOT) if not made.search(fault)] == []


def test_a_wrong_heading_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text("# One `two`\n\n[1](#one-two) [2](b.md) [3](#two)\n\n```\n[4](c.md)\n```\n")
    found = list(faults_of_markdown(tmp_path / "a.md", tmp_path))
    assert found == ["a.md: b.md leads nowhere", "a.md: #two: no such heading there"]


def test_links_to_files_of_the_repository_lead_to_their_pages_or_copies() -> None:
    needed: list[str] = []
    card, code = "src/amgan/weights/default/MODEL_CARD.md", "src/amgan/cli/age.py"
    text = f"[a](../../{card}) [b](../../{code}) [c](../atlases.md#format) [d](https://x.example) [e](../../gone.py)"
    found = with_site_links(text, "docs/howto/x.md", "howto/x.md", needed.append)
    assert found == (
        f"[a](../models/default.md) [b](../files/{code}) [c](../atlases.md#format) [d](https://x.example) "
        "[e](../../gone.py)"
    )
    assert needed == [code]


def test_the_reference_has_every_command_and_option() -> None:
    page = cli_page()
    commands = dict(typer.main.get_command(app).commands)
    commands |= {f"panel {name}": command for name, command in commands.pop("panel").commands.items()}
    for name, command in commands.items():
        section = page.split(f"# amgan {name}\n")[1].split("\n##")[0]
        for option in command.params:
            if option.param_type_name == "option":
                assert f">{option.opts[-1]}<" in section, (name, option.opts)


def test_the_reference_has_every_key_with_its_default() -> None:
    page = config_page()
    for key in TrainConfig.model_fields:
        assert f"| `{key}` |" in page
    for key, value in Weights().model_dump().items():
        assert f"| `{key}` | number, ≥ 0 | `{value}` |" in page
    assert "| `max_yaw` | number, ≥ 0, ≤ 180 or null | `20.0` |" in page
    assert "### paper-256" in page and "cycle_pixel: 0.0" in page


def test_pictures_are_small() -> None:
    sizes = {path.name: path.stat().st_size for path in IMAGES.iterdir()}
    assert {Path(name).suffix for name in sizes} == {".png", ".svg"}
    assert {name: size for name, size in sizes.items() if size > 300_000} == {}, "tools/docs_pictures.py --shrink FILE"
    assert sum(sizes.values()) < 3_000_000
