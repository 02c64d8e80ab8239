import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from amgan.data.curation.files import aligned_name
from amgan.data.table import Row
from amgan.errors import DatasetError
from amgan.evaluation.judges.cross import CrossJudge, sign_crops
from amgan.evaluation.judges.signs import SignJudge
from amgan.evaluation.measures.colour import colour_change
from amgan.evaluation.protocol import FRONTAL
from amgan.evaluation.shift import SHEET, contact_sheet, measure, save_strip
from amgan.inference.ager import Ager
from amgan.maps.packing import reference_landmarks
from amgan.signs.atlas import unit_atlas

ATLAS = unit_atlas()


def test_crops_are_cut_pixel_for_pixel() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (1024, 1024, 3), np.uint8)
    crops = sign_crops(ATLAS, picture, reference_landmarks() * 1024)
    assert set(crops) == set(ATLAS.signs)
    # Noise survives: a crop that shrinks or interpolates would average it away.
    assert all(crop.std() > 70 for crop in crops.values())
    assert crops["forehead_wrinkles"].shape[0] > 3 * crops["crows_feet"].shape[0]


def test_strip_shows_the_difference_around_grey(tmp_path: Path) -> None:
    faces = {kind: np.full((8, 8, 3), value, np.uint8) for kind, value in (("younger", 90), ("original", 95))}
    save_strip(faces | {"older": np.full((8, 8, 3), 100, np.uint8)}, tmp_path / "new" / "strip.png")
    strip = np.asarray(Image.open(tmp_path / "new" / "strip.png"))
    assert strip.shape == (8, 32, 3) and [strip[0, x, 0] for x in (0, 8, 16, 24)] == [90, 95, 100, 168]


def test_contact_sheet_spreads_over_the_folder(tmp_path: Path) -> None:
    for index in range(48):
        Image.new("RGB", (64, 16), (index, 0, 0)).save(tmp_path / f"{index:02d}.png")
    # That of an earlier run is no strip.
    Image.new("RGB", (640, 160)).save(tmp_path / SHEET)
    sheet = np.asarray(contact_sheet(tmp_path))
    assert sheet.shape == (12 * 4, 32, 3)
    assert sheet[0, 0, 0] == 0 and sheet[0, 16, 0] == 2 and sheet[-1, -1, 0] == 46


def test_colour_change_sees_a_tint_and_no_lines() -> None:
    grey = np.full((192, 192, 3), 128, np.uint8)
    skin = np.zeros((192, 192), np.float32)
    skin[64:128, 64:128] = 1
    lines = grey.copy()
    lines[::2], lines[1::2] = 100, 156
    red = grey + np.array([20, 0, 0], np.uint8)
    # Where no skin is, nothing counts.
    beside = grey.copy()
    beside[:, :2] = 255, 0, 0
    assert colour_change(grey, lines, skin) < 0.1 and colour_change(grey, grey, skin) == 0
    assert colour_change(grey, beside, skin) < 0.1
    assert 5 < colour_change(grey, red, skin) < 15


def test_measure_reports_what_the_model_did(small_model: Path, astronaut: np.ndarray, tmp_path: Path) -> None:
    pytest.importorskip("dlib")
    Image.fromarray(astronaut).save(tmp_path / "astronaut.png")
    # Two photos of one person, whose names differ by what a file name cannot hold.
    rows = [
        Row(tmp_path / "astronaut.png", name, "collins", "test", math.nan, {}, "")
        for name in ("astronaut.png", "a/stronaut.png")
    ]
    # A judge that scores by brightness, which the small model's constant change raises in two of three channels.
    judge = SignJudge(lambda crops: crops.reshape(len(crops), -1).mean(axis=1, keepdims=True).astype(np.float32))
    grey = [np.full((4, 4, 3), value, np.uint8) for value in range(0, 250, 10)]
    judge.fit(dict.fromkeys(ATLAS.signs, grey), dict.fromkeys(ATLAS.signs, np.linspace(0, 1, 25)))
    # The other judges would fail: they were fitted on nothing.
    cross = CrossJudge([SignJudge(lambda crops: crops) for _ in range(3)])
    cross.judges = tuple(
        judge if fold == cross.fold_of("collins") else other for fold, other in enumerate(cross.judges)
    )
    with Ager(small_model) as ager:
        found = measure(
            ager,
            cross,
            rows,
            FRONTAL.model_copy(update={"min_side": 50.0, "max_yaw": 90.0, "max_pitch": 90.0, "max_mouth_open": 1.0}),
            tmp_path / "strips",
        )
        assert found["faces"] == 2 and found["forehead_largest_change_outside_face"] == 0
        assert found["colour_change"]["older"][0] > 0
        assert found["forehead_inside_over_rest"]["least"] > 3
        # Photos of one person say nothing about others.
        assert all(math.isnan(bound) for bound in found["mean_shift"][1:])
        names = {aligned_name(row.name, "png") for row in rows}
        assert {path.name for path in (tmp_path / "strips").iterdir()} == names and len(names) == 2
        assert contact_sheet(tmp_path / "strips").width > 0
        with pytest.raises(DatasetError, match="400 px"):
            measure(ager, cross, rows, FRONTAL)
