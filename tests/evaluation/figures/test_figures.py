import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from amgan.errors import AtlasError, OutputError, RequestError
from amgan.evaluation.figures.layout import Panel, lay_out, write_figure
from amgan.evaluation.figures.recombined import six_targets
from amgan.evaluation.figures.registry import FIGURES, OneModel
from amgan.evaluation.figures.subjects import FigureOptions, map_pictures, subject_of
from amgan.faces.photo import Photo, photo_from_image
from amgan.inference.ager import Ager
from amgan.signs.atlas import AGE, unit_atlas


@pytest.fixture(scope="module")
def ager(small_model: Path) -> Iterator[Ager]:
    with Ager(small_model, precision="fp32") as ager:
        yield ager


@pytest.fixture(scope="module")
def photo(astronaut: np.ndarray) -> Photo:
    return photo_from_image(Image.fromarray(astronaut), "astronaut")


def noise(side: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (side, side, 3), np.uint8)


@pytest.mark.parametrize("side", [97, 180, 333])
def test_a_panel_is_in_the_png_pixel_for_pixel(tmp_path: Path, side: int) -> None:
    pictures = [noise(side, seed) for seed in range(6)]
    rows = [[Panel(rgb, "title") for rgb in pictures[:3]], [Panel(rgb) for rgb in pictures[3:]]]
    figure = lay_out(rows, side, row_titles=["one", "two"], wide_after_columns=(1,), wide_after_rows=(0,))
    width, height = write_figure(figure, tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as image:
        page = np.asarray(image.convert("RGB"))
    assert page.shape == (height, width, 3)
    for rgb in pictures:
        places = np.argwhere((page[: height - side + 1, : width - side + 1] == rgb[0, 0]).all(axis=2))
        assert any(np.array_equal(page[y : y + side, x : x + side], rgb) for y, x in places)


def test_a_pdf_embeds_its_font_and_is_the_same_each_time(tmp_path: Path) -> None:
    for name in ("a.pdf", "b.pdf"):
        write_figure(lay_out([[Panel(noise(64), "Original")]], 64), tmp_path / name)
    first = (tmp_path / "a.pdf").read_bytes()
    assert first == (tmp_path / "b.pdf").read_bytes()
    assert b"/FontFile2" in first and b"/Type3" not in first
    assert b"/Width 64" in first and b"/Height 64" in first  # the picture as it is


def test_what_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    path.write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists"):
        write_figure(lay_out([[Panel(noise(64))]], 64), path)
    assert path.read_bytes() == b"mine"
    with pytest.raises(RequestError, match="--panel"):
        lay_out([[Panel(noise(64))] * 70], 1024)


def test_six_targets(ager: Ager, photo: Photo) -> None:
    atlas, subject = unit_atlas(), subject_of(ager, photo, 0)
    original, young, bottom, top, eyes, crossed = six_targets(atlas, subject, FigureOptions(low=0.0, high=1.0))

    def moved(targets: dict[str, float]) -> set[str]:
        return {zone for zone, score in targets.items() if score != original[zone]}

    assert original == subject.scores
    assert set(original) - moved(young) == {
        "nasolabial_fold.right",
        "lip_corner_wrinkles.right",
        "under_eye_wrinkles.right",
    }
    assert moved(bottom) | moved(top) == set(atlas.zones) and not moved(bottom) & moved(top)
    assert "forehead_wrinkles" in moved(top) and AGE not in moved(top)
    assert moved(bottom) >= {"lower_face_ptosis", "cheek_pigmentation.left", "cheek_pigmentation.right"}
    assert moved(eyes) == {"under_eye_wrinkles.left", "under_eye_wrinkles.right"}
    assert moved(crossed) == {"under_eye_wrinkles.right", "nasolabial_fold.left"}


def test_a_map_lies_where_the_face_is(ager: Ager, photo: Photo) -> None:
    subject = subject_of(ager, photo, 0)
    left, top, right, bottom = subject.box
    assert right - left == bottom - top and 0 <= left and right <= 512
    (grey,) = map_pictures(ager, subject, dict.fromkeys(subject.scores, 0.0) | {"forehead_wrinkles": 1.0})
    assert grey.shape == subject.original.shape
    x, y = subject.view.alignment.to_photo(subject.view.landmarks)[[9, 10]].mean(axis=0)  # amid the forehead
    assert grey[round(y - top), round(x - left), 0] > 150 and grey[-1].max() == 0


@pytest.mark.parametrize("number", sorted(FIGURES))
def test_every_figure_of_the_astronaut(ager: Ager, photo: Photo, number: int, tmp_path: Path) -> None:
    figure = FIGURES[number]
    options = FigureOptions(steps=2, panel=96)
    if isinstance(figure, OneModel):
        drawn = figure.draw(ager, [photo], options)
    else:
        drawn = figure.draw({"one": ager, "other": ager}, [photo], options)
    panels = {1: 2, 2: 5, 6: 3, 7: 7, 8: 2, 9: 12, 10: 12, 11: 6, 12: 6}[number]
    assert len(drawn.axes) == panels
    write_figure(drawn, tmp_path / "x.png")
    with Image.open(tmp_path / "x.png") as image:
        assert np.asarray(image.convert("L")).std() > 10


@pytest.mark.parametrize("greying_first", [True, False])
def test_models_of_which_one_greys_hair_share_a_square(
    ager: Ager, photo: Photo, small_model: Path, tmp_path: Path, greying_first: bool
) -> None:
    folder = shutil.copytree(small_model, tmp_path / "greys")
    schema = json.loads((folder / "model.json").read_text())
    schema["generator"]["greys"] = True
    (folder / "model.json").write_text(json.dumps(schema))
    figure = FIGURES[11]
    assert not isinstance(figure, OneModel)
    with Ager(folder, precision="fp32") as greys:
        assert subject_of(greys, photo, 0).box != subject_of(ager, photo, 0).box
        models = {"greys": greys, "still": ager} if greying_first else {"still": ager, "greys": greys}
        drawn = figure.draw(models, [photo], FigureOptions(panel=96))
    assert len(drawn.axes) == 6


def test_an_unknown_sign(ager: Ager, photo: Photo) -> None:
    figure = FIGURES[2]
    assert isinstance(figure, OneModel)
    with pytest.raises(AtlasError, match="freckles"):
        figure.draw(ager, [photo], FigureOptions(signs=("freckles",)))
