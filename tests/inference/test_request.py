from dataclasses import replace

import pytest

from amgan.errors import AtlasError, RequestError, WeightsError
from amgan.inference.request import Request, parse_age, parse_face, parse_score
from amgan.maps.targets import Percentile
from amgan.models.bundle import Schema, load_bundle_schema
from amgan.signs.atlas import load_atlas


def test_what_is_written_is_read() -> None:
    assert parse_score(" 0.8 ") == 0.8 and parse_score("80 %") == Percentile(80)
    assert parse_age("70.5") == 70.5
    assert parse_face("all") is None and parse_face("2") == 2


@pytest.mark.parametrize(
    ("parse", "text"),
    [(parse_score, "half"), (parse_score, "%"), (parse_age, "old"), (parse_face, "-1"), (parse_face, "²")],
)
def test_what_cannot_be_read_is_quoted(parse: object, text: str) -> None:
    assert callable(parse)
    with pytest.raises(RequestError, match=text):
        parse(text)


def test_a_request_knows_what_it_asks_for() -> None:
    assert Request(face=0).empty and not Request(age=70).empty and not Request(signs={"crows_feet": 0}).empty
    assert Request(every=Percentile(5)).has_percentiles and not Request(every=0.5).has_percentiles
    Request(70, {"crows_feet.left": Percentile(80)}, 0.5).check(load_bundle_schema(), load_atlas("white"))
    for wrong in (Request(age=7), Request(every=1.1), Request(every=float("nan")), Request(signs={"freckles": 1})):
        with pytest.raises(AtlasError):
            wrong.check(load_bundle_schema(), None)


def holding(maps: str) -> Schema:
    """What is known of the model in the box, as one whose aging maps hold something else."""
    known = load_bundle_schema()
    return replace(known, generator_config=known.generator_config.model_copy(update={"maps": maps}))


def test_what_a_model_has_no_map_for_is_refused_before_any_photo() -> None:
    half, side, whole, rest = (
        Request(signs={name: 0.9}) if name else Request(70, every=0.9)
        for name in ("forehead_wrinkles.left", "crows_feet.left", "crows_feet", "")
    )
    for asked in (half, side, whole, rest):
        asked.check(holding("zones"), None)
    for asked in (side, whole, rest):
        asked.check(holding("scores"), None)
    with pytest.raises(WeightsError, match=r"no half of forehead_wrinkles.*without a side"):
        half.check(holding("scores"), None)
    rest.check(holding("age"), None)
    for asked in (half, side, whole):
        with pytest.raises(WeightsError, match="it knows the age alone"):
            asked.check(holding("age"), None)
