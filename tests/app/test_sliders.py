from dataclasses import replace

from amgan.app.session import Session
from amgan.app.sliders import own_score, slider_request, slider_values
from amgan.app.studio import Studio
from amgan.signs.atlas import AGE


def test_sliders_at_the_own_scores_ask_nothing(studio: Studio, session: Session) -> None:
    own = slider_values(studio.atlas, session.view.scores)
    assert slider_request(studio.atlas, session.view, own, 0).empty


def test_only_what_was_moved_is_asked_for(studio: Studio, session: Session) -> None:
    values = slider_values(studio.atlas, session.view.scores) | {"crows_feet.left": 0.1 + 0.7, AGE: 71}
    request = slider_request(studio.atlas, session.view, values, 2)
    assert (request.age, request.signs, request.every, request.face) == (71, {"crows_feet.left": 0.8}, None, 2)


def test_halves_ask_for_themselves_and_two_alike_for_the_sign(studio: Studio, session: Session) -> None:
    own = slider_values(studio.atlas, session.view.scores)
    left, right = "forehead_wrinkles.left", "forehead_wrinkles.right"
    assert own[left] == own[right] == own["forehead_wrinkles"]
    sliders = {name: value for name, value in own.items() if "." in name or name == AGE}  # as the page has them
    for moved, signs in (
        ({left: 0.8}, {left: 0.8}),
        ({left: 0.8, right: 0.8}, {"forehead_wrinkles": 0.8}),
        ({left: 0.8, right: 0.7}, {left: 0.8, right: 0.7}),
        ({"crows_feet.left": 0.8, "crows_feet.right": 0.8}, {"crows_feet": 0.8}),
    ):
        request = slider_request(studio.atlas, session.view, sliders | moved, 0)
        assert request.signs == signs
        targets = request.targets(studio.atlas, session.view.scores)
        assert {name: slider_values(studio.atlas, targets)[name] for name in moved} == moved


def test_the_own_score_is_told(studio: Studio, session: Session) -> None:
    zone, view = "crows_feet.left", session.view
    assert own_score(studio.atlas, view, zone) == f"now {view.scores[zone]:.2f} ± {view.report.deviations[zone]:.2f}"
    hidden = replace(view, report=replace(view.report, covered=(zone,)))
    assert own_score(studio.atlas, hidden, zone).endswith(", covered")
    now = view.scores["forehead_wrinkles"]
    assert own_score(studio.atlas, view, "forehead_wrinkles.left").startswith(f"now {now:.2f} ± ")
    assert own_score(studio.atlas, view, AGE) == f"looks {round(studio.atlas.age.grade(view.scores[AGE]))}"
