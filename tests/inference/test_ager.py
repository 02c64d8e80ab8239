import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from PIL import ExifTags, Image

from amgan.errors import AtlasError, ConfigError, NoFaceError, PhotoError, RequestError
from amgan.faces.photo import photo_from_image
from amgan.inference import ager as ager_module
from amgan.inference.ager import Ager
from amgan.inference.finding import face_view
from amgan.maps.change import OFF_SKIN, OFF_ZONES
from amgan.models.bundle import load_bundle
from amgan.models.export import export_onnx


def changed(image: Image.Image, original: np.ndarray) -> np.ndarray:
    return np.abs(np.asarray(image).astype(int) - original).sum(axis=2)


def test_changes_stay_on_the_head(ager: Ager, astronaut: np.ndarray) -> None:
    result = ager.age(Image.fromarray(astronaut), every=0.9)
    (report,) = result.faces
    difference = changed(result.image, astronaut)
    left, top, right, bottom = report.region
    assert difference[top:bottom, left:right].max() > 20
    difference[top:bottom, left:right] = 0
    assert difference.max() == 0
    assert changed(result.image, astronaut)[300:].max() == 0  # her suit
    assert set(report.targets.values()) == {0.9} and report.target_age == pytest.approx(73.8)


def test_one_side_changes_on_that_side_alone(ager: Ager, astronaut: np.ndarray) -> None:
    left = changed(ager.age(Image.fromarray(astronaut), signs={"crows_feet.left": 1}).image, astronaut)
    right = changed(ager.age(Image.fromarray(astronaut), signs={"crows_feet.right": 1}).image, astronaut)
    assert left.any() and right.any() and not (left.astype(bool) & right.astype(bool)).any()
    assert np.argwhere(left)[:, 1].mean() < np.argwhere(right)[:, 1].mean()


def test_own_scores_change_nothing(ager: Ager, astronaut: np.ndarray) -> None:
    (view,) = ager.analyze(Image.fromarray(astronaut))
    own = {zone: score for zone, score in view.scores.items() if zone != "age"}
    assert not changed(ager.age(Image.fromarray(astronaut), signs=own).image, astronaut).any()


def test_same_seed_same_picture(ager: Ager, astronaut: np.ndarray) -> None:
    first, second, other = (ager.age(Image.fromarray(astronaut), every=0.9, seed=s).image for s in (3, 3, 4))
    assert np.array_equal(first, second)
    assert 0 < np.abs(np.asarray(first).astype(int) - np.asarray(other)).max() <= 1


