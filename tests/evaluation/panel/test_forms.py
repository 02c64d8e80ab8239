from pathlib import Path

import pytest

from amgan.errors import DatasetError
from amgan.evaluation.panel.forms import read_choices, read_ratings, write_form
from amgan.evaluation.panel.key import Crop, Pair, PairKey, RatingKey, read_key, write_key

ABOUT = {"panel": "abcd", "model": "m", "fingerprint": "f", "data": "d", "split": "val", "seed": 1}


def rating_key() -> RatingKey:
    signs = ["crows_feet", "crows_feet", "forehead_wrinkles"]
    return RatingKey(
        **ABOUT,
        crops=[
            Crop(number=i, sheet="s.png", sign=sign, face="a", person="p", target=None, grade=None)
            for i, sign in enumerate(signs, 1)
        ],
    )


def pair_key() -> PairKey:
    pair = Pair(
        number=1, sheet="s", sign="crows_feet", made="left", face="a", person="p", target=0.9, real="b", grade=60
    )
    return PairKey(**ABOUT, pairs=[pair])


def form(folder: Path, *lines: str, head: str = "panel,number,severity,naturalness,occluded") -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "form.csv").write_text("\n".join([head, *lines]) + "\n", encoding="utf-8")
    return folder


def test_a_key_comes_back(tmp_path: Path) -> None:
    for key in (rating_key(), pair_key()):
        write_key(key, tmp_path / key.kind / "key.json")
        assert read_key(tmp_path / key.kind) == read_key(tmp_path / key.kind / "key.json") == key
    with pytest.raises(DatasetError, match=r"nowhere: cannot read the key"):
        read_key(tmp_path / "nowhere")
    (tmp_path / "key.json").write_text('{"kind": "ratings"}')
    with pytest.raises(DatasetError, match=r"key.json: not a key"):
        read_key(tmp_path)


def test_an_empty_form_has_every_number_and_is_refused_until_it_is_filled_in(tmp_path: Path) -> None:
    write_form(tmp_path / "anna" / "crows_feet.csv", "abcd", [1, 2], pairs=False)
    assert (tmp_path / "anna" / "crows_feet.csv").read_text().splitlines() == [
        "panel,number,severity,naturalness,occluded",
        "abcd,1,,,no",
        "abcd,2,,,no",
    ]
    with pytest.raises(DatasetError, match=r"crows_feet.csv, line 2, column severity: ''; write 0 to 100"):
        read_ratings([tmp_path / "anna"], rating_key())


def test_forms_of_several_raters(tmp_path: Path) -> None:
    anna = form(tmp_path / "anna", "abcd,1,10,90,no", "abcd,2, 55.5 ,0,NO", "", "abcd,3,,,yes")
    # As spreadsheet programs save it; one who judged a part of the signs alone.
    ben = form(tmp_path / "ben", "abcd,3,100,20,no")
    (ben / "form.csv").write_bytes(b"\xef\xbb\xbf" + (ben / "form.csv").read_bytes().replace(b"\n", b"\r\n"))
    found = read_ratings([anna, ben / "form.csv"], rating_key())
    assert list(found) == ["anna", "ben"] and sorted(found["anna"]) == [1, 2, 3] and list(found["ben"]) == [3]
    assert found["anna"][2].severity == 55.5 and found["anna"][3].occluded and found["ben"][3].severity == 100
    # The same file given twice is one form; folders of one name are two raters.
    assert read_ratings([anna, anna / "form.csv"], rating_key()).keys() == {"anna"}
    (tmp_path / "more").mkdir()
    other = form(tmp_path / "more" / "anna", "abcd,3,1,1,no")
    assert read_ratings([anna, other], rating_key()).keys() == {str(anna.resolve()), str(other.resolve())}


@pytest.mark.parametrize(
    ("lines", "fault"),
    [
        (["abcd,1,101,50,no"], "line 2, column severity: '101'"),
        (["abcd,1,50,nan,no"], "line 2, column naturalness: 'nan'"),
        (["abcd,1,50,50,maybe"], "line 2, column occluded: 'maybe'"),
        (["abcd,1,50,50,no", "abcd,1,50,50,no"], "line 3: 1 is there already, .*line 2"),
        (["abcd,9,50,50,no"], "line 2: '9' is no number of this study"),
        (["abcd,one,50,50,no"], "line 2: 'one' is no number"),
        (["dcba,1,50,50,no"], "line 2: panel 'dcba', and the key is of 'abcd'"),
        (["abcd,1,50,50"], "line 2: 4 cells, 5 wanted"),
        (["abcd,1,50,50,no"], "1 numbers are missing, the first of crows_feet is 2"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, lines: list[str], fault: str) -> None:
    with pytest.raises(DatasetError, match=fault) as caught:
        read_ratings([form(tmp_path / "anna", *lines)], rating_key())
    assert "anna" in str(caught.value) and "\n" not in str(caught.value)


def test_other_files_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="line 1: the columns are not panel,number"):
        read_ratings([form(tmp_path / "semicolons", head="panel;number;severity;naturalness;occluded")], rating_key())
    (tmp_path / "empty").mkdir()
    with pytest.raises(DatasetError, match="empty: no form in it"):
        read_ratings([tmp_path / "empty"], rating_key())
    with pytest.raises(DatasetError, match=r"nowhere\.csv: cannot read the form"):
        read_ratings([tmp_path / "nowhere.csv"], rating_key())
    (tmp_path / "empty" / "x.csv").write_bytes(b"panel\xff")
    with pytest.raises(DatasetError, match="not a CSV file in UTF-8"):
        read_ratings([tmp_path / "empty"], rating_key())


def test_choices(tmp_path: Path) -> None:
    head = "panel,number,made,why"
    found = read_choices([form(tmp_path / "anna", 'abcd,1,Left,"stripes, mesh"', head=head)], pair_key())
    assert found["anna"][1].made == "left" and found["anna"][1].why == "stripes, mesh"
    with pytest.raises(DatasetError, match="line 2, column made: 'both'; write left or right"):
        read_choices([form(tmp_path / "ben", "abcd,1,both,", head=head)], pair_key())
