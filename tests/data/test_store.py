import dataclasses
import hashlib
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from amgan.data import store as module
from amgan.data.curation.limits import Limits
from amgan.data.curation.run import curate
from amgan.data.labels import Labels, read_labels
from amgan.data.store import SIZE, prepare
from amgan.data.table import AlignedFace
from amgan.errors import DatasetError
from amgan.signs.atlas import unit_atlas

ATLAS = unit_atlas()


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be detected."""
    monkeypatch.delattr(module, "FaceDetector")


@pytest.fixture
def copy(dataset: Path, tmp_path: Path) -> Path:
    """A dataset that may be changed."""
    return Path(shutil.copytree(dataset, tmp_path / "dataset"))


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
    other = dataclasses.replace(row, aligned=AlignedFace(256, row.aligned.landmarks, "another digest"))
    assert module.store_key(copy, [other, *rest], ATLAS) != first.folder.name
    curate(face_set, copy, adults, None, size=256, workers=1)
    assert prepare(copy, tmp_path / "stores", ATLAS).folder != first.folder  # the youngest is kept now


@pytest.mark.usefixtures("blind")
def test_faces_that_went_bad(copy: Path, tmp_path: Path) -> None:
    rows = module.read_rows(copy, ATLAS)
    rows[0].path.write_bytes(b"no picture")
    store = prepare(copy, tmp_path / "stores", ATLAS)
    assert store.left_out == [rows[0].name] and len(store.rows) == 10
    cv2.imwrite(str(rows[1].path), np.zeros((300, 256, 3), np.uint8))
    with pytest.raises(DatasetError, match=rf"{rows[1].path.name}: is 256x300, by the table 256x256"):
        prepare(copy, tmp_path / "others", ATLAS)
