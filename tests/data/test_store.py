import dataclasses
import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import SimpleNamespace

import cv2
import numpy as np
import pytest
from PIL import Image

from amgan.data import store as module
from amgan.data.curation.limits import Limits
from amgan.data.curation.run import curate
from amgan.data.images import Keeping, kind_of
from amgan.data.labels import Labels, read_labels
from amgan.data.store import SIZE, licence_notice, prepare
from amgan.data.table import AlignedFace, Row, row_of
from amgan.errors import DatasetError, OutputError
from amgan.signs.atlas import unit_atlas

ATLAS = unit_atlas()
SIDES = [(SIZE, "raw"), (SIZE, "webp"), (2048, "raw"), (2048, "webp")]


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be detected."""
    monkeypatch.delattr(module, "FaceDetector")


@pytest.mark.usefixtures("blind")
def test_a_dataset_is_taken_as_it_is(dataset: Path, tmp_path: Path) -> None:
    store = prepare(dataset, tmp_path, ATLAS)
    assert len(store.rows) == 11 and store.left_out == [] and store.images.shape == (11, SIZE, SIZE, 3)
    for row, image, landmarks in zip(store.rows, store.images, store.landmarks, strict=True):
        assert row.aligned is not None
        small = cv2.resize(np.asarray(image), (256, 256), interpolation=cv2.INTER_AREA)
        there = cv2.cvtColor(cv2.imread(str(row.path)), cv2.COLOR_BGR2RGB)
        assert np.abs(small.astype(int) - there).mean() < 2
        assert np.allclose((landmarks + 0.5) / 4 - 0.5, row.aligned.landmarks, atol=1e-3)
    again = prepare(dataset, tmp_path, ATLAS)
    assert again.folder == store.folder and np.array_equal(again.landmarks, store.landmarks)


def test_at_the_stores_size_a_dataset_is_the_same_as_its_photos(
    face_set: Path, lenient: Limits, tmp_path: Path
) -> None:
    (tmp_path / "photos").mkdir()
    lines = (face_set / "faces.csv").read_text().splitlines()
    (tmp_path / "photos" / "faces.csv").write_text("\n".join(lines[:3]))
    for name in ("0.png", "1.png"):
        shutil.copy(face_set / name, tmp_path / "photos")
    curate(tmp_path / "photos", tmp_path / "set", lenient, size=SIZE, workers=1)
    one, two = (prepare(tmp_path / name, tmp_path / "stores", ATLAS) for name in ("photos", "set"))
    assert [row.name for row in one.rows] == [row.name for row in two.rows]
    assert np.array_equal(one.images, two.images) and np.array_equal(one.landmarks, two.landmarks)


def test_stores_of_plain_folders_stay_where_they_were(face_set: Path, tmp_path: Path) -> None:
    key = {
        "data": str(face_set.resolve()),
        "names": [f"{index}.png" for index in range(12)],
        "zones": {zone: ATLAS.polygons(zone) for zone in ATLAS.zones},
    }
    name = hashlib.sha256(json.dumps(key).encode()).hexdigest()[:12]
    assert module.store_key(face_set, module.read_rows(face_set, ATLAS), ATLAS) == name


@pytest.mark.usefixtures("blind")
def test_new_labels_keep_a_store_and_new_faces_do_not(
    face_set: Path, copy: Path, lenient: Limits, tmp_path: Path
) -> None:
    first = prepare(copy, tmp_path / "stores", ATLAS)
    labels = read_labels(face_set / "faces.csv", ATLAS).rows
    labels["4.png"] = Labels(40, grades={"forehead_wrinkles": 99})
    adults = lenient.model_copy(update={"min_age": 21.0})
    curate(face_set, copy, adults, labels, size=256, workers=1)
    relabelled = prepare(copy, tmp_path / "stores", ATLAS)
    assert relabelled.folder == first.folder
    scores = {row.name: row.score("forehead_wrinkles") for row in relabelled.rows}
    assert scores["4.png"] == pytest.approx(0.99) and scores["5.png"] == pytest.approx(0.4)
    # Another photo of the same name.
    row, *rest = relabelled.rows
    assert row.aligned is not None
    other = dataclasses.replace(row, aligned=AlignedFace(256, row.aligned.landmarks, "another digest", 300.0))
    assert module.store_key(copy, [other, *rest], ATLAS) != first.folder.name
    curate(face_set, copy, adults, None, size=256, workers=1)
    assert prepare(copy, tmp_path / "stores", ATLAS).folder != first.folder  # the youngest is kept now


@pytest.mark.usefixtures("blind")
def test_faces_that_went_bad(copy: Path, tmp_path: Path) -> None:
    rows = module.read_rows(copy, ATLAS)
    rows[0].path.write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=rf"{rows[0].path.name}: .*delete it and curate again"):
        prepare(copy, tmp_path / "stores", ATLAS)
    cv2.imwrite(str(rows[1].path), np.zeros((300, 256, 3), np.uint8))
    with pytest.raises(DatasetError, match=rf"{rows[1].path.name}: is 256x300, by the table 256x256"):
        rows[0].path.write_bytes(rows[2].path.read_bytes())
        prepare(copy, tmp_path / "others", ATLAS)


def test_a_larger_size_has_a_store_of_its_own_and_says_what_was_enlarged(face_set: Path, tmp_path: Path) -> None:
    small = prepare(face_set, tmp_path, ATLAS, size=128)
    assert small.images[0].shape == (128, 128, 3) and small.enlarged() == ""  # she is 171 px there
    large = prepare(face_set, tmp_path, ATLAS, size=2048)
    assert large.size == 2048 and large.images[3].shape == (2048, 2048, 3) and large.folder != small.folder
    assert np.allclose((large.landmarks + 0.5) / 16 - 0.5, small.landmarks, atol=0.01)
    assert np.allclose(large.sides, small.sides)
    assert large.enlarged().startswith("12 of 12 faces are enlarged to 2048 px; half of those are at most 171 px there")
    shrunk = cv2.resize(large.images[3], (128, 128), interpolation=cv2.INTER_AREA)
    assert np.abs(shrunk.astype(int) - small.images[3]).mean() < 2
    # Those of the usual size stay where they always were.
    assert module.store_key(face_set, large.rows, ATLAS, SIZE, "raw") == module.store_key(face_set, large.rows, ATLAS)
    assert len({module.store_key(face_set, large.rows, ATLAS, side, kind) for side, kind in SIDES}) == len(SIDES)


@pytest.mark.usefixtures("blind")
def test_a_dataset_knows_how_large_its_faces_were_in_their_photos(dataset: Path, tmp_path: Path) -> None:
    store = prepare(dataset, tmp_path, ATLAS, size=128)
    assert store.enlarged() == "" and store.sides == pytest.approx(171, abs=5)
    assert prepare(dataset, tmp_path, ATLAS, size=256).enlarged().startswith("11 of 11 faces")
    # Faces cut out at 256 px hold no more than that, were they larger in their photos.
    row = store.rows[0]
    assert row.aligned is not None
    larger = dataclasses.replace(row, aligned=dataclasses.replace(row.aligned, side=900.0))
    face = module._cut_out_already(512, larger)
    assert face is not None and face.side == 256


@pytest.mark.usefixtures("blind")
def test_files_hold_the_same_pictures_and_a_datasets_own_are_not_copied(copy: Path, tmp_path: Path) -> None:
    for size in (512, 256):
        raw, files = (prepare(copy, tmp_path, ATLAS, size=size, images=kind) for kind in ("raw", "webp"))
        assert all(np.array_equal(raw.images[i], files.images[i]) for i in range(len(raw.rows)))
        assert np.array_equal(raw.landmarks, files.landmarks)
        assert len(list(files.folder.glob("*.webp"))) == (11 if size == 512 else 0)
    (copy / "aligned" / files.rows[0].path.name).write_bytes(b"no picture")
    with pytest.raises(DatasetError, match=rf"{files.rows[0].path.name}.*it was whole.*delete it and curate again"):
        files.images[0]
    cv2.imwrite(str(files.rows[1].path), np.zeros((300, 256, 3), np.uint8))
    with pytest.raises(DatasetError, match="no longer 256x256"):
        files.images[1]


@pytest.mark.parametrize("kind", ["raw", "webp"])
@pytest.mark.usefixtures("blind")
def test_preparing_goes_on_where_it_was_stopped(
    dataset: Path, tmp_path: Path, kind: Keeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop_after(count: int, rows: Iterable[Row]) -> Iterator[Row]:
        for done, row in enumerate(rows):
            if done == count:
                raise KeyboardInterrupt
            yield row

    # The state is written every 50 faces: as if it had been after five.
    monkeypatch.setattr(module, "SAVE_EVERY", 5)
    with pytest.raises(KeyboardInterrupt):
        prepare(dataset, tmp_path, ATLAS, lambda rows: stop_after(7, rows), size=512, images=kind)
    seen: list[Row] = []
    store = prepare(dataset, tmp_path, ATLAS, lambda rows: seen.extend(rows) or seen, size=512, images=kind)
    assert len(seen) == 6 and len(store.rows) == 11
    whole = prepare(dataset, tmp_path / "whole", ATLAS, size=512)
    assert all(np.array_equal(store.images[i], whole.images[i]) for i in range(11))
    assert np.array_equal(store.landmarks, whole.landmarks) and np.array_equal(store.sides, whole.sides)


@pytest.mark.usefixtures("blind")
def test_a_store_from_before_sides_were_noted_is_opened_and_not_written_to(dataset: Path, tmp_path: Path) -> None:
    folder = prepare(dataset, tmp_path, ATLAS).folder
    (folder / "sides.npy").unlink()
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    again = prepare(dataset, tmp_path, ATLAS, lambda rows: pytest.fail("all are prepared"))
    assert np.isnan(again.sides).all() and again.enlarged() == ""
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    with pytest.raises(ValueError, match="read-only"):
        again.images[0][0, 0] = 1


@pytest.mark.parametrize("name", ["landmarks.npy", "images.npy", "sides.npy"])
@pytest.mark.usefixtures("blind")
def test_a_store_that_is_cut_off_is_named(dataset: Path, tmp_path: Path, name: str) -> None:
    folder = prepare(dataset, tmp_path, ATLAS, size=128).folder
    for size in (-1, 20, 0):
        with (folder / name).open("r+b") as file:
            file.truncate(size if size >= 0 else (folder / name).stat().st_size - 1)
        with pytest.raises(
            DatasetError, match=rf"{name}: damaged \(.*delete .*{folder.name} and give the command again"
        ):
            prepare(dataset, tmp_path, ATLAS, size=128)
    if name != "sides.npy":  # older stores have none
        (folder / name).unlink()
        with pytest.raises(DatasetError, match=rf"{name}: damaged \(.*No such file"):
            prepare(dataset, tmp_path, ATLAS, size=128)


@pytest.mark.usefixtures("blind")
def test_a_state_that_cannot_be_read_is_named(dataset: Path, tmp_path: Path) -> None:
    folder = prepare(dataset, tmp_path, ATLAS, size=128).folder
    for content in ("", "[true", "3"):
        (folder / "state.json").write_text(content)
        with pytest.raises(DatasetError, match=r"state\.json: damaged"):
            prepare(dataset, tmp_path, ATLAS, size=128)


@pytest.mark.usefixtures("blind")
def test_a_disk_without_room_is_said_before_it_is_full(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(10**9, 10**9, 10**6))
    with pytest.raises(OutputError, match=r"0\.1 GiB for 11 faces of 2048 px.*--set images=webp"):
        prepare(dataset, tmp_path, ATLAS, size=2048)


def test_a_place_that_cannot_be_written_is_told_in_one_line(face_set: Path, tmp_path: Path) -> None:
    (tmp_path / "stores").write_bytes(b"a file")
    with pytest.raises(OutputError, match=r"stores.*: cannot be written \(Not a directory\)"):
        prepare(face_set, tmp_path / "stores", ATLAS)


def test_many_faces_are_kept_as_files() -> None:
    assert [kind_of("auto", count, SIZE) for count in (1_200, 20_000, 70_000)] == ["raw", "raw", "webp"]
    assert kind_of("auto", 6_000, 3072) == "webp" and kind_of("raw", 70_000, SIZE) == "raw"


def test_photos_without_a_face_are_left_out_and_named(face_set: Path, tmp_path: Path) -> None:
    for index in range(12):
        (tmp_path / f"{index}.png").write_bytes((face_set / f"{index}.png").read_bytes())
    (tmp_path / "1.png").write_bytes(b"no picture")
    Image.new("RGB", (200, 200), "grey").save(tmp_path / "3.png")
    (tmp_path / "faces.csv").write_text((face_set / "faces.csv").read_text())
    store = prepare(tmp_path, tmp_path / "store", ATLAS)
    assert store.left_out == ["1.png", "3.png"] and len(store.rows) == len(store.images) == 10
    assert f"1.png, 3.png; mend them, delete {store.folder} and" in store.passed_over()
    whole = prepare(face_set, tmp_path / "whole", ATLAS)
    assert np.array_equal(store.images[2], whole.images[4]) and store.rows[2].name == "4.png"
    assert np.array_equal(store.landmarks[2], whole.landmarks[4])


def test_two_sets_have_stores_of_their_own(face_set: Path, tmp_path: Path) -> None:
    (tmp_path / "copy").mkdir()
    for path in face_set.iterdir():
        (tmp_path / "copy" / path.name).write_bytes(path.read_bytes())
    stores = [prepare(folder, tmp_path / "stores", ATLAS) for folder in (face_set, tmp_path / "copy")]
    assert len(list((tmp_path / "stores").iterdir())) == 2
    assert np.array_equal(stores[0].landmarks, stores[1].landmarks)


def test_a_bad_table_names_line_and_column(face_set: Path, tmp_path: Path) -> None:
    text = (face_set / "faces.csv").read_text()
    (tmp_path / "faces.csv").write_text(text.replace(",40,", ",forty,", 1))
    for index in range(12):
        (tmp_path / f"{index}.png").touch()
    with pytest.raises(DatasetError, match=r"line 2, column .*forty"):
        prepare(tmp_path, tmp_path / "store", ATLAS)
    assert not (tmp_path / "store").exists()


@pytest.mark.parametrize(
    ("licences", "notice"),
    [
        ([], "Weights trained on photos under no stated licence."),
        (["CC0 1.0", "CC BY 2.0"], "Weights trained on photos under CC BY 2.0, CC0 1.0."),
        (
            ["CC BY-NC 2.0", "CC BY-NC-SA 4.0"],
            "Weights under CC BY-NC-SA 4.0 (trained on photos under CC BY-NC 2.0, CC BY-NC-SA 4.0).",
        ),
        (
            ["cc-by-nc-sa-4.0", "Open Government Licence 3.0", "NC, own terms: usage"],
            "Weights under cc-by-nc-sa-4.0 (trained on photos under NC, own terms: usage, Open Government Licence 3.0, "
            "cc-by-nc-sa-4.0).",
        ),
        (["LICENCE OF OURS"], "Weights trained on photos under LICENCE OF OURS."),
    ],
)
def test_the_strictest_licence_of_the_photos_is_the_weights(licences: list[str], notice: str) -> None:
    rows = [row_of(Path(), f"{i}", Labels(licence=name), ATLAS) for i, name in enumerate([*licences, ""])]
    assert licence_notice(SimpleNamespace(rows=rows), np.arange(len(rows))) == notice