@pytest.mark.parametrize(("width", "side"), [(128, 256), (400, 512), (700, 700), (2400, 768)])
def test_small_and_large_faces(ager: Ager, astronaut: np.ndarray, width: int, side: int) -> None:
    left, top, right, bottom = ager.analyze(Image.fromarray(astronaut))[0].report.region
    photo = Image.fromarray(astronaut[top:bottom, left:right]).resize((width, width * (bottom - top) // (right - left)))
    result = ager.age(photo, every=0.9)
    assert result.image.size == photo.size and changed(result.image, np.asarray(photo)).max() > 20
    (view,) = ager.analyze(photo)
    # At its own scale in between; a smaller face enlarged to the least, or to half of it if that is enough.
    assert abs(view.alignment.size - side) < 0.06 * side


def test_several_faces_each_get_their_own(ager: Ager, astronaut: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    photo, scored = np.concatenate([astronaut, astronaut[:, ::-1]], axis=1), list[object]()
    monkeypatch.setattr(ager_module, "face_view", lambda *given: scored.append(given[3]) or face_view(*given))
    both = ager.age(Image.fromarray(photo), every=0.9)
    assert len(both.faces) == len(scored) == 2
    first = ager.age(Image.fromarray(photo), every=0.9, face=0)
    assert len(scored) == 3  # nobody who is not aged
    halves = [changed(first.image, photo)[:, half].any() for half in (slice(0, 512), slice(512, None))]
    assert sorted(halves) == [False, True]
    for absent in (2, -1):
        with pytest.raises(NoFaceError, match=f"0 to 1, the largest first, but no {absent}"):
            ager.age(Image.fromarray(photo), every=0.9, face=absent)


def test_half_a_forehead_changes_and_the_other_half_keeps_every_bit(ager: Ager, astronaut: np.ndarray) -> None:
    (view,) = ager.analyze(astronaut)
    middle = view.alignment.to_photo(view.landmarks)[9, 0]  # between the brows
    for side, other in (("left", slice(round(middle) + 30, None)), ("right", slice(0, round(middle) - 30))):
        result = ager.age(Image.fromarray(astronaut), signs={f"forehead_wrinkles.{side}": 1})
        difference = changed(result.image, astronaut)
        assert difference.any() and not difference[:, other].any()
        assert result.faces[0].targets[f"forehead_wrinkles.{side}"] == 1
    # Of a half alone the other one is as the whole is.
    photo = photo_from_image(Image.fromarray(astronaut))
    alone = ager.age_views(photo, [(view, {**view.scores, "forehead_wrinkles.right": 1.0})])
    assert np.array_equal(alone.image, result.image)
    both = dict.fromkeys(("forehead_wrinkles.left", "forehead_wrinkles.right"), 0.9)
    halves, whole = (ager.age(astronaut, signs=signs).image for signs in (both, {"forehead_wrinkles": 0.9}))
    assert np.abs(halves.astype(int) - whole).max() <= 1


def test_painted_map_changes_what_is_painted(ager: Ager, astronaut: np.ndarray) -> None:
    paint = np.zeros((512, 512, 2), np.uint8)
    paint[:, :256] = 255
    result = ager.age(Image.fromarray(astronaut), painted=Image.fromarray(paint, "LA"))
    apart = ager.age(Image.fromarray(astronaut), painted=photo_from_image(Image.fromarray(paint, "LA")))
    assert np.array_equal(apart.image, result.image)
    difference = changed(result.image, astronaut)
    assert difference[:, :240].any()
    assert not difference[:, 270:].any()
    deep = Image.fromarray(np.full((512, 512), 65535 * 0.9, np.uint16))
    plain = Image.new("L", (512, 512), round(255 * 0.9))
    both = [np.asarray(ager.age(Image.fromarray(astronaut), painted=p).image).astype(int) for p in (deep, plain)]
    assert np.abs(both[0] - both[1]).max() <= 1
    with pytest.raises(PhotoError, match="10x10"):
        ager.age(Image.fromarray(astronaut), painted=Image.new("L", (10, 10)))
    with pytest.raises(PhotoError, match="10x10"):
        ager.age_views(photo_from_image(Image.fromarray(astronaut)), [], painted=Image.new("L", (10, 10)))
    with pytest.raises(PhotoError, match="painted map is 100x80"):
        ager.age(Image.fromarray(astronaut), painted=photo_from_image(Image.new("L", (100, 80))))


def test_a_painted_map_lies_on_the_photo_as_it_is_looked_at(ager: Ager, astronaut: np.ndarray, tmp_path: Path) -> None:
    photo = Image.fromarray(astronaut[:400])
    paint = Image.fromarray(np.pad(np.full((400, 256), 255, np.uint8), ((0, 0), (0, 256))))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    paint.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "map.png", exif=exif)
    with Image.open(tmp_path / "map.png") as lying:
        results = [ager.age(photo, painted=painted).image for painted in (lying, paint)]
    assert lying.size == (400, 512) and np.array_equal(*results)
    with pytest.raises(PhotoError, match="400x512"):
        ager.age(photo, painted=Image.new("L", (400, 512)))


def test_bad_requests(ager: Ager, astronaut: np.ndarray) -> None:
    with pytest.raises(AtlasError, match="freckles"):
        ager.age(Image.fromarray(astronaut), signs={"freckles": 0.5})
    with pytest.raises(RequestError, match="seed -1"):  # before any face is looked for
        ager.age(Image.new("RGB", (300, 300), "grey"), every=0.9, seed=-1)
    with pytest.raises(RequestError, match="seed -1"):
        ager.age_views(photo_from_image(Image.fromarray(astronaut)), [], seed=-1)
    with pytest.raises(NoFaceError, match="no face"):
        ager.age(Image.new("RGB", (300, 300), "grey"), every=0.9)


@pytest.mark.parametrize("guarded", [True, False])
def test_hair_changes_less_than_skin_if_a_model_wants_that(
    ager: Ager, astronaut: np.ndarray, guarded: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    generator = ager.bundle.generator
    monkeypatch.setattr(generator, "config", generator.config.model_copy(update={"guarded": guarded}))
    result = changed(ager.age(Image.fromarray(astronaut), every=0.9).image, astronaut)
    (view,) = ager.analyze(Image.fromarray(astronaut))
    masks = view.masks
    skin, editable, zoned = (
        view.alignment.paste(mask, astronaut.shape[:2], view.report.region)
        for mask in (cv2.resize(m, view.rgb.shape[:2]) for m in (masks.skin, masks.editable, masks.zones.max(axis=0)))
    )
    left, top, right, bottom = view.report.region
    window = result[top:bottom, left:right].astype(float)
    # The small model adds the same everywhere.
    hair = window[(skin < 0.01) & (editable > 0.99)].mean()
    sure = (skin > 0.99) & (editable > 0.99)
    full, off_zones = window[sure & (zoned > 0.99)].mean(), window[sure & (zoned < 0.01)].mean()
    shares = (OFF_SKIN, OFF_ZONES) if guarded else (1, 1)
    assert [hair / full, off_zones / full] == pytest.approx(shares, rel=0.1)


def test_an_onnx_file_gives_the_same_picture(
    ager: Ager, small_model: Path, astronaut: np.ndarray, tmp_path: Path
) -> None:
    path = export_onnx(load_bundle(small_model), tmp_path / "small.onnx").path
    with Ager(str(path)) as other:
        found = other.age(Image.fromarray(astronaut), every=0.9)
    known = ager.age(Image.fromarray(astronaut), every=0.9)
    # The last bits of a change may differ, and so the dither that rounds it.
    assert changed(known.image, astronaut).max() > 20 and changed(known.image, np.asarray(found.image)).max() <= 3
    assert found.faces[0].targets == known.faces[0].targets
    with pytest.raises(ConfigError, match=r"small\.onnx.*fp32"):
        Ager(path, precision="bf16")


def test_what_comes_back_is_of_the_kind_that_was_given(ager: Ager, astronaut: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(astronaut).save(tmp_path / "me.png")
    image, path = ager.age([Image.fromarray(astronaut), str(tmp_path / "me.png")], every=0.9)
    known = np.array(image.image)
    assert np.array_equal(path.image, known)
    array = ager.age(astronaut, every=0.9)
    assert array.image.dtype == np.uint8 and np.array_equal(array.image, known)
    assert [view.report.box for view in ager.analyze(astronaut)] == [face.box for face in array.faces]
    one = torch.tensor(astronaut).permute(2, 0, 1).float() / 255
    batch = ager.age(torch.stack([one, one.flip(2)]), every=0.9)
    assert torch.equal((batch.image[0] * 255).round().byte().permute(1, 2, 0), torch.from_numpy(known))
    assert [face.picture for face in batch.faces] == [0, 1]


def test_of_several_pictures_the_one_without_a_face_is_named(ager: Ager, astronaut: np.ndarray) -> None:
    with pytest.raises(NoFaceError, match="picture 1: no face"):
        ager.age([astronaut, np.zeros_like(astronaut)], every=0.9)
    with pytest.raises(PhotoError, match="picture 0: NoneType"):
        ager.age([None], every=0.9)  # type: ignore[list-item]
    assert ager.age([], every=0.9) == []


def test_threads_get_what_one_alone_gets(ager: Ager, astronaut: np.ndarray) -> None:
    asked = [{"every": 0.3 * index, "seed": index} for index in range(4)]
    photos = [np.roll(astronaut, 9 * index, axis=1) for index in range(4)]

    def work(index: int) -> np.ndarray:
        return ager.age(photos[index], **asked[index]).image  # type: ignore[arg-type]

    alone = [work(index) for index in range(4)]
    assert len({picture.tobytes() for picture in alone}) == 4
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(work, range(4)))
    assert all(np.array_equal(*pair) for pair in zip(alone, together, strict=True))


def test_a_folder_or_a_file_by_from_pretrained(small_model: Path) -> None:
    for source in (small_model, str(small_model), small_model / "generator.safetensors"):
        with Ager.from_pretrained(source, precision="fp32") as other:
            assert other.bundle.path == small_model and not other.bf16


def test_an_ager_that_nobody_closed_ends_quietly(small_model: Path) -> None:
    code = "import sys; from amgan.inference.ager import Ager; ager = Ager(sys.argv[1]); print(ager.bundle.notice)"
    done = subprocess.run([sys.executable, "-c", code, str(small_model)], capture_output=True, text=True, check=True)
    assert done.stdout == "for tests\n" and "Traceback" not in done.stderr
