"""Every command and program that README and the manual show can be given as it stands there; that they do what they
say is for `test_runs.py`."""

import pytest

from manual.blocks import Block, inline_commands, read_blocks
from manual.calls import faults_of_command, faults_of_python, unknown_options
from manual.pages import read_pages, shown, words
from manual.small import in_the_small, program_in_the_small

PAGES = read_pages()


@pytest.mark.parametrize("page", PAGES)
def test_what_a_page_shows_can_be_given(page: str) -> None:
    faults = []
    for block in read_blocks(PAGES[page], page):
        for line, _ in block.commands:
            faults += [f"{block.place}: {line}: {fault}" for fault in faults_of_command(line)]
        if block.language == "python":
            faults += [f"{block.place}: {fault}" for fault in faults_of_python(block.text)]
    for place, line in inline_commands(PAGES[page], page):
        program, *arguments = words(line)
        found = unknown_options(arguments) if program == "amgan" else faults_of_command(line)
        faults += [f"{place}: {line}: {fault}" for fault in found]
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
        ("amgan panel", "amgan panel"),
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

```
>>> 1 + 1
2
```

<!-- usage -->
```
amgan d [--e F]
```
"""


def test_blocks_are_read_with_what_is_said_of_them() -> None:
    first, second, third, fourth, fifth = read_blocks(PAGE, "a.md")
    assert first.commands == [("amgan a b", ["said"]), ("echo $?", ["1"])]
    assert (first.place, first.language, first.run) == ("a.md:5", "console", "--model {small}")
    assert second == Block("a.md:13", "yaml", "x.yaml", None, "a: 1\n") and second.commands == []
    assert (third.commands, third.run) == ([("amgan c", [])], "")
    assert fourth.typed and fourth.program and fourth.commands == [] and not third.program
    assert [block.usage for block in (first, second, third, fourth, fifth)] == [False] * 4 + [True]
    assert fifth.commands == [("amgan d [--e F]", [])] and fifth.run is None
    assert inline_commands(PAGE, "a.md") == [("a.md:1", "amgan age --all")]


def test_a_whole_call_stands_for_itself_where_nothing_said_it_before() -> None:
    page = "`amgan age`, `amgan analyze me.jpg`, `amgan ui`\n\n```\namgan analyze  me.jpg # here\nmake demo\n```\n"
    page += "\n<!-- usage -->\n```\namgan analyze IMG|FOLDER\n```\n"
    example = "```bash\namgan ui\n\namgan analyze you.jpg\n```\n"
    found = shown({"a.md": page, "reference/cli.md": example})
    assert [[block.text for block in blocks] for blocks in found["a.md"]] == [
        ["amgan analyze  me.jpg # here\nmake demo\n"],
        ["amgan ui\n"],
    ]
    assert [[block.text for block in blocks] for blocks in found["reference/cli.md"]] == [["amgan analyze you.jpg\n"]]


def test_numbers_are_made_small_and_files_stay() -> None:
    places = {"limits": "/loose.yaml"}
    given = ["curate", "a", "b", "--size", "2048", "--limits", "mine.yaml"]
    assert in_the_small(given, places) == [*given, "--size", "256", "--workers", "1"]
    assert in_the_small(given[:3], places)[3:] == ["--size", "256", "--workers", "1", "--limits", "/loose.yaml"]
    assert in_the_small(["panel", "score", "key"], places) == ["panel", "score", "key"]
    onward = in_the_small(["train", "default", "--set", "start=default", "--set", "generator=null"], places)
    assert "critic.scales=1" in onward and not any(word.startswith("generator.") for word in onward)
    program = program_in_the_small([".venv/bin/python", "benchmarks/video.py", "MODEL"], places)
    assert program == ["python", "benchmarks/video.py", "MODEL", "--frames", "2"]
    assert program_in_the_small(["ray", "start"], places) == ["ray", "start"]
    trained = in_the_small(["train", "default", "--set", "seed=1"], places)
    assert trained[:4] == ["train", "default", "--set", "seed=1"] and "--set" in trained[4:]
