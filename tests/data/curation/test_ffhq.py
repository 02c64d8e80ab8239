import json
import math
from pathlib import Path
from typing import Any

import pytest

from amgan.data.curation.ffhq import laid_over, read_ffhq
from amgan.data.labels import Labels
from amgan.errors import DatasetError

NC = "https://creativecommons.org/licenses/by-nc/2.0/"


def photo(number: int, category: str = "training", url: str = NC) -> dict[str, Any]:
    """An entry of the JSON, with the parts that are not needed."""
    about = {"photo_url": "https://www.flickr.com/photos/x", "photo_title": "DSCF.JPG", "author": f"Author {number}"}
    about |= {"country": "", "license": "Attribution-NonCommercial License", "license_url": url}
    image = {"file_path": f"images1024x1024/00000/{number:05}.png", "face_landmarks": [[1.5, 2.5]] * 68}
    return {"category": category, "metadata": about, "image": image, "in_the_wild": image | {"face_rect": [1, 2, 3, 4]}}


@pytest.fixture
def ffhq(tmp_path: Path) -> Path:
    """A folder of empty photos 0 to 5 and their JSON beside it."""
    folder = tmp_path / "images1024x1024" / "00000"
    folder.mkdir(parents=True)
    for number in range(6):
        (folder / f"{number:05}.png").touch()
    (folder / "LICENSE.txt").touch()
    (folder / "more.png").touch()
    content = {str(n): photo(n, "validation" if n > 2 else "training") for n in range(8)}
    content["1"] = photo(1, url="http://www.usa.gov/copyright.shtml")
    content["2"] = photo(2, url="https://example.org/terms")
    (tmp_path / "ffhq-dataset-v2.json").write_text(json.dumps(content))
    return tmp_path


def test_labels_of_the_photos_there_are(ffhq: Path) -> None:
    found = read_ffhq(ffhq / "ffhq-dataset-v2.json", ffhq / "images1024x1024")
    assert list(found) == [f"00000/{n:05}.png" for n in range(6)]
    assert found["00000/00000.png"] == Labels(
        identity="ffhq-00000", split="train", licence="CC BY-NC 2.0", author="Author 0", source="ffhq"
    )
    assert found["00000/00001.png"].licence == "U.S. Government Work"
    assert found["00000/00002.png"].licence == "Attribution-NonCommercial License"
    assert {found[f"00000/{n:05}.png"].split for n in (3, 4, 5)} == {"val", "test"}


def test_a_photo_is_known_by_its_number_in_any_folder(ffhq: Path, tmp_path: Path) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    (flat / "00003.jpg").touch()
    (found,) = read_ffhq(ffhq / "ffhq-dataset-v2.json", flat).items()
    whole = read_ffhq(ffhq / "ffhq-dataset-v2.json", ffhq / "images1024x1024")
    assert found == ("00003.jpg", whole["00000/00003.png"])


def test_a_csv_adds_to_it(ffhq: Path) -> None:
    base = read_ffhq(ffhq / "ffhq-dataset-v2.json", ffhq / "images1024x1024")
    own = {
        "00000/00000.png": Labels(age=30.0, grades={"forehead_wrinkles": 10.0}),
        "00000/00003.png": Labels(identity="a person known", licence="mine"),
        "other.png": Labels(age=40.0),
    }
    found = laid_over(base, own, Path("ages.csv"))
    first, known = found["00000/00000.png"], found["00000/00003.png"]
    assert (first.age, first.grades, first.licence, first.split) == (
        30,
        {"forehead_wrinkles": 10},
        "CC BY-NC 2.0",
        "train",
    )
    assert (known.identity, known.licence, known.author, known.split) == ("a person known", "mine", "Author 3", "")
    assert found["other.png"] == own["other.png"] and found["00000/00001.png"] == base["00000/00001.png"]
    assert laid_over(base, {}, Path("ages.csv")) == base
    with pytest.raises(DatasetError, match=r"ages\.csv: has no FFHQ photo of SRC, but 'images/0\.png'"):
        laid_over(base, {"images/0.png": Labels(30)}, Path("ages.csv"))


def test_an_age_of_0_is_said_and_no_age_is_not() -> None:
    adult = {"00012.png": Labels(30.0, "ffhq-00012", source="ffhq")}
    ages = [laid_over(adult, {"00012.png": Labels(age)}, Path("ages.csv"))["00012.png"].age for age in (0.0, math.nan)]
    assert ages == [0, 30]


@pytest.mark.parametrize(
    ("content", "named"),
    [
        ("{", "not JSON"),
        ("[]", "not a mapping"),
        ('{"0": {"category": "training", "metadata": {"author": "x"}}}', "photo 0: KeyError"),
        (json.dumps({"0": photo(0, "testing")}), "photo 0: KeyError.'testing'"),
        ('{"0": "image"}', "photo 0"),
        (json.dumps({"9": photo(9)}), "no photo in it"),
    ],
)
def test_another_json_is_named(ffhq: Path, content: str, named: str) -> None:
    path = ffhq / "ffhq-dataset-v2.json"
    path.write_text(content)
    with pytest.raises(DatasetError, match=named) as caught:
        read_ffhq(path, ffhq / "images1024x1024")
    assert "ffhq-dataset-v2.json" in str(caught.value)
    with pytest.raises(DatasetError, match=r"absent\.json"):
        read_ffhq(ffhq / "absent.json", ffhq)
