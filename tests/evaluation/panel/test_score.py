import json
import math

import pytest

from amgan.evaluation.panel.forms import Choice, Rating
from amgan.evaluation.panel.key import Crop, Pair, PairKey, RatingKey
from amgan.evaluation.panel.report import as_json, markdown
from amgan.evaluation.panel.score import ALL, Level, Order, RatingResult, Trust, score_pairs, score_ratings

ABOUT = {"panel": "abcd", "model": "m", "fingerprint": "f", "data": "d", "split": "val", "seed": 1}
TARGETS = (None, 0.1, 0.9)
PEOPLE = 10


def key_of(signs: tuple[str, ...]) -> RatingKey:
    crops = [
        Crop(number=0, sheet="s", sign=sign, face=f"f{i}", person=f"p{i}", target=target, grade=10 * i)
        for sign in signs
        for i in range(PEOPLE)
        for target in TARGETS
    ]
    return RatingKey(**ABOUT, crops=[crop.model_copy(update={"number": n}) for n, crop in enumerate(crops)])


def severity(crop: Crop) -> float:
    """An original of its grade, made ones at 5 and 80; the tenth person, of grade 90, lies beyond the older one."""
    return crop.grade if crop.target is None else {0.1: 0.0, 0.9: 80.0}[crop.target]


def rated(key: RatingKey, lenient: float = 0.0) -> dict[int, Rating]:
    natural = {None: 90.0, 0.1: 80.0, 0.9: 60.0}
    return {c.number: Rating(c.number, severity(c) + lenient, natural[c.target] - lenient, False) for c in key.crops}


def level(result: RatingResult, sign: str, target: float | None) -> Level:
    return next(one for one in result.levels if (one.sign, one.target) == (sign, target))


def order(result: RatingResult, sign: str) -> Order:
    return next(one for one in result.orders if one.sign == sign)


def trust(result: RatingResult, sign: str) -> Trust:
    return next(one for one in result.trust if one.sign == sign)


def test_means_by_target_and_naturalness_against_the_originals() -> None:
    key = key_of(("crows_feet", "forehead_wrinkles"))
    result = score_ratings(key, {"anna": rated(key), "ben": rated(key, 4)})
    old = level(result, "crows_feet", 0.9)
    assert old.severity.value == 82 and old.naturalness.value == 58 and old.severity.people == PEOPLE
    assert old.below_original.value == 30 and old.below_original.low == pytest.approx(30)
    own = level(result, "crows_feet", None)
    assert own.severity.value == 47 and own.severity.low < 40 < 54 < own.severity.high
    assert math.isnan(own.below_original.value)
    assert level(result, ALL, 0.1).severity.value == 2 and result.levels[-1].sign == ALL
    # One rater is always four higher: they agree on the order, not on the value.
    found = trust(result, "crows_feet")
    assert found.severity is not None and 0.95 < found.severity.single.value < 1
    assert found.graded == PEOPLE and found.off == 2 and found.r == pytest.approx(1)


def test_order_on_each_face() -> None:
    key = key_of(("crows_feet",))
    result = score_ratings(key, {"anna": rated(key)})
    assert order(result, "crows_feet").rising.value == 1 and order(result, "crows_feet").between.value == 0.9
    assert len(result.orders) == 1 and result.trust[0].severity is None
    flat = {number: Rating(number, 50, 50, False) for number in rated(key)}
    assert order(score_ratings(key, {"anna": flat}), "crows_feet").in_order.value == 0


def test_one_target_has_no_order() -> None:
    key = key_of(("crows_feet",))
    some = [crop for crop in key.crops if crop.target != 0.1]
    key = key.model_copy(update={"crops": some})
    result = score_ratings(key, {"anna": rated(key)})
    assert not result.orders and len(result.levels) == 2 and "in order" not in markdown(result, key).lower()


def test_what_is_covered_counts_for_nobody() -> None:
    key = key_of(("crows_feet",))
    ratings = rated(key)
    covered = [crop.number for crop in key.crops if crop.person == "p9"]
    ratings |= {number: Rating(number, math.nan, math.nan, True) for number in covered}
    result = score_ratings(key, {"anna": ratings})
    assert level(result, "crows_feet", None).severity.people == PEOPLE - 1
    assert level(result, "crows_feet", None).severity.value == 40 and order(result, "crows_feet").between.value == 1
    assert level(result, "crows_feet", 0.9).occluded == 0.1
    # Where the other rater could judge, that judgement stands.
    both = score_ratings(key, {"anna": ratings, "ben": rated(key)})
    assert level(both, "crows_feet", None).severity.value == 45
    assert both.trust[0].severity is not None and both.trust[0].severity.crops == 3 * (PEOPLE - 1)


def test_tables_and_json() -> None:
    key = key_of(("crows_feet", "forehead_wrinkles"))
    some = {number: one for number, one in rated(key).items() if key.crops[number].sign == "crows_feet"}
    result = score_ratings(key, {"anna": rated(key), "ben": some})
    text = markdown(result, key)
    assert "| crows feet | 0.9 | 10 | 80.0 (80.0 to 80.0) | 60.0 (60.0 to 60.0) | 30.0 (30.0 to 30.0) | 0% |" in text
    assert "| all signs | original | 10 |" in text and "nan" not in text
    content = json.loads(json.dumps(as_json(result, key), allow_nan=False))
    assert content["panel"] == "abcd" and len(content["levels"]) == 9 and content["raters"] == ["anna", "ben"]
    # Ben judged one sign: on all there is one rater.
    assert content["trust"][-1]["severity"] is None and content["trust"][0]["severity"]["raters"] == 2


def test_pairs_told_apart() -> None:
    pairs = [
        Pair(
            number=n,
            sheet="s",
            sign="crows_feet" if n < 30 else "forehead_wrinkles",
            made="left" if n % 2 else "right",
            face=f"f{n}",
            person=f"p{n}",
            target=0.9,
            real="r",
            grade=60,
        )
        for n in range(60)
    ]
    key = PairKey(**ABOUT, pairs=pairs)
    guess = {n: Choice(n, "left", "") for n in range(60)}
    result = score_pairs(key, {"anna": guess})
    overall = result.overall.share
    assert overall.value == 0.5 and (overall.low, overall.high) == pytest.approx((0.377, 0.623), abs=1e-3)
    sees = {n: Choice(n, pair.made, "stripes" if n == 3 else "") for n, pair in enumerate(pairs)}
    both = score_pairs(key, {"anna": guess, "ben": sees})
    assert both.overall.share.value == 0.75 and both.overall.share.people == 60
    assert [(told.name, told.share.value) for told in both.raters] == [("anna", 0.5), ("ben", 1)]
    assert [told.share.people for told in both.signs] == [30, 30] and both.why == [("crows_feet", 3, "ben", "stripes")]
    text = markdown(both, key)
    assert "Told apart: **75%" in text and "- crows feet 3, ben: stripes" in text
    assert json.loads(json.dumps(as_json(both, key), allow_nan=False))["overall"]["share"]["value"] == 0.75
