"""Every command and program that README and the manual show can be given as it stands there."""

import shlex
from pathlib import Path

import pytest

from manual.blocks import Block, inline_commands, read_blocks
from manual.calls import faults_of_command, faults_of_python, unknown_options
from manual.repository import ROOT

PAGES = [ROOT / "README.md", ROOT / "DEVELOPERS.md", *sorted(ROOT.glob("docs/**/*.md"))]


@pytest.mark.parametrize("page", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_page_shows_can_be_given(page: Path) -> None:
    faults = []
    for block in read_blocks(page, ROOT):
        for line, _ in block.commands:
            faults += [f"{block.place}: {line}: {fault}" for fault in faults_of_command(line)]
        if block.language == "python":
            faults += [f"{block.place}: {fault}" for fault in faults_of_python(block.text)]
    for place, line in inline_commands(page, ROOT):
        faults += [f"{place}: {line}: {fault}" for fault in unknown_options(shlex.split(line)[1:])]
    assert faults == []


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("amgan age me.jpg -o out.png --old 3", "--old"),
        ("amgan age me.jpg", "-o"),
        ("amgan sweep me.jpg -o x.png --fps 0", "--fps"),
        ("cd x && amgan grow", "grow"),
        ("nice=1 make demo dome", "dome"),
        ("pip install 'amgan[uii,video]'", "uii"),
        ("python benchmarks/absent.py", "absent.py"),
        ("python -m amgan.absent", "amgan.absent"),
    ],
)
def test_a_wrong_command_is_found(line: str, fault: str) -> None:
    (found,) = faults_of_command(line.removeprefix("nice=1 "))
    assert fault in found


@pytest.mark.parametrize(
    "line",
    [
        "amgan age *.jpg -o older/ --all 0.8 # all of them",
        "amgan train PRESET|CONFIG.yaml --data DIR [--set key=value]... [--resume]",
        "amgan --version",
        ".venv/bin/python -m amgan.evaluation.shift --data x",
        "ray start --head",
        "OMP_NUM_THREADS=1 amgan analyze me.jpg",
    ],
)
def test_a_right_command_is_let_pass(line: str) -> None:
    assert faults_of_command(line) == []


def test_a_wrong_program_is_found() -> None:
    assert "no_such_thing" in faults_of_python("from amgan.errors import no_such_thing")[0]
    assert "no Python" in faults_of_python("def f(:")[0]
    assert faults_of_python("import numpy\nfrom amgan import Ager\n") == []


def test_sentences_may_begin_a_command() -> None:
    assert unknown_options(["train", "--data"]) == [] and unknown_options(["COMMAND", "--help"]) == []
    assert unknown_options(["train", "--date"]) == ["amgan train has no --date"]
    assert unknown_options(["grow"]) == ["no command grow"]
    assert unknown_options(["panel", "make", "study/", "--key", "key/"]) == [] and unknown_options(["panel"]) == []
    assert unknown_options(["panel", "make", "--keys"]) == ["amgan panel make has no --keys"]
    assert unknown_options(["panel", "mend"]) == ["no command panel mend"]


PAGE = """\
`amgan age --all` and

<!-- run: --model {small} -->

```console
$ amgan a \\
    b
said
$ echo $?
1
```

```yaml title="x.yaml"
a: 1
```

- a list

    <!-- run -->
    ```bash
    # a comment
    amgan c
    ```
"""


def test_blocks_are_read_with_what_is_said_of_them(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(PAGE)
    first, second, third = read_blocks(tmp_path / "a.md", tmp_path)
    assert first.commands == [("amgan a b", ["said"]), ("echo $?", ["1"])]
    assert (first.place, first.language, first.run) == ("a.md:5", "console", "--model {small}")
    assert second == Block("a.md:13", "yaml", "x.yaml", None, "a: 1\n") and second.commands == []
    assert (third.commands, third.run) == ([("amgan c", [])], "")
    assert inline_commands(tmp_path / "a.md", tmp_path) == [("a.md:1", "amgan age --all")]
