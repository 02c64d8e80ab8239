import dataclasses
import math
from pathlib import Path

import pytest

from amgan.data.curation.limits import CHECKS, REASONS, Limits, default_limits, load_limits
from amgan.data.curation.measure import Measured
from amgan.errors import ConfigError

GOOD = Measured(
    width=1024,
    height=1024,
    faces=1,
    side=600,
    yaw=3,
    pitch=-4,
    roll=1,
    mouth_open=0.02,
    smile=0.1,
    brow_raise=0.1,
    sharpness=0.7,
    forehead_covered=0.05,
    cheeks_covered=0.01,
    glasses=0.0,
)
STRICT = default_limits().model_copy(update={"max_smile": 0.5, "max_brow_raise": 0.4, "max_glasses": 0.3})


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({}, ""),
        ({"error": "damaged"}, "unreadable"),
        ({"faces": 0}, "no_face"),
        ({"faces": 2, "second_side": 250}, "several_faces"),
        ({"faces": 2, "second_side": 150}, ""),  # too small to count
        ({"side": 399}, "too_small"),
        ({"sharpness": 0.4}, "blurred"),
        ({"yaw": 21}, "turned"),
        ({"yaw": -21}, "turned"),
        ({"pitch": -21}, "tilted"),
        ({"roll": 31}, "leaning"),
        ({"mouth_open": 0.2}, "mouth_open"),
        ({"smile": 0.6}, "smiling"),
        ({"brow_raise": 0.5}, "brows_raised"),
        ({"forehead_covered": 0.9}, "forehead_covered"),
        ({"cheeks_covered": 0.9}, "cheeks_covered"),
        ({"glasses": 0.9}, "glasses"),
        ({"side": 300, "yaw": 50, "glasses": 1.0}, "too_small"),  # the first counts
    ],
)
def test_each_limit_gives_its_reason(change: dict[str, float], reason: str) -> None:
    assert STRICT.reason(dataclasses.replace(GOOD, **change)) == reason


def test_age() -> None:
    assert STRICT.reason(GOOD, 17.9) == "under_age"
    assert STRICT.reason(GOOD, 18) == "" and STRICT.reason(GOOD, math.nan) == ""
    wanted = STRICT.model_copy(update={"require_age": True})
    assert wanted.reason(GOOD, math.nan) == "age_unknown" and wanted.reason(GOOD, 18) == ""
    # What is wrong with the photo itself is said first.
    assert wanted.reason(dataclasses.replace(GOOD, side=9)) == "too_small"


def test_every_reason_is_tested_and_every_limit_can_be_off() -> None:
    assert {check.reason for check in CHECKS} < set(REASONS) and len(set(REASONS)) == len(REASONS) == 16
    off = Limits(**{**STRICT.model_dump(), **{check.limit: None for check in CHECKS}, "several_faces": True})
    hopeless = Measured(faces=3, side=1, second_side=1, yaw=90, sharpness=0, mouth_open=1, glasses=1)
    assert off.reason(hopeless, 2) == "" and STRICT.reason(hopeless) == "several_faces"


def test_a_file_changes_only_what_it_names(tmp_path: Path) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("max_yaw: 35\nmin_age: null\n")
    limits = load_limits(file)
    assert limits.max_yaw == 35 and limits.min_age is None
    assert limits.model_copy(update={"max_yaw": 20.0, "min_age": 18.0}) == default_limits()


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("max_yav: 20", "max_yav"),
        ("max_yaw: far", "max_yaw"),
        ("max_yaw: -3", "max_yaw"),
        ("max_glasses: 1.5", "max_glasses"),
        ("several_faces: 2", "several_faces"),
        ("require_age: 1", "require_age"),
        ("second_face: null", "second_face"),
        ("min_side: .nan", "min_side"),
        ("- max_yaw", "mapping"),
        ("max_yaw: [", "YAML"),
    ],
)
def test_errors_name_file_and_field(tmp_path: Path, content: str, named: str) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text(content)
    with pytest.raises(ConfigError, match=named) as caught:
        load_limits(file)
    assert str(file) in str(caught.value) and "\n" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"absent\.yaml"):
        load_limits(tmp_path / "absent.yaml")
