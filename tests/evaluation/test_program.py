"""That an evaluation knows what measured it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import amgan
from amgan.evaluation.program import digest_of_code, program

PACKAGE = Path(amgan.__file__).parent


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    without = shutil.ignore_patterns("weights", "__pycache__")
    return shutil.copytree(PACKAGE, tmp_path_factory.mktemp("copy") / "amgan", ignore=without)


def test_a_copy_elsewhere_is_the_same_program(package: Path) -> None:
    assert program()["code"] == digest_of_code(PACKAGE) == digest_of_code(package)
    assert program()["amgan"] == amgan.__version__ and len(program()["parsing"]) == 64


@pytest.mark.parametrize(
    ("name", "decides"),
    [
        ("evaluation/measures/detail.py", True),
        ("evaluation/face.py", True),
        ("inference/change.py", True),
        ("maps/greying.py", True),
        ("signs/atlases/unit.yaml", True),
        ("maps/mean_face.csv", True),
        ("evaluation/totals/person.py", False),
        ("evaluation/report/page.py", False),
        ("app/page.py", False),
        ("app/page.css", False),
    ],
)
def test_what_decides_a_measure_is_in_the_digest(package: Path, name: str, decides: bool) -> None:
    before, content = digest_of_code(package), (package / name).read_bytes()
    (package / name).write_bytes(content + b"\n")
    assert (digest_of_code(package) != before) == decides
    (package / name).write_bytes(content)
    assert digest_of_code(package) == before
