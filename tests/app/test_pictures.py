import numpy as np

from amgan.app.pictures import map_picture, zones_picture
from amgan.app.session import Session
from amgan.app.studio import Studio


def test_the_map_shows_the_scores_where_the_zones_are(studio: Studio, session: Session) -> None:
    left, top, right, bottom = session.view.report.region
    view, bundle = session.view, studio.ager.bundle
    raised = map_picture(bundle, view, view.scores | {"forehead_wrinkles": 1.0})
    assert raised.shape == (bottom - top, right - left, 3)
    higher = (raised > map_picture(bundle, view, view.scores)).any(axis=2)
    # MediaPipe's landmarks between the brows and of the chin.
    brow, chin = view.alignment.to_photo(view.landmarks[[151, 152]]).round().astype(int) - (left, top)
    assert higher[brow[1], brow[0]] and not higher[chin[1], chin[0]]


def test_zones_of_a_small_face_are_drawn_large(studio: Studio, session: Session) -> None:
    assert session.before is not None
    drawn = zones_picture(studio.ager.bundle, session.before, session.view, session.view.scores)
    assert max(drawn.shape) == 900
    # Colours of the zones lie on the face, and its corners stay as they are.
    assert np.ptp(drawn[300:500, 300:600].astype(int), axis=2).max() > 150
