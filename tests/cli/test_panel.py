"""A study from end to end, on aligned faces; the model is a blur, or pictures in a folder."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner, Result

from amgan.cli import app, main
from amgan.data.curation.files import aligned_name
from amgan.data.store import Store, prepare
from amgan.evaluation.adapters import open_adapter
from amgan.evaluation.panel.crops import Window
from amgan.evaluation.panel.key import Crop, PairKey, RatingKey, read_key
from amgan.evaluation.protocol import Aim
from amgan.signs.atlas import unit_atlas

ATLAS = unit_atlas()
SIGNS = ("--sign", "crows_feet", "--sign", "forehead_wrinkles")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["panel", *(str(a) for a in arguments)])


@pytest.fixture(scope="module")
def prepared(dataset: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("prepared")
    prepare(dataset, folder, ATLAS)
    return folder


@pytest.fixture(scope="module")
def store(dataset: Path, prepared: Path) -> Store:
    return prepare(dataset, prepared, ATLAS)


@pytest.fixture(scope="module")
def make(dataset: Path, prepared: Path) -> Callable[..., Result]:
    """Makes a study of four of the generated faces."""

    def make(folder: Path, key: Path, *more: object, model: object = "blur") -> Result:
        given = ("--data", dataset, "--data-store", prepared, "--model", model, "--split", "train", "--faces", 4)
        return run("make", folder, "--key", key, *given, "--seed", 3, *SIGNS, *more)

    return make


@pytest.fixture(scope="module")
def study(make: Callable[..., Result], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """DIR and the folder of the key."""
    folder = tmp_path_factory.mktemp("panel")
    result = make(folder / "study", folder / "key")
    assert result.exit_code == 0, result.output
    return folder / "study", folder / "key"


def tiles_of(sheet: Path) -> list[np.ndarray]:
    """The crops of a sheet, in reading order: what fills its columns from edge to edge; letters do not."""
    picture = np.asarray(Image.open(sheet))
    ink = (picture != picture[0, 0]).any(axis=2)
    rows = spans(ink.mean(axis=1) > 0.25)
    tiles = [
        picture[top:bottom, left:right]
        for top, bottom in rows
        for left, right in spans(ink[slice(*rows[0])].any(axis=0))
    ]
    return [tile for tile in tiles if (tile != picture[0, 0]).any()]


def spans(marked: np.ndarray) -> list[tuple[int, int]]:
    """First and past the last of every run of marked places."""
    edges = np.flatnonzero(np.diff(np.concatenate([[0], marked.astype(int), [0]])))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def expected(crop: Crop, store: Store, shape: tuple[int, ...], enlarged: int) -> np.ndarray:
    """What a number has to show, at the size that the crops of its sheet have."""
    index = next(i for i, row in enumerate(store.rows) if row.name == crop.face)
    rgb = store.images[index]
    if crop.target is not None:
        (rgb,) = open_adapter("blur").pictures(rgb, crop.face, [Aim("older", {})])
    height, width = shape[:2]
    window = Window(ATLAS.zones_of(crop.sign)[0], width // enlarged, height // enlarged, enlarged)
    assert window.shape == (height, width)
    return window.cut(rgb, store.landmarks[index], ATLAS)


def test_raters_get_sheets_forms_and_instructions_and_the_key_lies_apart(study: tuple[Path, Path]) -> None:
    folder, key = study
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    sheets = [f"sheets/{sign}-{n}.png" for sign in ("crows_feet", "forehead_wrinkles") for n in (1, 2, 3)]
    forms = ["forms/crows_feet.csv", "forms/forehead_wrinkles.csv"]
    assert names == ["README.txt", "calibration/crows_feet.png", "calibration/forehead_wrinkles.png", *forms, *sheets]
    known = read_key(key)
    assert isinstance(known, RatingKey) and known.seed == 3 and known.model == "blur" and len(known.crops) == 24
    assert "severity" in (folder / "README.txt").read_text() and known.panel in (folder / "README.txt").read_text()


def test_nothing_that_raters_get_says_what_is_what(study: tuple[Path, Path], store: Store) -> None:
    folder, key = study
    known = read_key(key)
    assert isinstance(known, RatingKey)
    for path in (path for path in folder.rglob("*") if path.is_file()):
        content = path.read_bytes()
        words = [crop.face for crop in known.crops] + [crop.person for crop in known.crops]
        assert not any(word.encode() in content for word in (*words, "blur", "original", "seed"))
        if path.suffix == ".png":
            picture = Image.open(path)
            assert not picture.info and not picture.getexif()
    by_sheet: dict[str, list[Crop]] = {}
    for crop in known.crops:
        by_sheet.setdefault(crop.sheet, []).append(crop)
    for crops in by_sheet.values():
        assert len({crop.person for crop in crops}) == len(crops)
    # Neither by the number nor by the place on a sheet can one tell an original.
    assert len({tuple(crop.target for crop in crops) for crops in by_sheet.values()}) > 1


def test_every_number_is_the_crop_that_the_key_says(study: tuple[Path, Path], store: Store) -> None:
    folder, key = study
    known = read_key(key)
    assert isinstance(known, RatingKey)
    for sheet in sorted({crop.sheet for crop in known.crops}):
        crops = [crop for crop in known.crops if crop.sheet == sheet]
        tiles = tiles_of(folder / "sheets" / sheet)
        assert len(tiles) == len(crops) and len({tile.shape for tile in tiles}) == 1
        height, width = tiles[0].shape[:2]
        assert any(
            all(np.array_equal(t, expected(c, store, t.shape, scale)) for t, c in zip(tiles, crops, strict=True))
            for scale in range(1, 9)
            if height % scale == width % scale == 0
        ), sheet


def test_a_study_follows_its_seed(study: tuple[Path, Path], make: Callable[..., Result], tmp_path: Path) -> None:
    folder, key = study
    assert make(tmp_path / "again", tmp_path / "again-key").exit_code == 0
    assert read_key(tmp_path / "again-key") == read_key(key)
    for path in folder.rglob("*.png"):
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(folder)).read_bytes()


def test_filled_in_forms_are_scored(study: tuple[Path, Path], tmp_path: Path) -> None:
    folder, key = study
    known = read_key(key)
    assert isinstance(known, RatingKey)
    crops = {crop.number: crop for crop in known.crops}
    for rater, more in (("anna", 0), ("ben", 5)):
        shutil.copytree(folder / "forms", tmp_path / rater)
        for path in (tmp_path / rater).glob("*.csv"):
            with path.open(newline="") as file:
                rows = list(csv.DictReader(file))
            with path.open("w", newline="") as file:
                writer = csv.DictWriter(file, rows[0])
                writer.writeheader()
                for row in rows:
                    target = crops[int(row["number"])].target
                    said = {"severity": 50 if target is None else 100 * target, "naturalness": 60 + more}
                    writer.writerow(row | said)
    result = run("score", key, tmp_path / "anna", tmp_path / "ben", "-o", tmp_path / "out")
    assert result.exit_code == 0, result.output
    content = json.loads((tmp_path / "out" / "panel.json").read_text())
    found = {(one["sign"], one["target"]): one["severity"]["value"] for one in content["levels"]}
    assert found["crows_feet", 0.1] == 10 and found["all signs", None] == 50 and found["forehead_wrinkles", 0.9] == 90
    assert all(one["in_order"]["value"] == 1 for one in content["orders"])
    assert "2 raters: anna, ben" in (tmp_path / "out" / "panel.md").read_text() and "2 raters" in result.stdout
    again = run("score", key, tmp_path / "anna", "-o", tmp_path / "out")
    assert "already exists" in str(again.exception)
    assert json.loads((tmp_path / "out" / "panel.json").read_text()) == content
    assert run("score", key, tmp_path / "anna", "-o", tmp_path / "out", "--overwrite").exit_code == 0


def test_pairs(make: Callable[..., Result], store: Store, tmp_path: Path) -> None:
    result = make(tmp_path / "pairs", tmp_path / "key", "--pairs", "--sign", "crows_feet")
    assert result.exit_code == 0, result.output
    key = read_key(tmp_path / "key")
    assert isinstance(key, PairKey) and not (tmp_path / "pairs" / "calibration").exists()
    rows = {row.name: row for row in store.rows}
    for pair in key.pairs:
        assert ATLAS.age.grade(rows[pair.face].age) < 50 <= ATLAS.age.grade(rows[pair.real].age)
        assert pair.target == 0.9 and pair.grade >= 40
    of_sign = [pair for pair in key.pairs if pair.sign == "crows_feet"]
    assert sorted(pair.made for pair in of_sign) == ["left", "left", "right", "right"]
    form = tmp_path / "pairs" / "forms" / "crows_feet.csv"
    lines = [f"{key.panel},{pair.number},{pair.made},blurred" for pair in of_sign]
    form.write_text("\n".join(["panel,number,made,why", *lines]))
    result = run("score", tmp_path / "key", form)
    assert result.exit_code == 0 and "Told apart: **100% (51% to 100%)**" in result.stdout


def test_pictures_of_another_model(make: Callable[..., Result], store: Store, tmp_path: Path) -> None:
    for row, image in zip(store.rows, store.images, strict=True):
        for kind in ("younger", "older"):
            path = tmp_path / "peer" / kind / aligned_name(row.name, "png")
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(np.full_like(image, 128 if kind == "older" else 0)).save(path, compress_level=1)
    assert make(tmp_path / "study", tmp_path / "key", model=tmp_path / "peer").exit_code == 0
    key = read_key(tmp_path / "key")
    assert isinstance(key, RatingKey) and key.model == "peer"
    shutil.rmtree(tmp_path / "peer" / "older")
    refused = make(tmp_path / "more", tmp_path / "more-key", model=tmp_path / "peer")
    assert "peer: no picture older/ of" in str(refused.exception) and not (tmp_path / "more").exists()


@pytest.mark.parametrize(
    ("more", "code", "named"),
    [
        (["--key", "out/key"], 1, "lies in out"),
        (["--key", "taken"], 1, "taken/key.json: is there already"),
        (["--key", "k", "--faces", "40"], 1, "9 people of train count, not 40"),
        (["--key", "k", "--sign", "freckles"], 2, "'freckles' is no sign"),
        (["--key", "k", "--pairs", "--level", "0.1", "--level", "0.9"], 2, "--level"),
        (["--key", "k", "--level", "1.5"], 2, "--level"),
    ],
)
def test_a_bad_call_is_one_line_and_writes_nothing(
    dataset: Path,
    prepared: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    more: list[str],
    code: int,
    named: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "key.json").touch()
    given = ["--data", str(dataset), "--data-store", str(prepared), "--model", "blur", "--split", "train"]
    monkeypatch.setattr("sys.argv", ["amgan", "panel", "make", "out", *given, *more])
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == code and named in " ".join(capsys.readouterr().err.split())
    assert [path.name for path in tmp_path.iterdir()] == ["taken"]


def test_a_folder_with_something_in_it_is_left_alone(make: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "forms").mkdir()
    (tmp_path / "forms" / "anna.csv").touch()
    result = make(tmp_path / "forms", tmp_path / "key")
    assert "is there and not empty" in str(result.exception) and not (tmp_path / "key").exists()
