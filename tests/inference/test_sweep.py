from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image

from amgan.errors import AtlasError, OutputError, RequestError
from amgan.faces.photo import photo_from_image
from amgan.inference.ager import Ager
from amgan.inference.clip import check_clip, write_clip
from amgan.inference.request import Request, parse_recipe
from amgan.inference.sweep import course_along, course_between, pictures, strip
from amgan.maps.targets import Percentile
from amgan.signs.atlas import load_atlas, unit_atlas


def ramp(count: int = 5, height: int = 65, width: int = 97) -> list[np.ndarray]:
    """Grey pictures, ever brighter, with a red square."""
    frames = [np.full((height, width, 3), 40 * index + 20, np.uint8) for index in range(count)]
    for frame in frames:
        frame[:32, :32] = 200, 30, 20
    return frames


def decoded(path: Path) -> tuple[list[np.ndarray], float]:
    with av.open(str(path)) as container:
        (stream,) = container.streams.video
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(stream)], float(stream.average_rate)


def test_a_picture_is_what_age_makes(ager: Ager, astronaut: np.ndarray) -> None:
    course = course_along("crows_feet.left", "0.1", "0.9", ager.bundle.atlas)
    photo = photo_from_image(Image.fromarray(astronaut))
    looks = []
    ager.detector.detect, detect = lambda rgb: looks.append(1) or detect(rgb), ager.detector.detect  # type: ignore[method-assign]
    (view,) = ager.analyze(photo, 0)
    targets = course.targets(view, ager.bundle.atlas, 3, None)
    frames = list(pictures(ager, photo, view, targets, (0, 0, 512, 512), seed=3))
    assert len(looks) == 1
    ager.detector.detect = detect  # type: ignore[method-assign]
    for frame, score in zip(frames, (0.1, 0.5, 0.9), strict=True):
        one = ager.age(photo, signs={"crows_feet.left": score}, seed=3).image
        assert np.array_equal(frame, np.asarray(one))


def test_half_a_zone_is_swept_from_and_to_the_faces_own(ager: Ager, astronaut: np.ndarray) -> None:
    (view,) = ager.analyze(astronaut)
    own, half = view.scores["forehead_wrinkles"], "forehead_wrinkles.left"
    course = course_between(None, f"{half}=0.9")
    first, middle, last = course.targets(view, ager.bundle.atlas, 3, None)
    assert (first[half], last[half]) == (own, 0.9) and middle[half] == pytest.approx((own + 0.9) / 2)
    assert {aim["forehead_wrinkles.right"] for aim in (first, middle, last)} == {own}
    along = course_along(half, "0", "1", ager.bundle.atlas)
    targets = along.targets(view, ager.bundle.atlas, 3, None)
    assert along.labels(targets, ager.bundle.atlas) == ["0.00", "0.50", "1.00"]


def test_nothing_flickers_where_nothing_is_swept(ager: Ager, astronaut: np.ndarray) -> None:
    photo = photo_from_image(Image.fromarray(astronaut))
    (view,) = ager.analyze(photo)
    course = course_between(None, "crows_feet.left=1")
    targets = course.targets(view, ager.bundle.atlas, 4, None)
    first, *others = pictures(ager, photo, view, targets, view.report.region)
    assert np.array_equal(
        first, photo.rgb[view.report.region[1] : view.report.region[3], slice(*view.report.region[::2])]
    )
    moved = np.any([(frame != first).any(axis=2) for frame in others], axis=0)
    assert moved.any() and not moved[:, moved.shape[1] // 2 :].any()  # her other half stays
    # The dither is the same in all: one target gives one picture.
    aim = Request(every=0.9).targets(ager.bundle.atlas, view.scores)
    first, second = pictures(ager, photo, view, [aim, aim], view.report.region)
    assert np.array_equal(first, second)


def test_a_painted_map_comes_in_evenly(ager: Ager, astronaut: np.ndarray) -> None:
    photo = photo_from_image(Image.fromarray(astronaut))
    (view,) = ager.analyze(photo)
    painted = Image.new("LA", (512, 512))
    painted.paste((255, 200), (150, 60, 300, 200))
    half = Image.new("LA", (512, 512))
    half.paste((255, 100), (150, 60, 300, 200))
    first, middle, last = pictures(ager, photo, view, [view.scores] * 3, (0, 0, 512, 512), painted=painted)
    assert np.array_equal(first, photo.rgb)
    for frame, paint in ((middle, half), (last, painted)):
        assert np.array_equal(frame, np.asarray(ager.age_views(photo, [(view, view.scores)], painted=paint).image))
    # A map without opacity covers all of the photo, once it is there.
    first, last = pictures(ager, photo, view, [view.scores] * 2, (0, 0, 512, 512), painted=Image.new("L", (512, 512)))
    assert np.array_equal(first, photo.rgb) and not np.array_equal(last, photo.rgb)


@pytest.mark.parametrize(("value", "dtype"), [(32896, np.uint16), (0.502, np.float32)])
def test_a_deep_grey_map_comes_in_as_a_plain_one(
    ager: Ager, astronaut: np.ndarray, value: float, dtype: type[np.generic]
) -> None:
    photo = photo_from_image(Image.fromarray(astronaut))
    (view,) = ager.analyze(photo)
    deep = Image.fromarray(np.full((512, 512), value, dtype))
    plain = Image.new("L", (512, 512), 128)
    both = [
        list(pictures(ager, photo, view, [view.scores] * 2, (0, 0, 512, 512), painted=map)) for map in (deep, plain)
    ]
    assert np.array_equal(*both) and not np.array_equal(both[0][1], photo.rgb)


def test_grey_and_transparent_photos(ager: Ager, astronaut: np.ndarray) -> None:
    grey = np.dstack([np.asarray(Image.fromarray(astronaut).convert("L")), np.full((512, 512), 255, np.uint8)])
    grey[400:, :, 1] = 0
    photo = photo_from_image(Image.fromarray(grey))
    (view,) = ager.analyze(photo)
    targets = course_along("all", None, None, ager.bundle.atlas).targets(view, ager.bundle.atlas, 2, None)
    for frame in pictures(ager, photo, view, targets, (0, 0, 512, 512)):
        assert (frame == frame[..., :1]).all() and (frame[400:] == 255).all()


def test_courses() -> None:
    atlas = unit_atlas()
    youngest, oldest = sorted(atlas.age.grades)
    assert course_along("age", None, None, atlas).start == Request(age=youngest)
    assert course_along("age", "40", None, atlas).end == Request(age=oldest)
    assert course_along("all", "10%", "1", atlas).start == Request(every=Percentile(10))
    assert course_along("crows_feet", None, "0.5", atlas).end == Request(signs={"crows_feet": 0.5})
    assert course_between(None, "all=1").start.empty
    with pytest.raises(AtlasError, match="freckles"):
        course_along("freckles", None, None, atlas)
    with pytest.raises(RequestError, match="'x'"):
        course_along("all", "x", None, atlas)
    with pytest.raises(RequestError, match="nothing to change"):
        course_between("", "")


def test_recipes() -> None:
    assert parse_recipe("") == Request()
    assert parse_recipe("all=80%,age=70") == Request(age=70, every=Percentile(80))
    for text, named in (("all", "NAME=VALUE"), ("all=", "NAME=VALUE"), ("all=1,all=0", "twice"), ("age=old", "years")):
        with pytest.raises(RequestError, match=named):
            parse_recipe(text)


def test_labels(ager: Ager, astronaut: np.ndarray) -> None:
    atlas = ager.bundle.atlas
    (view,) = ager.analyze(Image.fromarray(astronaut))
    for course, known in (
        (course_along("age", "30", "50", atlas), ["30 years", "40 years", "50 years"]),
        (course_along("crows_feet.left", None, None, atlas), ["0.00", "0.50", "1.00"]),
        (course_between(None, "all=1"), ["0%", "50%", "100%"]),
    ):
        assert course.labels(course.targets(view, atlas, 3, None), atlas) == known
    population = load_atlas("white")
    course = course_along("nasolabial_fold", "20%", "80%", atlas)
    assert course.targets(view, atlas, 2, population)[1]["nasolabial_fold.left"] == population.scale_for(
        "nasolabial_fold", atlas
    ).percentile(80)


def test_a_strip() -> None:
    frames = ramp(3)
    assert np.array_equal(np.asarray(strip(frames)), np.concatenate(frames, axis=1))
    labelled = np.asarray(strip(frames, ["one", "two", "three"]))
    assert np.array_equal(labelled[:65], np.concatenate(frames, axis=1)) and labelled.shape[0] > 65
    assert all((labelled[65:, part : part + 97] < 100).any() for part in (0, 97, 194))


@pytest.mark.parametrize("suffix", [".mp4", ".webm"])
def test_a_movie(tmp_path: Path, suffix: str) -> None:
    frames, path = ramp(), tmp_path / f"clip{suffix}"
    assert write_clip(iter(frames), path, 12.5) == 8
    found, rate = decoded(path)
    assert len(found) == 8 and rate == 12.5 and found[0].shape == (64, 96, 3)
    for picture, index in zip(found, (0, 1, 2, 3, 4, 3, 2, 1), strict=True):
        assert np.abs(picture[8:24, 8:24].mean(axis=(0, 1)) - (200, 30, 20)).max() < 4  # BT.709, and said so
        assert abs(picture[40:, 40:].mean() - frames[index][-1, -1, 0]) < 2
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_a_gif_stands_still_where_nothing_moves(tmp_path: Path) -> None:
    path = tmp_path / "clip.gif"
    assert write_clip(iter(ramp()), path, 20, there_and_back=False) == 5
    with Image.open(path) as image:
        assert image.n_frames == 5 and image.info["duration"] == 50 and image.info["loop"] == 0
        found = []
        for index in range(5):
            image.seek(index)
            found.append(np.asarray(image.convert("RGB")).astype(int))
    for picture, frame in zip(found, ramp(), strict=True):
        assert picture.shape == (65, 97, 3) and np.abs(picture - frame).mean() < 6
        assert np.array_equal(picture[:32, :32], found[0][:32, :32])


def test_clips_that_cannot_be_written(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    path.write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists"):
        write_clip(iter(ramp()), path, 24)
    with pytest.raises(OutputError, match="avi"):
        write_clip(iter(ramp()), tmp_path / "clip.avi", 24)
    with pytest.raises(OutputError, match="20000"):
        check_clip(path, (300, 20000))
    assert path.read_bytes() == b"mine" and [file.name for file in tmp_path.iterdir()] == ["clip.mp4"]
